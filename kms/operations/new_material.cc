// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/new_material.h"

#include <memory>
#include <utility>

#include "base/hash.h"
#include "base/random.h"
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

boost::asio::awaitable<base::Result<KeyMaterial>> MakeResident(
    Environment& environment, const KeyIdBytes& id, const Key& key) {
  CO_ASSIGN_OR_RETURN(const hsm::Locator announced,
                      co_await AnnounceKey(environment, key.id));
  KeyMaterial material;
  material.ref = {announced, NewAlgorithm(environment, key)};
  const base::Status made = co_await Generate(environment, id, key, material);
  if (!made) {
    co_await RollBackCreation(environment, announced);
    co_return base::Error(made.error());
  }
  co_return material;
}

// Without an intent: nothing of it is on the token.
boost::asio::awaitable<base::Result<KeyMaterial>> MakeWrapped(
    Environment& environment, const KeyIdBytes& id, const Key& key) {
  hsm::GenerateWrappedKeyRequest request;
  base::RandomBytes(request.key.locator.bytes);
  request.key.algorithm = NewAlgorithm(environment, key);
  request.wrapping_key = *environment.wrapping_key;
  CO_ASSIGN_OR_RETURN(hsm::GenerateWrappedKeyReply made,
                      co_await environment.hsm.Call(request));
  auto wrapped = std::make_shared<hsm::WrappedKey>();
  wrapped->wrapping_key = request.wrapping_key;
  wrapped->bytes = std::move(made.wrapped);
  wrapped->check_value = made.check_value;
  wrapped->public_key = made.public_key;
  KeyMaterial material;
  material.ref = request.key;
  material.ref.wrapped = std::move(wrapped);
  material.public_key = std::move(made.public_key);
  material.id = MakeMaterialId(id, made.check_value, base::ThreadHasher());
  co_return material;
}

}  // namespace

boost::asio::awaitable<base::Result<KeyMaterial>> MakeMaterial(
    Environment& environment, const Key& key, base::WallTime now) {
  const auto id = ParseKeyId(key.id);
  if (!id) {
    co_return base::Error{base::ErrorCode::kCorrupt,
                          "the store holds a key id that is none"};
  }
  base::Result<KeyMaterial> material =
      base::Error{base::ErrorCode::kUnsupportedOperation, ""};
  if (environment.wrapping_key) {
    material = co_await MakeWrapped(environment, *id, key);
  }
  if (!material &&
      material.error().code == base::ErrorCode::kUnsupportedOperation) {
    material = co_await MakeResident(environment, *id, key);
  }
  if (material) {
    material->key_store = environment.key_store;
    material->created = now;
  }
  co_return material;
}

base::Status SettleMaterial(store::Transaction& transaction,
                            const KeyMaterial& material) {
  return material.ref.wrapped == nullptr
             ? transaction.DeleteIntent(material.ref.locator)
             : base::Status();
}

boost::asio::awaitable<void> AbandonMaterial(Environment& environment,
                                             const KeyMaterial& material) {
  if (material.ref.wrapped == nullptr) {
    co_await RollBackCreation(environment, material.ref.locator);
  }
}

}  // namespace kms::operations
