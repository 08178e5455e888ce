// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_IMPORTED_MATERIAL_H_
#define KMS_OPERATIONS_IMPORTED_MATERIAL_H_

#include <boost/asio/awaitable.hpp>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "kms/operations/call.h"

// Keys whose material is imported (Origin EXTERNAL). A material that is deleted
// or has expired leaves its id behind, so that the same one can be imported
// again; while one is missing the key is pending import. AWS KMS Developer
// Guide, "Importing key material for AWS KMS keys".
namespace kms::operations {

// Fails with kUnsupportedOperation, as AWS does, unless the key's material is
// imported.
base::Status CheckImportable(const Key& key);

// The part of a transaction by which `key`, as it is there, loses `material`.
// One that is pending rotation is forgotten altogether, unless the key is a
// replica. Changes and saves the key. Returns whether the material's object was
// announced for destruction: not if another key of the id has it imported, or
// nobody had.
base::Result<bool> LoseMaterial(Environment& environment,
                                store::Transaction& transaction, Key& key,
                                const KeyMaterial& material);

// Whether each key of the id of `related` is among `importers`, the rows of
// those that have a material (Store::ListImporters). Until then nothing is
// rotated to it.
bool IsImportedEverywhere(std::span<const RelatedKey> related,
                          std::span<const std::string> importers);

// The part of a transaction in which `key` goes, and others of its id stay:
// what it alone had imported is announced for destruction.
base::Status LeaveMaterials(Environment& environment,
                            store::Transaction& transaction, const Key& key);

// Whether the time of one of the materials that it has used is over, also if
// ExpireMaterials has not been there yet: the key must not be used any more.
bool HasExpiredMaterial(const Key& key, base::WallTime now);

// The state of a key that was pending import, or whose deletion is called off:
// `otherwise` if no material is missing.
KeyState StateWithMaterials(const Key& key, KeyState otherwise);

// Destroys the materials whose time is over, each with an audit record before
// and one after, unless the clock is not to be trusted (DeletionGuard). The
// first error is returned; what failed is tried again in the next round.
boost::asio::awaitable<base::Status> ExpireMaterials(Environment& environment);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_IMPORTED_MATERIAL_H_
