// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_CUSTOM_KEY_STORES_OUTER_LAYER_H_
#define KMS_OPERATIONS_CUSTOM_KEY_STORES_OUTER_LAYER_H_

#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "hsm/client/client.h"
#include "kms/operations/call.h"

// Double encryption: what the token makes under a key in an external key store,
// the store's proxy encrypts once more. Neither can decrypt alone
// (docs/protocol/ciphertext.md, algorithm 3).
namespace kms::operations {

// Whether the key's ciphertexts have an outer layer.
bool HasOuterLayer(const Key& key);

// The outer layer is around the inner one's ciphertext and tag. Its nonce stays
// here, so that what a proxy gives back opens only with the ciphertext that it
// belongs to.
//
// Both fail with kInvalidState, whatever is wrong with the proxy or its answer,
// with kThrottled, and in a dry run with its good end. `aad` is of both layers.
boost::asio::awaitable<base::Result<hsm::ExternalSealed>> SealOuter(
    Call& call, const Key& key, const hsm::Aad& aad, const hsm::Sealed& inner);
boost::asio::awaitable<base::Result<hsm::Sealed>> OpenOuter(
    Call& call, const Key& key, const hsm::Aad& aad, const hsm::Nonce& nonce,
    hsm::ExternalSealed sealed);

// What is wrong if the token cannot open the inner layer of a ciphertext whose
// outer layer has opened.
base::Error InnerLayerError(const Key& key);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CUSTOM_KEY_STORES_OUTER_LAYER_H_
