// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_IMPORTS_H_
#define KMS_STORE_IMPORTS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kms/store/connection.h"
#include "kms/store/store.h"

// The rows of imported key material and of the pairs it is wrapped under, like
// reads.h.
namespace kms::store {

base::Status WriteImportTerms(Connection& connection, std::string_view row_id,
                              const KeyMaterial& material);
// Gives the keys of this id that lack the terms of one of its imported
// materials those of one that they have yet to import.
base::Status AwaitImports(Connection& connection, std::string_view key_id);
base::Result<std::vector<std::string>> ReadImporters(
    Connection& connection, const MaterialId& material);
base::Status MoveMaterial(Connection& connection, std::string_view key_id,
                          const KeyMaterial& material);
base::Status RemoveMaterial(Connection& connection, std::string_view key_id,
                            const MaterialId& material);
base::Status MakeMaterialCurrent(Connection& connection,
                                 std::string_view key_id,
                                 const MaterialId& material,
                                 const Rotation& rotation);

// Materials that are there and whose time was over at `now`.
base::Result<std::vector<DueMaterial>> ReadDueMaterials(Connection& connection,
                                                        base::WallTime now);

base::Status WriteImportPair(Connection& connection, const ImportPair& pair);
base::Result<std::optional<ImportPair>> ClaimPair(Connection& connection,
                                                  const ImportPair& terms);
// Those of a key, the oldest first; those that had run out at `now`; the one of
// a locator (kNotFound).
base::Result<std::vector<ImportPair>> ReadPairsOf(Connection& connection,
                                                  std::string_view row_id);
base::Result<std::vector<ImportPair>> ReadExpiredPairs(Connection& connection,
                                                       base::WallTime now);
base::Result<ImportPair> ReadPair(Connection& connection,
                                  const hsm::Locator& locator);
base::Result<std::vector<ImportPairStock>> ReadPairStock(
    Connection& connection, std::string_view key_store);
base::Status RemovePair(Connection& connection, const hsm::Locator& locator);

}  // namespace kms::store

#endif  // KMS_STORE_IMPORTS_H_
