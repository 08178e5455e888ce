// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_SEAL_H_
#define KMS_OPERATIONS_SEAL_H_

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "base/result.h"
#include "kms/ciphertext.h"
#include "kms/operations/call.h"
#include "kms/operations/custom_key_stores/source.h"

namespace kms::operations {

// What a request to the token says about the key and the context, for sealing
// under the current material or for opening under the one that sealed.
struct Binding {
  CiphertextHeader header;
  hsm::client::Client* hsm = nullptr;  // That has the key.
  hsm::KeyRef ref;
  hsm::Counter counter = 0;
  hsm::Aad aad{};
  // Keeps the key's custom key store from being disconnected under the request.
  std::optional<CustomKeyStoreSource::Pass> pass;
};

// How new ciphertexts under a material of `key` are made.
CiphertextAlgorithm CiphertextAlgorithmOf(const Key& key,
                                          const KeyMaterial& material);

// For a new ciphertext under `key`. Both fail with kInvalidState if its custom
// key store is a cluster that is not connected any more.
boost::asio::awaitable<base::Result<Binding>> BindForSealing(
    Call& call, const Key& key, const EncryptionContext& context);

// For an existing one: kInvalidCiphertext if `key` has no such material.
base::Result<Binding> BindForOpening(Call& call, const Key& key,
                                     const CiphertextHeader& header,
                                     const EncryptionContext& context);

// Whose workers use the current material of `key`, which has one.
base::Result<hsm::client::Client*> HsmOf(Call& call, const Key& key);

// The whole ciphertext around what the token has sealed with `binding`.
boost::asio::awaitable<base::Result<base::Bytes>> FinishCiphertext(
    Call& call, const Key& key, const Binding& binding,
    const hsm::Sealed& sealed);

// What the token is to open of the call's ciphertext, which is moved from.
boost::asio::awaitable<base::Result<hsm::Sealed>> TakeSealed(
    Call& call, const Key& key, const Binding& binding);

// A token's error in the words of the API: a material that its token does not
// have is kKeyUnavailable, never NotFoundException.
base::Error MaterialError(Call& call, const Key& key, base::Error error);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_SEAL_H_
