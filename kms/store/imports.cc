// SPDX-License-Identifier: Apache-2.0
#include "kms/store/imports.h"

#include <string>
#include <utility>

#include "kms/store/columns.h"
#include "kms/store/rows.h"

namespace kms::store {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kNoMaterial =
    "the store has no such material of this key";
constexpr std::string_view kNoPair =
    "the store has no wrapping pair with this locator";

std::string TakeRowId(Columns& columns) { return columns.Text(); }

DueMaterial TakeDueMaterial(Columns& columns) {
  DueMaterial due;
  due.row_id = columns.Text();
  due.material = columns.Fixed<32>();
  return due;
}

constexpr std::string_view kSelectPair =
    "SELECT locator, algorithm, key_store, public_key, created, key_row_id, "
    "wrapping_algorithm, valid_to FROM import_pairs ";

// Of a pair that nobody has asked for yet the last three are NULL.
ImportPair TakePair(Columns& columns) {
  ImportPair pair;
  pair.ref.locator.bytes = columns.Fixed<16>();
  pair.ref.algorithm = columns.PairAlgorithm();
  pair.key_store = columns.Text();
  pair.public_key = columns.Blob();
  pair.created = columns.Time();
  pair.key_row_id = columns.OptionalText();
  pair.wrapping = columns.OptionalWord(ParseWrappingAlgorithm);
  pair.valid_to = columns.OptionalTime();
  columns.Require(pair.key_row_id.empty() != pair.valid_to.has_value() &&
                  pair.wrapping.has_value() == pair.valid_to.has_value());
  return pair;
}

ImportPairStock TakeStock(Columns& columns) {
  ImportPairStock stock;
  stock.algorithm = columns.PairAlgorithm();
  stock.waiting = columns.Unsigned();
  stock.open = columns.Unsigned();
  return stock;
}

}  // namespace

base::Status WriteImportTerms(Connection& connection, std::string_view row_id,
                              const KeyMaterial& material) {
  if (!material.import) {
    return Error{ErrorCode::kInvalidArgument,
                 "store: only imported material has terms"};
  }
  const Import& import = *material.import;
  RETURN_IF_ERROR(connection.Run(
      "INSERT INTO imported_materials (key_row_id, material_id, imported, "
      "valid_to, description) VALUES ($1, $2, $3, $4, $5) "
      "ON CONFLICT (key_row_id, material_id) DO UPDATE "
      "SET imported = excluded.imported, valid_to = excluded.valid_to, "
      "description = excluded.description",
      {ToValue(row_id), BlobValue(material.id), ToValue(import.imported),
       ToValue(import.valid_to), ToValue(import.description)}));
  return {};
}

base::Status AwaitImports(Connection& connection, std::string_view key_id) {
  RETURN_IF_ERROR(connection.Run(
      "INSERT INTO imported_materials (key_row_id, material_id, imported, "
      "valid_to, description) "
      "SELECT k.id, m.material_id, 0, NULL, '' FROM keys k "
      "JOIN key_materials m ON m.key_id = k.key_id "
      "WHERE k.key_id = $1 AND k.origin = $2 AND NOT EXISTS "
      "(SELECT 1 FROM imported_materials i WHERE i.key_row_id = k.id AND "
      "i.material_id = m.material_id)",
      {ToValue(key_id), ToValue(OriginName(Origin::kExternal))}));
  return {};
}

base::Result<std::vector<std::string>> ReadImporters(
    Connection& connection, const MaterialId& material) {
  return TakeAll(connection.Query("SELECT key_row_id FROM imported_materials "
                                  "WHERE material_id = $1 AND imported = 1 "
                                  "ORDER BY key_row_id",
                                  {BlobValue(material)}),
                 "imported_materials", TakeRowId);
}

base::Status MoveMaterial(Connection& connection, std::string_view key_id,
                          const KeyMaterial& material) {
  const auto& wrapped = material.ref.wrapped;
  return connection.RunOnOne(
      "UPDATE key_materials SET key_store = $3, locator = $4, algorithm = $5, "
      "wrapping_key = $6, wrapped = $7, check_value = $8 "
      "WHERE key_id = $1 AND material_id = $2",
      {ToValue(key_id), BlobValue(material.id), ToValue(material.key_store),
       BlobValue(material.ref.locator.bytes), ToValue(material.ref.algorithm),
       wrapped ? BlobValue(wrapped->wrapping_key.bytes) : Value(),
       wrapped ? BlobValue(wrapped->bytes) : Value(),
       wrapped ? BlobValue(wrapped->check_value) : Value()},
      kNoMaterial);
}

base::Status RemoveMaterial(Connection& connection, std::string_view key_id,
                            const MaterialId& material) {
  RETURN_IF_ERROR(
      connection.Run("DELETE FROM imported_materials WHERE material_id = $1",
                     {BlobValue(material)}));
  return connection.RunOnOne(
      "DELETE FROM key_materials WHERE key_id = $1 AND "
      "material_id = $2 AND is_current = 0",
      {ToValue(key_id), BlobValue(material)}, kNoMaterial);
}

base::Status MakeMaterialCurrent(Connection& connection,
                                 std::string_view key_id,
                                 const MaterialId& material,
                                 const Rotation& rotation) {
  RETURN_IF_ERROR(
      connection.Run("UPDATE key_materials SET is_current = 0 "
                     "WHERE key_id = $1 AND is_current = 1",
                     {ToValue(key_id)}));
  return connection.RunOnOne(
      "UPDATE key_materials SET is_current = 1, "
      "rotation_date = $3, rotation_type = $4 "
      "WHERE key_id = $1 AND material_id = $2",
      {ToValue(key_id), BlobValue(material), ToValue(rotation.date),
       ToValue(RotationTypeName(rotation.type))},
      kNoMaterial);
}

base::Result<std::vector<DueMaterial>> ReadDueMaterials(Connection& connection,
                                                        base::WallTime now) {
  return TakeAll(
      connection.Query("SELECT key_row_id, material_id FROM imported_materials "
                       "WHERE imported = 1 AND valid_to <= $1 "
                       "ORDER BY valid_to, material_id",
                       {ToValue(now)}),
      "imported_materials", TakeDueMaterial);
}

base::Status WriteImportPair(Connection& connection, const ImportPair& pair) {
  RETURN_IF_ERROR(connection.Run(
      "INSERT INTO import_pairs (locator, algorithm, key_store, public_key, "
      "created) VALUES ($1, $2, $3, $4, $5)",
      {BlobValue(pair.ref.locator.bytes), ToValue(pair.ref.algorithm),
       ToValue(pair.key_store), BlobValue(pair.public_key),
       ToValue(pair.created)}));
  return {};
}

base::Result<std::optional<ImportPair>> ClaimPair(Connection& connection,
                                                  const ImportPair& terms) {
  if (!terms.wrapping || !terms.valid_to || terms.key_row_id.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "store: a wrapping pair is given out for a key and a time"};
  }
  ASSIGN_OR_RETURN(
      std::vector<ImportPair> waiting,
      TakeAll(connection.Query(
                  std::string(kSelectPair) +
                      "WHERE algorithm = $1 AND key_store = $2 AND "
                      "key_row_id IS NULL ORDER BY created, locator LIMIT 1",
                  {ToValue(terms.ref.algorithm), ToValue(terms.key_store)}),
              "import_pairs", TakePair));
  if (waiting.empty()) {
    return std::optional<ImportPair>();
  }
  ImportPair pair = std::move(waiting.front());
  pair.key_row_id = terms.key_row_id;
  pair.wrapping = terms.wrapping;
  pair.valid_to = terms.valid_to;
  RETURN_IF_ERROR(connection.RunOnOne(
      "UPDATE import_pairs SET key_row_id = $2, wrapping_algorithm = $3, "
      "valid_to = $4 WHERE locator = $1",
      {BlobValue(pair.ref.locator.bytes), ToValue(pair.key_row_id),
       ToValue(WrappingAlgorithmName(*pair.wrapping)), ToValue(*pair.valid_to)},
      kNoPair));
  return std::optional<ImportPair>(std::move(pair));
}

base::Result<std::vector<ImportPair>> ReadPairsOf(Connection& connection,
                                                  std::string_view row_id) {
  return TakeAll(connection.Query(std::string(kSelectPair) +
                                      "WHERE key_row_id = $1 "
                                      "ORDER BY valid_to, created, locator",
                                  {ToValue(row_id)}),
                 "import_pairs", TakePair);
}

base::Result<std::vector<ImportPair>> ReadExpiredPairs(Connection& connection,
                                                       base::WallTime now) {
  return TakeAll(connection.Query(std::string(kSelectPair) +
                                      "WHERE valid_to <= $1 ORDER BY valid_to",
                                  {ToValue(now)}),
                 "import_pairs", TakePair);
}

base::Result<ImportPair> ReadPair(Connection& connection,
                                  const hsm::Locator& locator) {
  ASSIGN_OR_RETURN(
      std::vector<ImportPair> found,
      TakeAll(connection.Query(std::string(kSelectPair) + "WHERE locator = $1",
                               {BlobValue(locator.bytes)}),
              "import_pairs", TakePair));
  if (found.empty()) {
    return Error{ErrorCode::kNotFound, std::string(kNoPair)};
  }
  return std::move(found.front());
}

base::Result<std::vector<ImportPairStock>> ReadPairStock(
    Connection& connection, std::string_view key_store) {
  return TakeAll(
      connection.Query("SELECT algorithm, "
                       "SUM(CASE WHEN key_row_id IS NULL THEN 1 ELSE 0 END), "
                       "SUM(CASE WHEN key_row_id IS NULL THEN 0 ELSE 1 END) "
                       "FROM import_pairs WHERE key_store = $1 "
                       "GROUP BY algorithm ORDER BY algorithm",
                       {ToValue(key_store)}),
      "import_pairs", TakeStock);
}

base::Status RemovePair(Connection& connection, const hsm::Locator& locator) {
  return connection.RunOnOne("DELETE FROM import_pairs WHERE locator = $1",
                             {BlobValue(locator.bytes)}, kNoPair);
}

}  // namespace kms::store
