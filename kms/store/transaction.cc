// SPDX-License-Identifier: Apache-2.0
#include "kms/store/transaction.h"

#include <algorithm>
#include <utility>

#include "kms/key_id.h"
#include "kms/store/columns.h"
#include "kms/store/grants.h"
#include "kms/store/imports.h"
#include "kms/store/reads.h"

namespace kms::store {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kNoKey = "the store has no key with this id";
constexpr std::string_view kNoAlias = "the store has no alias of this name";
constexpr std::string_view kNoIntent =
    "the store has no intent for this locator: it has been settled already";

// Far below what the column holds, so that a reservation cannot overflow it.
constexpr std::uint64_t kMaxReservation = std::uint64_t{1} << 32;
constexpr std::uint64_t kMaxReserved = std::uint64_t{1} << 62;

Value PeriodOf(const Key& key) {
  return key.rotation ? Value(key.rotation->period_days) : Value();
}

Value NextRotationOf(const Key& key) {
  return key.rotation ? ToValue(key.rotation->next) : Value();
}

Value PendingWindowOf(const Key& key) {
  return key.pending_window_days ? Value(*key.pending_window_days) : Value();
}

Value MultiRegionTypeOf(const Key& key) {
  return key.IsMultiRegion() ? ToValue(MultiRegionTypeName(key.multi_region))
                             : Value();
}

base::Status CheckRow(const Key& key) {
  if (key.row_id != KeyRowId(key.id, key.region) ||
      key.IsMultiRegion() != IsMultiRegionKeyId(key.id)) {
    return Error{ErrorCode::kInvalidArgument,
                 "store: a key's row is named after its id and Region, and its "
                 "id says whether it is a multi-Region key"};
  }
  return {};
}

base::Status CheckMaterials(const Key& key) {
  const auto current =
      std::ranges::count(key.materials, true, &KeyMaterial::current);
  if (current != 1 &&
      !(key.origin == Origin::kExternal && key.materials.empty())) {
    return Error{ErrorCode::kInvalidArgument,
                 "store: a key has exactly one current material"};
  }
  return {};
}

}  // namespace

void Touched::Merge(Touched other) {
  keys.merge(other.keys);
  aliases.merge(other.aliases);
}

std::string AliasCacheKey(std::string_view account, std::string_view region,
                          std::string_view name) {
  std::string key;
  key.reserve(account.size() + region.size() + name.size() + 2);
  key.append(account).push_back('\0');
  key.append(region).push_back('\0');
  key.append(name);
  return key;
}

base::Result<Key> SqlTransaction::GetKey(std::string_view row_id) {
  return ReadKey(connection_, row_id);
}

base::Result<std::vector<RelatedKey>> SqlTransaction::GetRelatedKeys(
    std::string_view key_id) {
  return ReadRelatedKeys(connection_, key_id);
}

// Every key of this id shows what has changed.
base::Status SqlTransaction::TouchRowsOf(std::string_view key_id) {
  if (!IsMultiRegionKeyId(key_id)) {
    touched_.keys.insert(std::string(key_id));
    return {};
  }
  ASSIGN_OR_RETURN(const auto related, ReadRelatedKeys(connection_, key_id));
  for (const RelatedKey& key : related) {
    touched_.keys.insert(key.row_id);
  }
  return {};
}

base::Status SqlTransaction::InsertRow(const Key& key) {
  RETURN_IF_ERROR(CheckRow(key));
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO keys (id, key_id, account, region, description, key_spec, "
      "key_usage, origin, state, created, deletion_date, multi_region_type, "
      "pending_window, destroying, policy, rotation_period, next_rotation, "
      "on_demand_rotations, managing_service, policy_principals, "
      "custom_key_store, xks_key_id, key_store) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, "
      "$15, $16, $17, $18, $19, $20, $21, $22, $23)",
      {ToValue(key.row_id),
       ToValue(key.id),
       ToValue(key.account),
       ToValue(key.region),
       ToValue(key.description),
       ToValue(KeySpecName(key.spec)),
       ToValue(KeyUsageName(key.usage)),
       ToValue(OriginName(key.origin)),
       ToValue(KeyStateName(key.state)),
       ToValue(key.created),
       ToValue(key.deletion_date),
       MultiRegionTypeOf(key),
       PendingWindowOf(key),
       ToValue(key.destroying),
       ToValue(key.policy),
       PeriodOf(key),
       NextRotationOf(key),
       ToValue(key.on_demand_rotations),
       ToValue(key.managing_service),
       PrincipalsOf(key.policy_principals),
       ToValue(key.custom_key_store),
       ToValue(key.xks_key_id),
       ToValue(key.key_store)}));
  touched_.keys.insert(key.row_id);
  return {};
}

base::Status SqlTransaction::InsertKey(const Key& key) {
  RETURN_IF_ERROR(CheckMaterials(key));
  RETURN_IF_ERROR(InsertRow(key));
  for (std::size_t i = 0; i < key.materials.size(); ++i) {
    RETURN_IF_ERROR(InsertMaterial(key.id, std::uint64_t{i}, key.materials[i]));
  }
  return {};
}

base::Status SqlTransaction::InsertReplica(const Key& key) {
  if (key.multi_region != MultiRegionType::kReplica) {
    return Error{ErrorCode::kInvalidArgument,
                 "store: only a replica shares what another key has"};
  }
  RETURN_IF_ERROR(InsertRow(key));
  return AwaitImports(connection_, key.id);
}

base::Status SqlTransaction::InsertMaterial(std::string_view key_id,
                                            std::uint64_t ordinal,
                                            const KeyMaterial& material) {
  const auto& rotation = material.rotation;
  const auto& wrapped = material.ref.wrapped;
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO key_materials (key_id, ordinal, material_id, key_store, "
      "locator, algorithm, is_current, created, rotation_date, rotation_type, "
      "public_key, wrapping_key, wrapped, check_value) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
      {ToValue(key_id), ToValue(ordinal), BlobValue(material.id),
       ToValue(material.key_store), BlobValue(material.ref.locator.bytes),
       ToValue(material.ref.algorithm), ToValue(material.current),
       ToValue(material.created), rotation ? ToValue(rotation->date) : Value(),
       rotation ? ToValue(RotationTypeName(rotation->type)) : Value(),
       OptionalBlobValue(material.public_key),
       wrapped ? BlobValue(wrapped->wrapping_key.bytes) : Value(),
       wrapped ? BlobValue(wrapped->bytes) : Value(),
       wrapped ? BlobValue(wrapped->check_value) : Value()}));
  return {};
}

base::Status SqlTransaction::AddMaterial(std::string_view key_id,
                                         const KeyMaterial& material) {
  if (!material.current) {
    return Error{ErrorCode::kInvalidArgument,
                 "store: a key's newest material is the current one"};
  }
  RETURN_IF_ERROR(TouchRowsOf(key_id));
  RETURN_IF_ERROR(
      connection_.RunOnOne("UPDATE key_materials SET is_current = 0 "
                           "WHERE key_id = $1 AND is_current = 1",
                           {ToValue(key_id)}, kNoKey));
  return AppendMaterial(key_id, material);
}

base::Status SqlTransaction::AppendMaterial(std::string_view key_id,
                                            const KeyMaterial& material) {
  ASSIGN_OR_RETURN(
      Rows rows, connection_.Query("SELECT COALESCE(MAX(ordinal) + 1, 0) FROM "
                                   "key_materials WHERE key_id = $1",
                                   {ToValue(key_id)}));
  Columns columns("key_materials", rows.at(0));
  const std::uint64_t ordinal = columns.Unsigned();
  RETURN_IF_ERROR(columns.Done());
  return InsertMaterial(key_id, ordinal, material);
}

base::Status SqlTransaction::InsertImportedMaterial(
    const Key& key, const KeyMaterial& material) {
  RETURN_IF_ERROR(TouchRowsOf(key.id));
  RETURN_IF_ERROR(AppendMaterial(key.id, material));
  RETURN_IF_ERROR(WriteImportTerms(connection_, key.row_id, material));
  return AwaitImports(connection_, key.id);
}

base::Status SqlTransaction::RotateToMaterial(std::string_view key_id,
                                              const MaterialId& material,
                                              const Rotation& rotation) {
  RETURN_IF_ERROR(TouchRowsOf(key_id));
  return MakeMaterialCurrent(connection_, key_id, material, rotation);
}

base::Status SqlTransaction::DeleteMaterial(std::string_view key_id,
                                            const MaterialId& material) {
  RETURN_IF_ERROR(TouchRowsOf(key_id));
  return RemoveMaterial(connection_, key_id, material);
}

base::Status SqlTransaction::MoveMaterial(std::string_view key_id,
                                          const KeyMaterial& material) {
  RETURN_IF_ERROR(TouchRowsOf(key_id));
  return store::MoveMaterial(connection_, key_id, material);
}

base::Status SqlTransaction::PutImportTerms(std::string_view row_id,
                                            const KeyMaterial& material) {
  touched_.keys.insert(std::string(row_id));
  return WriteImportTerms(connection_, row_id, material);
}

base::Result<std::vector<std::string>> SqlTransaction::GetImporters(
    const MaterialId& material) {
  return ReadImporters(connection_, material);
}

base::Status SqlTransaction::InsertImportPair(const ImportPair& pair) {
  return WriteImportPair(connection_, pair);
}

base::Result<std::optional<ImportPair>> SqlTransaction::ClaimImportPair(
    const ImportPair& terms) {
  return ClaimPair(connection_, terms);
}

base::Result<std::vector<ImportPair>> SqlTransaction::GetImportPairs(
    std::string_view row_id) {
  return ReadPairsOf(connection_, row_id);
}

base::Status SqlTransaction::DeleteImportPair(const hsm::Locator& locator) {
  return RemovePair(connection_, locator);
}

base::Status SqlTransaction::UpdateKey(const Key& key) {
  RETURN_IF_ERROR(CheckRow(key));
  RETURN_IF_ERROR(TouchRowsOf(key.id));
  RETURN_IF_ERROR(connection_.RunOnOne(
      "UPDATE keys SET account = $2, region = $3, description = $4, "
      "key_spec = $5, key_usage = $6, origin = $7, state = $8, created = $9, "
      "deletion_date = $10, multi_region_type = $11, pending_window = $12, "
      "destroying = $13, policy = $14, managing_service = $15, "
      "policy_principals = $16 WHERE id = $1",
      {ToValue(key.row_id), ToValue(key.account), ToValue(key.region),
       ToValue(key.description), ToValue(KeySpecName(key.spec)),
       ToValue(KeyUsageName(key.usage)), ToValue(OriginName(key.origin)),
       ToValue(KeyStateName(key.state)), ToValue(key.created),
       ToValue(key.deletion_date), MultiRegionTypeOf(key), PendingWindowOf(key),
       ToValue(key.destroying), ToValue(key.policy),
       ToValue(key.managing_service), PrincipalsOf(key.policy_principals)},
      kNoKey));
  // The keys of one id share these.
  return connection_.RunOnOne(
      "UPDATE keys SET rotation_period = $2, next_rotation = $3, "
      "on_demand_rotations = $4 WHERE key_id = $1",
      {ToValue(key.id), PeriodOf(key), NextRotationOf(key),
       ToValue(key.on_demand_rotations)},
      kNoKey);
}

base::Status SqlTransaction::DeleteKey(std::string_view row_id) {
  const std::string_view key_id = KeyIdOfRow(row_id);
  RETURN_IF_ERROR(TouchRowsOf(key_id));
  ASSIGN_OR_RETURN(const std::vector<Alias> aliases,
                   ReadAliasesOfKey(connection_, row_id));
  for (const Alias& alias : aliases) {
    touched_.aliases.insert(
        AliasCacheKey(alias.account, alias.region, alias.name));
  }
  // Reserved counters stay: a value handed out once is never handed out again,
  // whatever happens to the key.
  for (const std::string_view sql :
       {"DELETE FROM aliases WHERE key_id = $1",
        "DELETE FROM tags WHERE key_id = $1",
        "DELETE FROM certificates WHERE key_id = $1",
        "DELETE FROM grants WHERE key_id = $1",
        "DELETE FROM key_usages WHERE key_id = $1",
        "DELETE FROM imported_materials WHERE key_row_id = $1"}) {
    RETURN_IF_ERROR(connection_.Run(sql, {ToValue(row_id)}));
  }
  RETURN_IF_ERROR(connection_.RunOnOne("DELETE FROM keys WHERE id = $1",
                                       {ToValue(row_id)}, kNoKey));
  RETURN_IF_ERROR(
      connection_.Run("DELETE FROM key_materials WHERE key_id = $1 AND "
                      "NOT EXISTS (SELECT 1 FROM keys WHERE key_id = $1)",
                      {ToValue(key_id)}));
  return {};
}

base::Result<Alias> SqlTransaction::GetAlias(std::string_view account,
                                             std::string_view region,
                                             std::string_view name) {
  return ReadAlias(connection_, account, region, name);
}

base::Result<std::uint64_t> SqlTransaction::CountAliases(
    std::string_view row_id) {
  ASSIGN_OR_RETURN(Rows rows, connection_.Query("SELECT COUNT(*) FROM aliases "
                                                "WHERE key_id = $1",
                                                {ToValue(row_id)}));
  Columns columns("aliases", rows.at(0));
  const std::uint64_t count = columns.Unsigned();
  RETURN_IF_ERROR(columns.Done());
  return count;
}

base::Status SqlTransaction::InsertAlias(const Alias& alias) {
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO aliases (account, region, name, key_id, created, updated) "
      "VALUES ($1, $2, $3, $4, $5, $6)",
      {ToValue(alias.account), ToValue(alias.region), ToValue(alias.name),
       ToValue(alias.key_row_id), ToValue(alias.created),
       ToValue(alias.updated)}));
  touched_.aliases.insert(
      AliasCacheKey(alias.account, alias.region, alias.name));
  return {};
}

base::Status SqlTransaction::UpdateAlias(const Alias& alias) {
  touched_.aliases.insert(
      AliasCacheKey(alias.account, alias.region, alias.name));
  return connection_.RunOnOne(
      "UPDATE aliases SET key_id = $4, created = $5, updated = $6 "
      "WHERE account = $1 AND region = $2 AND name = $3",
      {ToValue(alias.account), ToValue(alias.region), ToValue(alias.name),
       ToValue(alias.key_row_id), ToValue(alias.created),
       ToValue(alias.updated)},
      kNoAlias);
}

base::Status SqlTransaction::DeleteAlias(const Alias& alias) {
  touched_.aliases.insert(
      AliasCacheKey(alias.account, alias.region, alias.name));
  return connection_.RunOnOne(
      "DELETE FROM aliases WHERE account = $1 AND region = $2 AND name = $3",
      {ToValue(alias.account), ToValue(alias.region), ToValue(alias.name)},
      kNoAlias);
}

base::Result<std::vector<Tag>> SqlTransaction::GetTags(
    std::string_view row_id) {
  return ReadTags(connection_, row_id);
}

base::Status SqlTransaction::PutTag(std::string_view row_id, const Tag& tag) {
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO tags (key_id, tag_key, tag_value, ordinal) "
      "VALUES ($1, $2, $3, (SELECT COALESCE(MAX(ordinal), 0) + 1 FROM tags "
      "WHERE key_id = $1)) "
      "ON CONFLICT (key_id, tag_key) DO UPDATE "
      "SET tag_value = excluded.tag_value",
      {ToValue(row_id), ToValue(tag.key), ToValue(tag.value)}));
  return {};
}

base::Status SqlTransaction::DeleteTag(std::string_view row_id,
                                       std::string_view tag_key) {
  RETURN_IF_ERROR(
      connection_.Run("DELETE FROM tags WHERE key_id = $1 AND tag_key = $2",
                      {ToValue(row_id), ToValue(tag_key)}));
  return {};
}

base::Status SqlTransaction::SetCertificates(
    std::string_view row_id, const std::vector<base::Bytes>& certificates) {
  RETURN_IF_ERROR(connection_.Run("DELETE FROM certificates WHERE key_id = $1",
                                  {ToValue(row_id)}));
  std::int64_t ordinal = 0;
  for (const base::Bytes& certificate : certificates) {
    RETURN_IF_ERROR(connection_.Run(
        "INSERT INTO certificates (key_id, ordinal, certificate) "
        "VALUES ($1, $2, $3)",
        {ToValue(row_id), ordinal, BlobValue(certificate)}));
    ++ordinal;
  }
  return {};
}

base::Result<Grant> SqlTransaction::GetGrant(std::string_view id) {
  return ReadGrant(connection_, id);
}

base::Result<std::uint64_t> SqlTransaction::CountGrants(
    std::string_view row_id) {
  return ReadGrantCount(connection_, row_id);
}

base::Result<std::optional<std::string>> SqlTransaction::FindSameGrant(
    const Grant& grant) {
  return ReadSameGrant(connection_, grant);
}

base::Status SqlTransaction::InsertGrant(const Grant& grant) {
  return WriteGrant(connection_, grant);
}

base::Status SqlTransaction::DeleteGrant(std::string_view id) {
  return connection_.RunOnOne("DELETE FROM grants WHERE id = $1", {ToValue(id)},
                              kNoGrant);
}

base::Status SqlTransaction::InsertIntent(const Intent& intent) {
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO intents (locator, key_store, kind, epoch, key_id) "
      "VALUES ($1, $2, $3, $4, $5)",
      {BlobValue(intent.locator.bytes), ToValue(intent.key_store),
       ToValue(IntentKindName(intent.kind)), ToValue(intent.epoch),
       ToValue(intent.key_id)}));
  return {};
}

base::Status SqlTransaction::DeleteIntent(const hsm::Locator& locator) {
  return connection_.RunOnOne("DELETE FROM intents WHERE locator = $1",
                              {BlobValue(locator.bytes)}, kNoIntent);
}

base::Status SqlTransaction::AbandonIntent(const hsm::Locator& locator) {
  return connection_.RunOnOne(
      "UPDATE intents SET epoch = 0 WHERE locator = $1 AND kind = $2",
      {BlobValue(locator.bytes), ToValue(IntentKindName(IntentKind::kCreate))},
      kNoIntent);
}

base::Status SqlTransaction::InsertServiceKey(const ServiceKey& key) {
  const auto& wrapped = key.ref.wrapped;
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO service_keys (purpose, key_store, locator, algorithm, "
      "check_value, wrapping_key, wrapped) VALUES ($1, $2, $3, $4, $5, $6, $7)",
      {ToValue(key.purpose), ToValue(key.key_store),
       BlobValue(key.ref.locator.bytes), ToValue(key.ref.algorithm),
       BlobValue(key.check_value),
       wrapped ? BlobValue(wrapped->wrapping_key.bytes) : Value(),
       wrapped ? BlobValue(wrapped->bytes) : Value()}));
  RETURN_IF_ERROR(
      connection_.Run("DELETE FROM service_keys_due WHERE purpose = $1",
                      {ToValue(key.purpose)}));
  return {};
}

base::Status SqlTransaction::PutKeyUsage(std::string_view row_id,
                                         const LastUse& usage) {
  ASSIGN_OR_RETURN(const Rows rows,
                   connection_.Query("SELECT id FROM keys WHERE id = $1",
                                     {ToValue(row_id)}));
  if (rows.empty()) {
    return {};
  }
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO key_usages (key_id, operation, principal, used, event_id, "
      "request_id) VALUES ($1, $2, $3, $4, $5, $6) "
      "ON CONFLICT (key_id, operation, principal) DO UPDATE "
      "SET used = excluded.used, event_id = excluded.event_id, "
      "request_id = excluded.request_id",
      {ToValue(row_id), ToValue(usage.operation), ToValue(usage.principal),
       ToValue(usage.time), ToValue(usage.event_id),
       ToValue(usage.request_id)}));
  return {};
}

base::Status SqlTransaction::TrimKeyUsages(std::string_view row_id, int most) {
  // Without so many uses there is no time to compare with, and none goes.
  RETURN_IF_ERROR(
      connection_.Run("DELETE FROM key_usages WHERE key_id = $1 AND used < "
                      "(SELECT used FROM key_usages WHERE key_id = $1 "
                      "ORDER BY used DESC LIMIT 1 OFFSET $2)",
                      {ToValue(row_id), std::int64_t{most} - 1}));
  return {};
}

base::Status SqlTransaction::SetUsageProgress(const UsageProgress& progress) {
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO usage_progress (singleton, log_sequence, complete) "
      "VALUES (1, $1, $2) ON CONFLICT (singleton) DO UPDATE "
      "SET log_sequence = excluded.log_sequence, complete = excluded.complete",
      {ToValue(progress.log_sequence), ToValue(progress.complete)}));
  return {};
}

base::Status SqlTransaction::AddOutbox(const OutboxEvent& event) {
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO outbox (event_id, ordinal, event) VALUES ($1, "
      "(SELECT COALESCE(MAX(ordinal), 0) + 1 FROM outbox), $2)",
      {ToValue(event.event_id), ToValue(event.text)}));
  return {};
}

base::Status SqlTransaction::SetClockProgress(const ClockProgress& progress) {
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO clock_progress (singleton, trusted) VALUES (1, $1) "
      "ON CONFLICT (singleton) DO UPDATE SET trusted = excluded.trusted",
      {ToValue(progress.trusted)}));
  return {};
}

base::Result<std::uint64_t> SqlTransaction::ReserveCounters(
    const MaterialId& material, std::uint64_t count) {
  if (count == 0 || count > kMaxReservation) {
    return Error{ErrorCode::kInvalidArgument,
                 "store: a reservation is of 1 to 2^32 counters"};
  }
  ASSIGN_OR_RETURN(
      Rows rows,
      connection_.Query(
          "INSERT INTO counters (material_id, reserved) VALUES ($1, $2) "
          "ON CONFLICT (material_id) DO UPDATE "
          "SET reserved = counters.reserved + excluded.reserved "
          "RETURNING reserved",
          {BlobValue(material), ToValue(count)}));
  Columns columns("counters", rows.at(0));
  const std::uint64_t reserved = columns.Unsigned();
  RETURN_IF_ERROR(columns.Done());
  if (reserved < count) {
    return Error{ErrorCode::kCorrupt,
                 "the store holds a counter that went backwards"};
  }
  if (reserved > kMaxReserved) {
    return Error{ErrorCode::kLimitExceeded,
                 "this key material has used up its counters: rotate the key"};
  }
  return reserved - count + 1;
}

}  // namespace kms::store
