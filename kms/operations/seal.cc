// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/seal.h"

#include <fmt/format.h>

#include <utility>

#include "kms/operations/counters.h"
#include "kms/operations/custom_key_stores/ask.h"
#include "kms/operations/custom_key_stores/clusters.h"
#include "kms/operations/custom_key_stores/outer_layer.h"

namespace kms::operations {
namespace {

base::Result<Binding> NewBinding(Call& call, const Key& key,
                                 KeyStore& key_store) {
  ASSIGN_OR_RETURN(auto pass, EnterClusterOf(call, key));
  Binding binding;
  binding.hsm = &key_store.hsm;
  if (pass) {
    binding.pass.emplace(*std::move(pass));
  }
  return binding;
}

}  // namespace

CiphertextAlgorithm CiphertextAlgorithmOf(const Key& key,
                                          const KeyMaterial& material) {
  return HasOuterLayer(key)
             ? CiphertextAlgorithm::kExternalKeyStore
             : static_cast<CiphertextAlgorithm>(material.ref.algorithm);
}

boost::asio::awaitable<base::Result<Binding>> BindForSealing(
    Call& call, const Key& key, const EncryptionContext& context) {
  const KeyMaterial& material = key.CurrentMaterial();
  const auto key_id = ParseKeyId(key.id);
  if (!key_id) {
    co_return base::Error{base::ErrorCode::kCorrupt,
                          "the store holds a key id that is none"};
  }
  CO_ASSIGN_OR_RETURN(KeyStore* const key_store,
                      call.environment.key_stores.Of(key, material));
  CO_ASSIGN_OR_RETURN(Binding binding, NewBinding(call, key, *key_store));
  binding.header = {CiphertextAlgorithmOf(key, material), *key_id, material.id};
  binding.ref = material.ref;
  binding.aad = CiphertextAad(binding.header, context, base::ThreadHasher());
  if (material.ref.algorithm == hsm::Algorithm::kAes256GcmCounter) {
    CO_ASSIGN_OR_RETURN(binding.counter,
                        co_await call.environment.counters.Next(key, material));
  }
  co_return std::move(binding);
}

base::Result<Binding> BindForOpening(Call& call, const Key& key,
                                     const CiphertextHeader& header,
                                     const EncryptionContext& context) {
  const KeyMaterial* const material = key.FindMaterial(header.material);
  if (material == nullptr ||
      CiphertextAlgorithmOf(key, *material) != header.algorithm) {
    return base::Error{base::ErrorCode::kInvalidCiphertext, ""};
  }
  ASSIGN_OR_RETURN(KeyStore* const key_store,
                   call.environment.key_stores.Of(key, *material));
  ASSIGN_OR_RETURN(Binding binding, NewBinding(call, key, *key_store));
  binding.header = header;
  binding.ref = material->ref;
  binding.aad = CiphertextAad(header, context, base::ThreadHasher());
  return binding;
}

base::Result<hsm::client::Client*> HsmOf(Call& call, const Key& key) {
  ASSIGN_OR_RETURN(KeyStore* const key_store,
                   call.environment.key_stores.Of(key, key.CurrentMaterial()));
  return &key_store->hsm;
}

boost::asio::awaitable<base::Result<base::Bytes>> FinishCiphertext(
    Call& call, const Key& key, const Binding& binding,
    const hsm::Sealed& sealed) {
  if (!HasOuterLayer(key)) {
    co_return SerializeCiphertext(binding.header, sealed);
  }
  CO_ASSIGN_OR_RETURN(const hsm::ExternalSealed outer,
                      co_await SealOuter(call, key, binding.aad, sealed));
  co_return SerializeCiphertext(binding.header, sealed.nonce, outer);
}

boost::asio::awaitable<base::Result<hsm::Sealed>> TakeSealed(
    Call& call, const Key& key, const Binding& binding) {
  if (!HasOuterLayer(key)) {
    co_return std::move(call.ciphertext->sealed);
  }
  hsm::ExternalSealed outer = std::move(call.ciphertext->outer);
  co_return co_await OpenOuter(call, key, binding.aad,
                               call.ciphertext->sealed.nonce, std::move(outer));
}

base::Error MaterialError(Call& call, const Key& key, base::Error error) {
  if (HasOuterLayer(key) && error.code == base::ErrorCode::kInvalidCiphertext) {
    NoteMalformed(call, key.custom_key_store,
                  "what it decrypted does not open under the KMS key");
    return InnerLayerError(key);
  }
  if (error.code != base::ErrorCode::kNotFound &&
      error.code != base::ErrorCode::kCorrupt) {
    return error;
  }
  call.unusable = fmt::format("the token cannot use the key material of {}: {}",
                              key.Arn(), error.message);
  return {base::ErrorCode::kKeyUnavailable,
          fmt::format("The key material of {} is not available.", key.Arn())};
}

}  // namespace kms::operations
