// SPDX-License-Identifier: Apache-2.0
#include "kms/store/external_key_rows.h"

#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "kms/store/columns.h"
#include "kms/store/reads.h"
#include "kms/store/rows.h"

namespace kms::store {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kNoKey = "the store has no such external key";
constexpr std::string_view kNoCredential = "the store has no such credential";

// Far below what the column holds, so that a reservation cannot overflow it.
constexpr std::uint64_t kMaxReservation = std::uint64_t{1} << 32;

// One row a version: an answer of one moment.
constexpr std::string_view kSelectKeys =
    "SELECT k.tenant, k.id, k.enabled, k.created, v.version, v.key_store, "
    "v.locator, v.algorithm, v.check_value, v.created FROM external_keys k "
    "LEFT JOIN external_key_versions v ON v.tenant = k.tenant AND v.id = k.id ";
constexpr std::string_view kInOrder = "ORDER BY k.tenant, k.id, v.version";
constexpr std::string_view kSelectCredentials =
    "SELECT access_key_id, tenant, secret_nonce, secret_ciphertext, created "
    "FROM xks_credentials ";

// A key with one version.
ExternalKey TakeKey(Columns& columns) {
  ExternalKey key;
  key.tenant = columns.Text();
  key.id = columns.Text();
  key.enabled = columns.Flag();
  key.created = columns.Time();
  ExternalKeyVersion& version = key.versions.emplace_back();
  const std::uint64_t number = columns.Unsigned();
  columns.Require(number <= std::numeric_limits<std::uint32_t>::max());
  version.version = static_cast<std::uint32_t>(number);
  version.key_store = columns.Text();
  version.ref.locator.bytes = columns.Fixed<16>();
  version.ref.algorithm = columns.ExternalAlgorithm();
  version.check_value = columns.Fixed<32>();
  version.created = columns.Time();
  return key;
}

XksCredential TakeCredential(Columns& columns) {
  XksCredential credential;
  credential.access_key_id = columns.Text();
  credential.tenant = columns.Text();
  credential.sealed_secret.nonce = columns.Fixed<24>();
  credential.sealed_secret.ciphertext = columns.Blob();
  credential.created = columns.Time();
  return credential;
}

// Puts the versions of each key together. They are those from 1 on.
base::Result<std::vector<ExternalKey>> Join(
    base::Result<std::vector<ExternalKey>> rows) {
  RETURN_IF_ERROR(rows);
  std::vector<ExternalKey> keys;
  for (ExternalKey& row : *rows) {
    if (keys.empty() || keys.back().tenant != row.tenant ||
        keys.back().id != row.id) {
      keys.push_back(std::move(row));
    } else {
      keys.back().versions.push_back(std::move(row.versions.front()));
    }
    if (keys.back().versions.back().version != keys.back().versions.size()) {
      return Error{ErrorCode::kCorrupt,
                   "the versions of an external key in the store have gaps"};
    }
  }
  return keys;
}

base::Result<std::vector<ExternalKey>> ReadKeys(
    Connection& connection, std::string_view where,
    std::initializer_list<Value> values) {
  return Join(TakeAll(
      connection.Query(std::string(kSelectKeys).append(where).append(kInOrder),
                       values),
      "external_keys", TakeKey));
}

base::Status InsertVersion(Connection& connection, const ExternalKey& key,
                           const ExternalKeyVersion& version) {
  RETURN_IF_ERROR(connection.Run(
      "INSERT INTO external_key_versions (tenant, id, version, key_store, "
      "locator, algorithm, check_value, created, reserved_uses) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)",
      {ToValue(key.tenant), ToValue(key.id),
       ToValue(std::uint64_t{version.version}), ToValue(version.key_store),
       BlobValue(version.ref.locator.bytes), ToValue(version.ref.algorithm),
       BlobValue(version.check_value), ToValue(version.created)}));
  return {};
}

}  // namespace

base::Result<ExternalKeyRows> ReadExternalKeyRows(Connection& connection) {
  ExternalKeyRows rows;
  ASSIGN_OR_RETURN(const StoreInfo info, ReadStoreInfo(connection));
  rows.revision = info.revision;
  ASSIGN_OR_RETURN(rows.keys, ReadKeys(connection, "", {}));
  ASSIGN_OR_RETURN(rows.credentials,
                   TakeAll(connection.Query(std::string(kSelectCredentials) +
                                            "ORDER BY created, access_key_id"),
                           "xks_credentials", TakeCredential));
  return rows;
}

base::Result<ExternalKey> SqlExternalKeys::GetExternalKey(
    std::string_view tenant, std::string_view id) {
  ASSIGN_OR_RETURN(std::vector<ExternalKey> keys,
                   ReadKeys(connection_, "WHERE k.tenant = $1 AND k.id = $2 ",
                            {ToValue(tenant), ToValue(id)}));
  if (keys.empty()) {
    return Error{ErrorCode::kNotFound, std::string(kNoKey)};
  }
  return std::move(keys.front());
}

base::Status SqlExternalKeys::InsertExternalKey(const ExternalKey& key) {
  if (key.versions.size() != 1 || key.versions.front().version != 1) {
    return Error{ErrorCode::kInvalidArgument,
                 "store: a new external key has the version 1"};
  }
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO external_keys (tenant, id, enabled, created) "
      "VALUES ($1, $2, $3, $4)",
      {ToValue(key.tenant), ToValue(key.id), ToValue(key.enabled),
       ToValue(key.created)}));
  return InsertVersion(connection_, key, key.versions.front());
}

base::Status SqlExternalKeys::SetExternalKeyEnabled(std::string_view tenant,
                                                    std::string_view id,
                                                    bool enabled) {
  return connection_.RunOnOne(
      "UPDATE external_keys SET enabled = $3 WHERE tenant = $1 AND id = $2",
      {ToValue(tenant), ToValue(id), ToValue(enabled)}, kNoKey);
}

base::Status SqlExternalKeys::AddVersion(std::string_view tenant,
                                         std::string_view id,
                                         const ExternalKeyVersion& version) {
  ASSIGN_OR_RETURN(const ExternalKey key, GetExternalKey(tenant, id));
  const std::uint32_t newest = key.versions.back().version;
  if (version.version <= newest) {
    return Error{ErrorCode::kConflict,
                 "store: the external key has got this version meanwhile"};
  }
  if (version.version != newest + 1) {
    return Error{ErrorCode::kInvalidArgument,
                 "store: versions of an external key have no gaps"};
  }
  return InsertVersion(connection_, key, version);
}

base::Result<std::vector<XksCredential>> SqlExternalKeys::GetXksCredentials(
    std::string_view tenant) {
  return TakeAll(
      connection_.Query(std::string(kSelectCredentials) +
                            "WHERE tenant = $1 ORDER BY created, access_key_id",
                        {ToValue(tenant)}),
      "xks_credentials", TakeCredential);
}

base::Status SqlExternalKeys::InsertXksCredential(
    const XksCredential& credential) {
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO xks_credentials (access_key_id, tenant, secret_nonce, "
      "secret_ciphertext, created) VALUES ($1, $2, $3, $4, $5)",
      {ToValue(credential.access_key_id), ToValue(credential.tenant),
       BlobValue(credential.sealed_secret.nonce),
       BlobValue(credential.sealed_secret.ciphertext),
       ToValue(credential.created)}));
  return {};
}

base::Status SqlExternalKeys::DeleteXksCredential(
    std::string_view access_key_id) {
  return connection_.RunOnOne(
      "DELETE FROM xks_credentials WHERE access_key_id = $1",
      {ToValue(access_key_id)}, kNoCredential);
}

base::Result<std::uint64_t> SqlExternalKeys::ReserveUses(
    const hsm::Locator& version, std::uint64_t count) {
  if (count == 0 || count > kMaxReservation) {
    return Error{ErrorCode::kInvalidArgument,
                 "store: a reservation is of 1 to 2^32 uses"};
  }
  ASSIGN_OR_RETURN(
      Rows rows, connection_.Query("UPDATE external_key_versions SET "
                                   "reserved_uses = reserved_uses + $2 "
                                   "WHERE locator = $1 "
                                   "RETURNING reserved_uses",
                                   {BlobValue(version.bytes), ToValue(count)}));
  if (rows.empty()) {
    return Error{ErrorCode::kNotFound, std::string(kNoKey)};
  }
  Columns columns("external_key_versions", rows.front());
  const std::uint64_t reserved = columns.Unsigned();
  RETURN_IF_ERROR(columns.Done());
  if (reserved < count) {
    return Error{ErrorCode::kCorrupt,
                 "the store holds a number of uses that went backwards"};
  }
  return reserved - count;
}

}  // namespace kms::store
