// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/seal.h"

#include <fmt/format.h>

#include "base/log.h"
#include "kms/operations/counters.h"

namespace kms::operations {

boost::asio::awaitable<base::Result<Binding>> BindForSealing(
    Call& call, const Key& key, const EncryptionContext& context) {
  const KeyMaterial& material = key.CurrentMaterial();
  const auto key_id = ParseKeyId(key.id);
  if (!key_id) {
    co_return base::Error{base::ErrorCode::kCorrupt,
                          "the store holds a key id that is none"};
  }
  Binding binding;
  binding.header = {material.ref.algorithm, *key_id, material.id};
  binding.ref = material.ref;
  binding.aad = CiphertextAad(binding.header, context, base::ThreadHasher());
  if (material.ref.algorithm == hsm::Algorithm::kAes256GcmCounter) {
    CO_ASSIGN_OR_RETURN(binding.counter,
                        co_await call.environment.counters.Next(key, material));
  }
  co_return binding;
}

base::Result<Binding> BindForOpening(const Key& key,
                                     const CiphertextHeader& header,
                                     const EncryptionContext& context) {
  const KeyMaterial* const material = key.FindMaterial(header.material);
  if (material == nullptr || material->ref.algorithm != header.algorithm) {
    return base::Error{base::ErrorCode::kInvalidCiphertext, ""};
  }
  Binding binding;
  binding.header = header;
  binding.ref = material->ref;
  binding.aad = CiphertextAad(header, context, base::ThreadHasher());
  return binding;
}

base::Error MaterialError(const Key& key, base::Error error) {
  if (error.code != base::ErrorCode::kNotFound &&
      error.code != base::ErrorCode::kCorrupt) {
    return error;
  }
  base::LogError("the token cannot use the key material of {}: {}", key.Arn(),
                 error.message);
  return {base::ErrorCode::kKeyUnavailable,
          fmt::format("The key material of {} is not available.", key.Arn())};
}

}  // namespace kms::operations
