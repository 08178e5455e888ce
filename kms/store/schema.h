// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_SCHEMA_H_
#define KMS_STORE_SCHEMA_H_

#include <string_view>

namespace kms::store {

// The text of each migration. Frozen once released: docs/protocol/store.md and
// tests/golden/store_schema.txt repeat it, and tests compare.
//
// Times are microseconds since 1970 in UTC. Texts compare by their bytes (a
// PostgreSQL database is created with the collation "C"). What a row holds
// beyond its type is checked by the code that reads it.
inline constexpr std::string_view kSchema1 =
    R"sql(CREATE TABLE store_info (
  singleton BIGINT NOT NULL PRIMARY KEY CHECK (singleton = 1),
  store_id TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  revision BIGINT NOT NULL
);

CREATE TABLE keys (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  description TEXT NOT NULL,
  key_spec TEXT NOT NULL,
  key_usage TEXT NOT NULL,
  origin TEXT NOT NULL,
  state TEXT NOT NULL,
  created BIGINT NOT NULL,
  deletion_date BIGINT,
  destroying BIGINT NOT NULL CHECK (destroying IN (0, 1)),
  policy TEXT NOT NULL,
  CHECK (deletion_date IS NULL OR state = 'PendingDeletion')
);
CREATE INDEX keys_by_owner ON keys (account, region, id);
CREATE INDEX keys_by_deletion_date ON keys (deletion_date);
CREATE INDEX keys_by_destroying ON keys (destroying);

CREATE TABLE key_materials (
  key_id TEXT NOT NULL REFERENCES keys (id),
  ordinal BIGINT NOT NULL,
  material_id BYTEA NOT NULL UNIQUE,
  key_store TEXT NOT NULL,
  locator BYTEA NOT NULL UNIQUE,
  algorithm BIGINT NOT NULL,
  is_current BIGINT NOT NULL CHECK (is_current IN (0, 1)),
  created BIGINT NOT NULL,
  PRIMARY KEY (key_id, ordinal)
);
CREATE INDEX key_materials_by_key_store ON key_materials (key_store, locator);

CREATE TABLE aliases (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  key_id TEXT NOT NULL REFERENCES keys (id),
  created BIGINT NOT NULL,
  updated BIGINT NOT NULL,
  PRIMARY KEY (account, region, name)
);
CREATE INDEX aliases_by_key ON aliases (key_id, name);

CREATE TABLE tags (
  key_id TEXT NOT NULL REFERENCES keys (id),
  tag_key TEXT NOT NULL,
  tag_value TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  PRIMARY KEY (key_id, tag_key)
);

CREATE TABLE intents (
  locator BYTEA NOT NULL PRIMARY KEY,
  key_store TEXT NOT NULL,
  kind TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  key_id TEXT NOT NULL
);

CREATE TABLE service_keys (
  purpose TEXT NOT NULL PRIMARY KEY,
  key_store TEXT NOT NULL,
  locator BYTEA NOT NULL UNIQUE,
  algorithm BIGINT NOT NULL,
  check_value BYTEA NOT NULL
);

CREATE TABLE access_keys (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  user_name TEXT NOT NULL,
  user_id TEXT NOT NULL,
  active BIGINT NOT NULL CHECK (active IN (0, 1)),
  secret_nonce BYTEA NOT NULL,
  secret_ciphertext BYTEA NOT NULL,
  created BIGINT NOT NULL
);

CREATE TABLE outbox (
  event_id TEXT NOT NULL PRIMARY KEY,
  ordinal BIGINT NOT NULL,
  event TEXT NOT NULL
);
CREATE INDEX outbox_by_ordinal ON outbox (ordinal);

CREATE TABLE counters (
  material_id BYTEA NOT NULL PRIMARY KEY,
  reserved BIGINT NOT NULL
);

CREATE TABLE clock_progress (
  singleton BIGINT NOT NULL PRIMARY KEY CHECK (singleton = 1),
  trusted BIGINT NOT NULL
);
)sql";

// Key rotation. `rotation_type` and `rotation_date` say how a material became
// the current one; they are NULL for a key's first.
inline constexpr std::string_view kSchemaRotation =
    R"sql(ALTER TABLE keys ADD COLUMN rotation_period BIGINT;
ALTER TABLE keys ADD COLUMN next_rotation BIGINT;
ALTER TABLE keys ADD COLUMN on_demand_rotations BIGINT NOT NULL DEFAULT 0;
CREATE INDEX keys_by_next_rotation ON keys (state, next_rotation);

ALTER TABLE key_materials ADD COLUMN rotation_date BIGINT;
ALTER TABLE key_materials ADD COLUMN rotation_type TEXT;
)sql";

// The last successful cryptographic operation of each key. When this migration
// was applied is when the store began to know it.
inline constexpr std::string_view kSchemaKeyUsage =
    R"sql(CREATE TABLE last_usages (
  key_id TEXT NOT NULL PRIMARY KEY REFERENCES keys (id),
  operation TEXT NOT NULL,
  used BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  request_id TEXT NOT NULL
);
)sql";

// Key pairs: a key's public half, for whoever asks for it or verifies.
inline constexpr std::string_view kSchemaPublicKeys =
    R"sql(ALTER TABLE key_materials ADD COLUMN public_key BYTEA;
)sql";

// Grants; and which service keys a store is still to be given: the mark goes
// with the making of the key, so that one which is lost is never made again.
inline constexpr std::string_view kSchemaGrants =
    R"sql(CREATE TABLE grants (
  id TEXT NOT NULL PRIMARY KEY,
  key_id TEXT NOT NULL REFERENCES keys (id),
  name TEXT NOT NULL,
  grantee_principal TEXT NOT NULL,
  grantee_service TEXT NOT NULL,
  retiring_principal TEXT NOT NULL,
  retiring_service TEXT NOT NULL,
  issuing_account TEXT NOT NULL,
  creating_principal TEXT NOT NULL,
  operations TEXT NOT NULL,
  context_equals TEXT NOT NULL,
  context_subset TEXT NOT NULL,
  source_arn TEXT NOT NULL,
  parameters BYTEA NOT NULL,
  created BIGINT NOT NULL
);
CREATE INDEX grants_by_key ON grants (key_id, id);
CREATE INDEX grants_by_grantee ON grants (key_id, grantee_principal, id);
CREATE INDEX grants_by_name ON grants (key_id, name, parameters);
CREATE INDEX grants_by_retiring_principal ON grants (retiring_principal, id);
CREATE INDEX grants_by_retiring_service ON grants (retiring_service, id);

CREATE TABLE service_keys_due (
  purpose TEXT NOT NULL PRIMARY KEY
);
INSERT INTO service_keys_due (purpose) VALUES ('grant-token');
)sql";

// Multi-Region keys. From here on `keys.id` is the id of a row, and a key's id
// is `key_id`: the two differ for multi-Region keys only, which have a row in
// each Region. The materials belong to the key id: they go when its last row
// does. What refers to keys.id belongs to the row.
inline constexpr std::string_view kSchemaMultiRegion =
    R"sql(ALTER TABLE keys ADD COLUMN key_id TEXT NOT NULL DEFAULT '';
ALTER TABLE keys ADD COLUMN multi_region_type TEXT;
ALTER TABLE keys ADD COLUMN pending_window BIGINT;
UPDATE keys SET key_id = id;
CREATE UNIQUE INDEX keys_by_key_id ON keys (key_id, region);
DROP INDEX keys_by_owner;
CREATE INDEX keys_by_owner ON keys (account, region, key_id);

CREATE TABLE key_materials_of_id (
  key_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  material_id BYTEA NOT NULL UNIQUE,
  key_store TEXT NOT NULL,
  locator BYTEA NOT NULL UNIQUE,
  algorithm BIGINT NOT NULL,
  is_current BIGINT NOT NULL CHECK (is_current IN (0, 1)),
  created BIGINT NOT NULL,
  rotation_date BIGINT,
  rotation_type TEXT,
  public_key BYTEA,
  PRIMARY KEY (key_id, ordinal)
);
INSERT INTO key_materials_of_id (key_id, ordinal, material_id, key_store,
  locator, algorithm, is_current, created, rotation_date, rotation_type,
  public_key)
SELECT key_id, ordinal, material_id, key_store, locator, algorithm, is_current,
  created, rotation_date, rotation_type, public_key FROM key_materials;
DROP TABLE key_materials;
ALTER TABLE key_materials_of_id RENAME TO key_materials;
CREATE INDEX key_materials_by_key_store ON key_materials (key_store, locator);
)sql";

// AWS managed keys: the service whose key it is, '' for a customer's.
inline constexpr std::string_view kSchemaManagedKeys =
    R"sql(ALTER TABLE keys ADD COLUMN managing_service TEXT NOT NULL DEFAULT '';
)sql";

// The last use of each key in each operation by each principal ('' where an
// earlier release did not keep it), and up to which record of the audit log the
// table knows all.
inline constexpr std::string_view kSchemaUsagesByPrincipal =
    R"sql(CREATE TABLE key_usages (
  key_id TEXT NOT NULL REFERENCES keys (id),
  operation TEXT NOT NULL,
  principal TEXT NOT NULL,
  used BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  PRIMARY KEY (key_id, operation, principal)
);
CREATE INDEX key_usages_by_time ON key_usages (key_id, used);
INSERT INTO key_usages
  (key_id, operation, principal, used, event_id, request_id)
  SELECT key_id, operation, '', used, event_id, request_id FROM last_usages;
DROP TABLE last_usages;

CREATE TABLE usage_progress (
  singleton BIGINT NOT NULL PRIMARY KEY CHECK (singleton = 1),
  log_sequence BIGINT NOT NULL,
  complete BIGINT NOT NULL CHECK (complete IN (0, 1))
);
)sql";

// Imported key material. What a key knows of a material that is gone stays, so
// that the same can be imported again.
inline constexpr std::string_view kSchemaImports =
    R"sql(CREATE TABLE imported_materials (
  key_row_id TEXT NOT NULL REFERENCES keys (id),
  material_id BYTEA NOT NULL,
  imported BIGINT NOT NULL CHECK (imported IN (0, 1)),
  valid_to BIGINT,
  description TEXT NOT NULL,
  PRIMARY KEY (key_row_id, material_id)
);
CREATE INDEX imported_materials_by_valid_to ON imported_materials (valid_to);
CREATE INDEX imported_materials_by_material ON imported_materials (material_id);

CREATE TABLE import_pairs (
  locator BYTEA NOT NULL PRIMARY KEY,
  algorithm BIGINT NOT NULL,
  key_store TEXT NOT NULL,
  public_key BYTEA NOT NULL,
  created BIGINT NOT NULL,
  key_row_id TEXT,
  wrapping_algorithm TEXT,
  valid_to BIGINT
);
CREATE INDEX import_pairs_by_key ON import_pairs (key_row_id);
CREATE INDEX import_pairs_by_valid_to ON import_pairs (valid_to);

INSERT INTO service_keys_due (purpose) VALUES ('import-token');
)sql";

// Who may ask. Until here each access key was that of its account's
// administrator, who was allowed everything.
inline constexpr std::string_view kSchemaIdentities =
    R"sql(CREATE TABLE accounts (
  id TEXT NOT NULL PRIMARY KEY,
  created BIGINT NOT NULL
);
INSERT INTO accounts (id, created)
  SELECT account, MIN(created) FROM
    (SELECT account, created FROM access_keys
     UNION ALL SELECT account, created FROM keys) AS owners
  GROUP BY account;

CREATE TABLE iam_entities (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL REFERENCES accounts (id),
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  folded_name TEXT NOT NULL,
  path TEXT NOT NULL,
  created BIGINT NOT NULL,
  description TEXT NOT NULL,
  trust_policy TEXT NOT NULL,
  trusted TEXT NOT NULL,
  max_session BIGINT NOT NULL,
  boundary TEXT NOT NULL,
  default_version TEXT NOT NULL,
  UNIQUE (account, kind, folded_name)
);
CREATE INDEX iam_entities_by_boundary ON iam_entities (boundary);
INSERT INTO iam_entities
  (id, account, kind, name, folded_name, path, created, description,
   trust_policy, trusted, max_session, boundary, default_version)
  SELECT user_id, account, 'user', user_name, user_name, '/', MIN(created), '',
    '', '', 3600, '', '' FROM access_keys GROUP BY user_id, account, user_name;

CREATE TABLE iam_documents (
  entity_id TEXT NOT NULL REFERENCES iam_entities (id),
  name TEXT NOT NULL,
  document TEXT NOT NULL,
  created BIGINT NOT NULL,
  PRIMARY KEY (entity_id, name)
);

CREATE TABLE iam_attachments (
  entity_id TEXT NOT NULL REFERENCES iam_entities (id),
  policy_arn TEXT NOT NULL,
  PRIMARY KEY (entity_id, policy_arn)
);
CREATE INDEX iam_attachments_by_policy ON iam_attachments (policy_arn);
INSERT INTO iam_attachments (entity_id, policy_arn)
  SELECT id, 'arn:aws:iam::aws:policy/AdministratorAccess' FROM iam_entities;

CREATE TABLE iam_memberships (
  group_id TEXT NOT NULL REFERENCES iam_entities (id),
  user_id TEXT NOT NULL REFERENCES iam_entities (id),
  PRIMARY KEY (group_id, user_id)
);
CREATE INDEX iam_memberships_by_user ON iam_memberships (user_id);

CREATE TABLE iam_tags (
  entity_id TEXT NOT NULL REFERENCES iam_entities (id),
  tag_key TEXT NOT NULL,
  tag_value TEXT NOT NULL,
  PRIMARY KEY (entity_id, tag_key)
);

CREATE INDEX access_keys_by_user ON access_keys (user_id);

ALTER TABLE keys ADD COLUMN policy_principals TEXT NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN grantee_id TEXT NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN retiring_id TEXT NOT NULL DEFAULT '';

INSERT INTO service_keys_due (purpose) VALUES ('session-token');
)sql";

// X.509 certificates that belong to a key's public key.
inline constexpr std::string_view kSchemaCertificates =
    R"sql(CREATE TABLE certificates (
  key_id TEXT NOT NULL REFERENCES keys (id),
  ordinal BIGINT NOT NULL,
  certificate BYTEA NOT NULL,
  PRIMARY KEY (key_id, ordinal)
);
)sql";

// Key materials of the placement `wrapped`: the service key that wraps them,
// and what it has made of them; NULL for those that are objects of a token.
inline constexpr std::string_view kSchemaWrappedMaterials =
    R"sql(ALTER TABLE key_materials ADD COLUMN wrapping_key BYTEA;
ALTER TABLE key_materials ADD COLUMN wrapped BYTEA;
ALTER TABLE key_materials ADD COLUMN check_value BYTEA;
)sql";

// The XKS proxy: keys that are kept for other key management services, and what
// those sign with.
inline constexpr std::string_view kSchemaExternalKeys =
    R"sql(CREATE TABLE external_keys (
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  enabled BIGINT NOT NULL CHECK (enabled IN (0, 1)),
  created BIGINT NOT NULL,
  PRIMARY KEY (tenant, id)
);

CREATE TABLE external_key_versions (
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  version BIGINT NOT NULL,
  key_store TEXT NOT NULL,
  locator BYTEA NOT NULL UNIQUE,
  algorithm BIGINT NOT NULL,
  check_value BYTEA NOT NULL,
  created BIGINT NOT NULL,
  reserved_uses BIGINT NOT NULL,
  PRIMARY KEY (tenant, id, version),
  FOREIGN KEY (tenant, id) REFERENCES external_keys (tenant, id)
);
CREATE INDEX external_key_versions_by_key_store
  ON external_key_versions (key_store, locator);

CREATE TABLE xks_credentials (
  access_key_id TEXT NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  secret_nonce BYTEA NOT NULL,
  secret_ciphertext BYTEA NOT NULL,
  created BIGINT NOT NULL
);
CREATE INDEX xks_credentials_by_tenant ON xks_credentials (tenant, created);

INSERT INTO service_keys_due (purpose) VALUES ('xks-credentials');
)sql";

// Custom key stores, and which keys live in them: '' for those that do not.
inline constexpr std::string_view kSchemaCustomKeyStores =
    R"sql(CREATE TABLE custom_key_stores (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  store_type TEXT NOT NULL,
  created BIGINT NOT NULL,
  state TEXT NOT NULL,
  connection_error_code TEXT NOT NULL,
  cloud_hsm_cluster_id TEXT NOT NULL,
  trust_anchor_certificate TEXT NOT NULL,
  connectivity TEXT NOT NULL,
  uri_endpoint TEXT NOT NULL,
  uri_path TEXT NOT NULL,
  vpc_endpoint_service_name TEXT NOT NULL,
  vpc_endpoint_service_owner TEXT NOT NULL,
  access_key_id TEXT NOT NULL,
  secret_nonce BYTEA NOT NULL,
  secret_ciphertext BYTEA NOT NULL,
  credential_set BIGINT NOT NULL,
  UNIQUE (account, region, name)
);

ALTER TABLE keys ADD COLUMN custom_key_store TEXT NOT NULL DEFAULT '';
ALTER TABLE keys ADD COLUMN xks_key_id TEXT NOT NULL DEFAULT '';
CREATE INDEX keys_by_custom_key_store ON keys (custom_key_store, xks_key_id);
)sql";

// Several key stores: where a key's operations run. Rows of before have '':
// where their materials are.
inline constexpr std::string_view kSchemaKeyStores =
    R"sql(ALTER TABLE keys ADD COLUMN key_store TEXT NOT NULL DEFAULT '';
)sql";

// Service keys that several tokens can use: what wraps them, and what it made.
// NULL for those that are objects of the first key store's token.
inline constexpr std::string_view kSchemaWrappedServiceKeys =
    R"sql(ALTER TABLE service_keys ADD COLUMN wrapping_key BYTEA;
ALTER TABLE service_keys ADD COLUMN wrapped BYTEA;
)sql";

// How many KeyStorePasswords in a row were not the PIN of a CloudHSM cluster's
// token. No row: none.
inline constexpr std::string_view kSchemaWrongPasswords =
    R"sql(CREATE TABLE wrong_passwords (
  cluster_id TEXT NOT NULL PRIMARY KEY,
  in_a_row BIGINT NOT NULL
);
)sql";

// Which configured key store a CloudHSM key store's cluster was when it was
// connected; '' if it was not, or has no keys in it. Rows of before have the
// one in which all their keys are.
inline constexpr std::string_view kSchemaClusterKeyStores =
    R"sql(ALTER TABLE custom_key_stores
  ADD COLUMN key_store TEXT NOT NULL DEFAULT '';
UPDATE custom_key_stores SET key_store =
  (SELECT CASE WHEN MIN(keys.key_store) = MAX(keys.key_store)
      THEN MIN(keys.key_store) ELSE '' END FROM keys
    WHERE keys.custom_key_store = custom_key_stores.id)
  WHERE store_type = 'AWS_CLOUDHSM';
)sql";

}  // namespace kms::store

#endif  // KMS_STORE_SCHEMA_H_
