// SPDX-License-Identifier: Apache-2.0
#include "kms/store/reads.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "base/hash.h"
#include "kms/ciphertext.h"
#include "kms/key_id.h"
#include "kms/key_spec.h"
#include "kms/store/columns.h"
#include "kms/store/identity_rows.h"
#include "kms/store/migrations.h"
#include "kms/store/rows.h"
#include "kms/store/schema.h"

namespace kms::store {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::array kIntentKinds = {
    std::pair{IntentKind::kCreate, std::string_view("create")},
    std::pair{IntentKind::kDestroy, std::string_view("destroy")},
};

constexpr std::size_t kKeyColumns = 23;
constexpr std::size_t kMaterialColumns = 15;
constexpr std::string_view kSelectKey =
    "SELECT k.id, k.key_id, k.account, k.region, k.description, k.key_spec, "
    "k.key_usage, k.origin, k.state, k.created, k.deletion_date, "
    "k.multi_region_type, k.pending_window, k.destroying, k.policy, "
    "k.rotation_period, k.next_rotation, k.on_demand_rotations, "
    "k.managing_service, k.policy_principals, k.custom_key_store, "
    "k.xks_key_id, k.key_store, "
    "m.material_id, m.locator, m.algorithm, m.key_store, m.is_current, "
    "m.created, m.rotation_date, m.rotation_type, m.public_key, "
    "m.wrapping_key, m.wrapped, m.check_value, i.imported, "
    "i.valid_to, i.description "
    "FROM keys k LEFT JOIN key_materials m ON m.key_id = k.key_id "
    "LEFT JOIN imported_materials i ON i.key_row_id = k.id AND "
    "i.material_id = m.material_id "
    "WHERE k.id = $1 ORDER BY m.ordinal";

std::optional<RotationSchedule> TakeSchedule(Columns& columns) {
  const std::optional<std::int64_t> period = columns.OptionalInteger();
  const std::optional<base::WallTime> next = columns.OptionalTime();
  columns.Require(period.has_value() == next.has_value() &&
                  period.value_or(1) > 0);
  if (!period || !next) {
    return std::nullopt;
  }
  return RotationSchedule{*period, *next};
}

std::optional<Rotation> TakeRotation(Columns& columns) {
  const std::optional<base::WallTime> date = columns.OptionalTime();
  const std::optional<RotationType> type =
      columns.OptionalWord(ParseRotationType);
  columns.Require(date.has_value() == type.has_value());
  if (!date || !type) {
    return std::nullopt;
  }
  return Rotation{*date, *type};
}

// NULL is kNone, which has no word.
MultiRegionType TakeMultiRegionType(Columns& columns) {
  return columns.OptionalWord(ParseMultiRegionType)
      .value_or(MultiRegionType::kNone);
}

Key TakeKey(Columns& columns) {
  Key key;
  key.row_id = columns.Text();
  key.id = columns.Text();
  key.account = columns.Text();
  key.region = columns.Text();
  key.description = columns.Text();
  key.spec = columns.Word(ParseKeySpec);
  key.usage = columns.Word(ParseKeyUsage);
  key.origin = columns.Word(ParseOrigin);
  key.state = columns.Word(ParseKeyState);
  key.created = columns.Time();
  key.deletion_date = columns.OptionalTime();
  key.multi_region = TakeMultiRegionType(columns);
  key.pending_window_days = columns.OptionalInteger();
  key.destroying = columns.Flag();
  key.policy = columns.Text();
  key.rotation = TakeSchedule(columns);
  key.on_demand_rotations = columns.Unsigned();
  key.managing_service = columns.Text();
  key.policy_principals = TakePrincipals(columns);
  key.custom_key_store = columns.Text();
  key.xks_key_id = columns.Text();
  key.key_store = columns.Text();
  columns.Require((key.origin == Origin::kExternalKeyStore) !=
                  key.xks_key_id.empty());
  columns.Require(key.row_id == KeyRowId(key.id, key.region) &&
                  key.IsMultiRegion() == IsMultiRegionKeyId(key.id) &&
                  key.pending_window_days.has_value() ==
                      (key.state == KeyState::kPendingReplicaDeletion));
  return key;
}

std::optional<Import> TakeImport(Columns& columns) {
  const std::optional<std::int64_t> imported = columns.OptionalInteger();
  if (!imported) {
    columns.Skip(2);
    return std::nullopt;
  }
  Import import;
  import.imported = *imported == 1;
  import.valid_to = columns.OptionalTime();
  import.description = columns.Text();
  columns.Require(*imported == 0 || *imported == 1);
  return import;
}

bool IsNull(const Row& row, std::size_t column) {
  return column < row.size() && row[column] == Value();
}

std::shared_ptr<const hsm::WrappedKey> TakeWrapped(
    Columns& columns, const base::Bytes& public_key) {
  const auto wrapping_key = columns.OptionalFixed<16>();
  hsm::WrappedKey wrapped;
  wrapped.bytes = columns.OptionalBlob();
  const auto check_value = columns.OptionalFixed<32>();
  columns.Require(wrapping_key.has_value() == check_value.has_value() &&
                  wrapping_key.has_value() != wrapped.bytes.empty());
  if (!wrapping_key || !check_value) {
    return nullptr;
  }
  wrapped.wrapping_key.bytes = *wrapping_key;
  wrapped.check_value = *check_value;
  wrapped.public_key = public_key;
  return std::make_shared<const hsm::WrappedKey>(std::move(wrapped));
}

KeyMaterial TakeMaterial(Columns& columns) {
  KeyMaterial material;
  material.id = columns.Fixed<32>();
  material.ref.locator.bytes = columns.Fixed<16>();
  material.ref.algorithm = columns.Algorithm();
  material.key_store = columns.Text();
  material.current = columns.Flag();
  material.created = columns.Time();
  material.rotation = TakeRotation(columns);
  material.public_key = columns.OptionalBlob();
  material.ref.wrapped = TakeWrapped(columns, material.public_key);
  material.import = TakeImport(columns);
  return material;
}

Alias TakeAlias(Columns& columns) {
  Alias alias;
  alias.account = columns.Text();
  alias.region = columns.Text();
  alias.name = columns.Text();
  alias.key_row_id = columns.Text();
  alias.created = columns.Time();
  alias.updated = columns.Time();
  return alias;
}

Tag TakeTag(Columns& columns) {
  Tag tag;
  tag.key = columns.Text();
  tag.value = columns.Text();
  return tag;
}

RelatedKey TakeRelatedKey(Columns& columns) {
  RelatedKey key;
  key.row_id = columns.Text();
  key.region = columns.Text();
  key.type = TakeMultiRegionType(columns);
  key.state = columns.Word(ParseKeyState);
  key.destroying = columns.Flag();
  return key;
}

std::string TakeText(Columns& columns) { return columns.Text(); }

base::Bytes TakeBlob(Columns& columns) { return columns.Blob(); }

hsm::Locator TakeLocator(Columns& columns) { return {columns.Fixed<16>()}; }

Intent TakeIntent(Columns& columns) {
  Intent intent;
  intent.locator = TakeLocator(columns);
  intent.key_store = columns.Text();
  intent.kind = columns.Word(ParseIntentKind);
  intent.epoch = columns.Unsigned();
  intent.key_id = columns.Text();
  return intent;
}

ServiceKey TakeServiceKey(Columns& columns) {
  ServiceKey key;
  key.purpose = columns.Text();
  key.key_store = columns.Text();
  key.ref.locator = TakeLocator(columns);
  key.ref.algorithm = columns.ServiceAlgorithm();
  key.check_value = columns.Fixed<32>();
  const auto wrapping_key = columns.OptionalFixed<16>();
  base::Bytes wrapped = columns.OptionalBlob();
  columns.Require(wrapping_key.has_value() != wrapped.empty());
  if (wrapping_key) {
    key.ref.wrapped = std::make_shared<const hsm::WrappedKey>(
        hsm::WrappedKey{.wrapping_key = {*wrapping_key},
                        .bytes = std::move(wrapped),
                        .check_value = key.check_value,
                        .public_key = {}});
  }
  return key;
}

OutboxEvent TakeOutboxEvent(Columns& columns) {
  OutboxEvent event;
  event.event_id = columns.Text();
  event.text = columns.Text();
  return event;
}

StoreInfo TakeStoreInfo(Columns& columns) {
  StoreInfo info;
  info.id = columns.Text();
  info.epoch = columns.Unsigned();
  info.revision = columns.Unsigned();
  return info;
}

LastUse TakeKeyUsage(Columns& columns) {
  LastUse usage;
  usage.operation = columns.Text();
  usage.principal = columns.Text();
  usage.time = columns.Time();
  usage.event_id = columns.Text();
  usage.request_id = columns.Text();
  return usage;
}

UsageProgress TakeUsageProgress(Columns& columns) {
  UsageProgress progress;
  progress.log_sequence = columns.Unsigned();
  progress.complete = columns.Flag();
  return progress;
}

base::WallTime TakeTime(Columns& columns) { return columns.Time(); }

ClockProgress TakeClockProgress(Columns& columns) { return {columns.Time()}; }

// Of a wrapped one, the worker checks that it is what the row says; this is
// whether the row is one of that key.
bool IsItsOwn(const Key& key, const KeyMaterial& material) {
  const auto id = ParseKeyId(key.id);
  return material.ref.wrapped == nullptr ||
         (id &&
          material.id == MakeMaterialId(*id, material.ref.wrapped->check_value,
                                        base::ThreadHasher()));
}

// A key is of a kind that there is, and so is each of its materials; a public
// key is there exactly if it is one half of a pair.
bool IsConsistent(const Key& key) {
  const KeyKind* const kind = FindKeyKind(key.spec, key.usage);
  return kind != nullptr &&
         std::ranges::all_of(key.materials, [&](const KeyMaterial& material) {
           return FitsKind(*kind, material.ref.algorithm) &&
                  IsItsOwn(key, material) &&
                  material.public_key.empty() != IsKeyPair(key.spec) &&
                  material.import.has_value() ==
                      (key.origin == Origin::kExternal);
         });
}

// One is current. Of a key whose material is imported, it is the last one, or
// the last but one; or there is none at all yet.
bool HasRightOrder(const Key& key) {
  const auto current =
      std::ranges::find(key.materials, true, &KeyMaterial::current);
  if (key.origin == Origin::kExternal && key.materials.empty()) {
    return key.state != KeyState::kEnabled;
  }
  if (std::ranges::count(key.materials, true, &KeyMaterial::current) != 1) {
    return false;
  }
  const auto after = key.materials.end() - current;
  return after == 1 || (key.origin == Origin::kExternal && after == 2);
}

}  // namespace

base::Result<Key> ReadKey(Connection& connection, std::string_view row_id) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query(kSelectKey, {ToValue(row_id)}));
  if (rows.empty()) {
    return Error{ErrorCode::kNotFound, "the store has no key with this id"};
  }
  Key key;
  for (Row& row : rows) {
    Columns columns("keys", row);
    if (key.materials.empty()) {
      key = TakeKey(columns);
    } else {
      columns.Skip(kKeyColumns);
    }
    if (IsNull(row, kKeyColumns)) {  // No material at all.
      columns.Skip(kMaterialColumns);
    } else {
      key.materials.push_back(TakeMaterial(columns));
    }
    RETURN_IF_ERROR(columns.Done());
  }
  if (!HasRightOrder(key)) {
    return Error{ErrorCode::kCorrupt,
                 "a key in the store does not have exactly one current "
                 "material: restore the newest backup"};
  }
  if (!IsConsistent(key)) {
    return Error{ErrorCode::kCorrupt,
                 "a key in the store and its material are of different kinds: "
                 "restore the newest backup"};
  }
  return key;
}

base::Result<std::vector<RelatedKey>> ReadRelatedKeys(Connection& connection,
                                                      std::string_view key_id) {
  constexpr std::string_view kSelect =
      "SELECT id, region, multi_region_type, state, destroying FROM keys "
      "WHERE key_id = $1 ORDER BY region";
  return TakeAll(connection.Query(kSelect, {ToValue(key_id)}), "keys",
                 TakeRelatedKey);
}

base::Result<Alias> ReadAlias(Connection& connection, std::string_view account,
                              std::string_view region, std::string_view name) {
  constexpr std::string_view kSelect =
      "SELECT account, region, name, key_id, created, updated FROM aliases "
      "WHERE account = $1 AND region = $2 AND name = $3";
  ASSIGN_OR_RETURN(
      std::vector<Alias> found,
      TakeAll(connection.Query(
                  kSelect, {ToValue(account), ToValue(region), ToValue(name)}),
              "aliases", TakeAlias));
  if (found.empty()) {
    return Error{ErrorCode::kNotFound, "the store has no alias of this name"};
  }
  return std::move(found.front());
}

base::Result<std::vector<Alias>> ReadAliasesOfKey(Connection& connection,
                                                  std::string_view row_id) {
  constexpr std::string_view kSelect =
      "SELECT account, region, name, key_id, created, updated FROM aliases "
      "WHERE key_id = $1 ORDER BY name";
  return TakeAll(connection.Query(kSelect, {ToValue(row_id)}), "aliases",
                 TakeAlias);
}

base::Result<std::vector<Tag>> ReadTags(Connection& connection,
                                        std::string_view row_id) {
  constexpr std::string_view kSelect =
      "SELECT tag_key, tag_value FROM tags WHERE key_id = $1 ORDER BY ordinal";
  return TakeAll(connection.Query(kSelect, {ToValue(row_id)}), "tags", TakeTag);
}

base::Result<std::vector<base::Bytes>> ReadCertificates(
    Connection& connection, std::string_view row_id) {
  constexpr std::string_view kSelect =
      "SELECT certificate FROM certificates WHERE key_id = $1 ORDER BY ordinal";
  return TakeAll(connection.Query(kSelect, {ToValue(row_id)}), "certificates",
                 TakeBlob);
}

base::Result<Page<std::string>> ReadKeyPage(Connection& connection,
                                            const Listing& listing) {
  constexpr std::string_view kSelect =
      "SELECT key_id FROM keys WHERE account = $1 AND region = $2 "
      "AND key_id > $3 ORDER BY key_id LIMIT $4";
  RETURN_IF_ERROR(CheckLimit(listing.limit));
  return ToPage(
      TakeAll(connection.Query(
                  kSelect,
                  {ToValue(listing.account), ToValue(listing.region),
                   ToValue(listing.after), std::int64_t{listing.limit} + 1}),
              "keys", TakeText),
      listing.limit);
}

base::Result<Page<Alias>> ReadAliasPage(Connection& connection,
                                        const Listing& listing) {
  constexpr std::string_view kSelectAll =
      "SELECT account, region, name, key_id, created, updated FROM aliases "
      "WHERE account = $1 AND region = $2 AND name > $3 "
      "ORDER BY name LIMIT $4";
  constexpr std::string_view kSelectOfKey =
      "SELECT account, region, name, key_id, created, updated FROM aliases "
      "WHERE account = $1 AND region = $2 AND name > $3 AND key_id = $5 "
      "ORDER BY name LIMIT $4";
  RETURN_IF_ERROR(CheckLimit(listing.limit));
  std::vector<Value> values = {ToValue(listing.account),
                               ToValue(listing.region), ToValue(listing.after),
                               std::int64_t{listing.limit} + 1};
  if (!listing.row_id.empty()) {
    values.push_back(ToValue(listing.row_id));
  }
  return ToPage(
      TakeAll(connection.Query(
                  listing.row_id.empty() ? kSelectAll : kSelectOfKey, values),
              "aliases", TakeAlias),
      listing.limit);
}

base::Result<std::vector<std::string>> ReadDueDeletions(Connection& connection,
                                                        base::WallTime now) {
  constexpr std::string_view kSelect =
      "SELECT id FROM keys WHERE destroying = 1 OR "
      "(deletion_date IS NOT NULL AND deletion_date <= $1) ORDER BY id";
  return TakeAll(connection.Query(kSelect, {ToValue(now)}), "keys", TakeText);
}

base::Result<std::vector<std::string>> ReadDueRotations(Connection& connection,
                                                        base::WallTime now,
                                                        int limit) {
  constexpr std::string_view kSelect =
      "SELECT id FROM keys WHERE state = $1 AND next_rotation <= $2 "
      "AND (multi_region_type IS NULL OR multi_region_type = $4) "
      "ORDER BY next_rotation, id LIMIT $3";
  RETURN_IF_ERROR(CheckLimit(limit));
  return TakeAll(
      connection.Query(
          kSelect, {ToValue(KeyStateName(KeyState::kEnabled)), ToValue(now),
                    std::int64_t{limit},
                    ToValue(MultiRegionTypeName(MultiRegionType::kPrimary))}),
      "keys", TakeText);
}

base::Result<std::vector<hsm::Locator>> ReadLocators(
    Connection& connection, std::string_view key_store) {
  constexpr std::string_view kSelect =
      "SELECT locator FROM key_materials m WHERE key_store = $1 AND "
      "wrapped IS NULL AND "
      "(NOT EXISTS (SELECT 1 FROM imported_materials i "
      "WHERE i.material_id = m.material_id) OR "
      "EXISTS (SELECT 1 FROM imported_materials i "
      "WHERE i.material_id = m.material_id AND i.imported = 1)) "
      "UNION ALL SELECT locator FROM import_pairs WHERE key_store = $1 "
      "UNION ALL SELECT locator FROM external_key_versions "
      "WHERE key_store = $1 "
      "UNION ALL SELECT locator FROM service_keys WHERE key_store = $1 "
      "AND wrapped IS NULL";
  return TakeAll(connection.Query(kSelect, {ToValue(key_store)}),
                 "key_materials", TakeLocator);
}

base::Result<bool> ReadHasWrappedMaterials(Connection& connection,
                                           std::string_view key_store) {
  ASSIGN_OR_RETURN(const Rows rows,
                   connection.Query("SELECT 1 FROM key_materials "
                                    "WHERE key_store = $1 AND wrapped IS NOT "
                                    "NULL LIMIT 1",
                                    {ToValue(key_store)}));
  return !rows.empty();
}

base::Result<std::vector<Intent>> ReadIntents(Connection& connection) {
  return TakeAll(
      connection.Query("SELECT locator, key_store, kind, epoch, key_id FROM "
                       "intents ORDER BY epoch, locator"),
      "intents", TakeIntent);
}

base::Result<std::vector<ServiceKey>> ReadServiceKeys(Connection& connection) {
  return TakeAll(
      connection.Query("SELECT purpose, key_store, locator, algorithm, "
                       "check_value, wrapping_key, wrapped FROM service_keys "
                       "ORDER BY purpose"),
      "service_keys", TakeServiceKey);
}

base::Result<std::vector<std::string>> ReadServiceKeysDue(
    Connection& connection) {
  return TakeAll(connection.Query("SELECT purpose FROM service_keys_due "
                                  "ORDER BY purpose"),
                 "service_keys_due", TakeText);
}

base::Result<std::vector<OutboxEvent>> ReadOutbox(Connection& connection) {
  return TakeAll(
      connection.Query("SELECT event_id, event FROM outbox ORDER BY ordinal"),
      "outbox", TakeOutboxEvent);
}

base::Result<std::optional<ClockProgress>> ReadClockProgress(
    Connection& connection) {
  ASSIGN_OR_RETURN(
      const std::vector<ClockProgress> found,
      TakeAll(connection.Query("SELECT trusted FROM clock_progress"),
              "clock_progress", TakeClockProgress));
  return found.empty() ? std::nullopt : std::optional(found.front());
}

base::Result<std::vector<LastUse>> ReadKeyUsages(Connection& connection,
                                                 std::string_view row_id,
                                                 int limit) {
  constexpr std::string_view kSelect =
      "SELECT operation, principal, used, event_id, request_id "
      "FROM key_usages WHERE key_id = $1 ORDER BY used DESC LIMIT $2";
  RETURN_IF_ERROR(CheckLimit(limit));
  return TakeAll(
      connection.Query(kSelect, {ToValue(row_id), std::int64_t{limit}}),
      "key_usages", TakeKeyUsage);
}

base::Result<std::optional<UsageProgress>> ReadUsageProgress(
    Connection& connection) {
  ASSIGN_OR_RETURN(
      const std::vector<UsageProgress> found,
      TakeAll(
          connection.Query("SELECT log_sequence, complete FROM usage_progress"),
          "usage_progress", TakeUsageProgress));
  return found.empty() ? std::nullopt : std::optional(found.front());
}

base::Result<base::WallTime> ReadKeyUsageSince(Connection& connection) {
  // Its number may not be what it was elsewhere; its text is.
  const std::string checksum = Migration{0, kSchemaKeyUsage}.Checksum();
  ASSIGN_OR_RETURN(
      const std::vector<base::WallTime> found,
      TakeAll(connection.Query("SELECT applied_at FROM schema_migrations "
                               "WHERE checksum = $1",
                               {ToValue(checksum)}),
              "schema_migrations", TakeTime));
  if (found.empty()) {
    return Error{ErrorCode::kCorrupt,
                 "the store does not say when it began to keep uses of keys"};
  }
  return found.front();
}

base::Result<StoreInfo> ReadStoreInfo(Connection& connection) {
  ASSIGN_OR_RETURN(
      std::vector<StoreInfo> found,
      TakeAll(
          connection.Query("SELECT store_id, epoch, revision FROM store_info"),
          "store_info", TakeStoreInfo));
  if (found.empty()) {
    return Error{ErrorCode::kNotFound, "the store has no identity yet"};
  }
  return std::move(found.front());
}

std::string_view IntentKindName(IntentKind kind) {
  for (const auto& [value, name] : kIntentKinds) {
    if (value == kind) {
      return name;
    }
  }
  std::abort();  // An enumerator without a name: a bug, not an input.
}

std::optional<IntentKind> ParseIntentKind(std::string_view name) {
  for (const auto& [value, known] : kIntentKinds) {
    if (known == name) {
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace kms::store
