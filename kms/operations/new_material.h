// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_NEW_MATERIAL_H_
#define KMS_OPERATIONS_NEW_MATERIAL_H_

#include <boost/asio/awaitable.hpp>

#include "base/clock.h"
#include "base/result.h"
#include "kms/model.h"
#include "kms/operations/call.h"

namespace kms::operations {

// What a material of `key` is made for.
hsm::Algorithm NewAlgorithm(const KeyStore& key_store, const Key& key);

// Has the token make a material for `key`, of its spec and usage; the materials
// that the key has do not matter. It is wrapped if that is where new keys live
// (but for Origin::kAwsCloudHsm) and the token can wrap such; otherwise it is
// an object of the token, which has it durably, and nobody knows it but its
// intent, by which a crash is settled (intents.h). The caller commits it
// together with SettleMaterial, or else calls AbandonMaterial. If it fails,
// nothing is left.
boost::asio::awaitable<base::Result<KeyMaterial>> MakeMaterial(
    Environment& environment, const Key& key, base::WallTime now);

// The same, but kUnsupportedOperation if it cannot be wrapped.
boost::asio::awaitable<base::Result<KeyMaterial>> MakeWrappedMaterial(
    Environment& environment, const Key& key, base::WallTime now);

// Within the transaction that gives the key its new material.
base::Status SettleMaterial(store::Transaction& transaction,
                            const KeyMaterial& material);

// A material that no key has got.
boost::asio::awaitable<void> AbandonMaterial(Environment& environment,
                                             const KeyMaterial& material);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_NEW_MATERIAL_H_
