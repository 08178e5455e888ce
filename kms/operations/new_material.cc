// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/new_material.h"

#include <utility>

#include "base/hash.h"
#include "kms/ciphertext.h"
#include "kms/key_id.h"
#include "kms/key_spec.h"
#include "kms/operations/intents.h"

namespace kms::operations {

hsm::Algorithm NewAlgorithm(const Environment& environment, const Key& key) {
  return key.spec == KeySpec::kSymmetricDefault ? environment.algorithm
                                                : KindOf(key).algorithm;
}

namespace {

// Makes the object on the token. `material` has its `ref`; gets its id and, of
// a key pair, the public key.
boost::asio::awaitable<base::Status> Generate(Environment& environment,
                                              const KeyIdBytes& id,
                                              const Key& key,
                                              KeyMaterial& material) {
  hsm::CheckValue check_value{};
  if (IsKeyPair(key.spec)) {
    const hsm::GenerateKeyPairRequest request = {material.ref};
    CO_ASSIGN_OR_RETURN(hsm::GenerateKeyPairReply made,
                        co_await environment.hsm.Call(request));
    material.public_key = std::move(made.public_key);
    check_value = base::ThreadHasher().Sha256(material.public_key);
  } else {
    const hsm::GenerateKeyRequest request = {material.ref};
    CO_ASSIGN_OR_RETURN(const hsm::GenerateKeyReply made,
                        co_await environment.hsm.Call(request));
    check_value = made.check_value;
  }
  material.id = MakeMaterialId(id, check_value, base::ThreadHasher());
  co_return base::Status();
}

}  // namespace

boost::asio::awaitable<base::Result<KeyMaterial>> MakeMaterial(
    Environment& environment, const Key& key, base::WallTime now) {
  const auto id = ParseKeyId(key.id);
  if (!id) {
    co_return base::Error{base::ErrorCode::kCorrupt,
                          "the store holds a key id that is none"};
  }
  CO_ASSIGN_OR_RETURN(const hsm::Locator announced,
                      co_await AnnounceKey(environment, key.id));
  KeyMaterial material;
  material.ref = {announced, NewAlgorithm(environment, key)};
  material.key_store = environment.key_store;
  material.created = now;
  const base::Status made = co_await Generate(environment, *id, key, material);
  if (!made) {
    co_await RollBackCreation(environment, announced);
    co_return base::Error(made.error());
  }
  co_return material;
}

}  // namespace kms::operations
