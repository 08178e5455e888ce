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
hsm::Algorithm NewAlgorithm(const Environment& environment, const Key& key);

// Announces a material for `key`, of its spec and usage, and has the token make
// it; the materials that the key has do not matter. On success
// the token has it durably, and nobody knows it but its intent: the caller
// commits it together with Transaction::DeleteIntent, or else calls
// RollBackCreation. A crash between any two of these is settled by the intent
// (intents.h). If it fails, nothing is left.
boost::asio::awaitable<base::Result<KeyMaterial>> MakeMaterial(
    Environment& environment, const Key& key, base::WallTime now);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_NEW_MATERIAL_H_
