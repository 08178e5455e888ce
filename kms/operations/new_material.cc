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

hsm::Algorithm NewAlgorithm(const KeyStore& key_store, const Key& key) {
  return key.spec == KeySpec::kSymmetricDefault ? key_store.algorithm
                                                : KindOf(key).algorithm;
}

namespace {

// Makes the object on the token. `material` has its `ref`; gets its id and, of
// a key pair, the public key.
boost::asio::awaitable<base::Status> Generate(KeyStore& key_store,
                                              const KeyIdBytes& id,
                                              const Key& key,
                                              KeyMaterial& material) {
  hsm::CheckValue check_value{};
  if (IsKeyPair(key.spec)) {
    const hsm::GenerateKeyPairRequest request = {material.ref};
    CO_ASSIGN_OR_RETURN(hsm::GenerateKeyPairReply made,
                        co_await key_store.hsm.Call(request));
    material.public_key = std::move(made.public_key);
    check_value = base::ThreadHasher().Sha256(material.public_key);
  } else {
    const hsm::GenerateKeyRequest request = {material.ref};
    CO_ASSIGN_OR_RETURN(const hsm::GenerateKeyReply made,
                        co_await key_store.hsm.Call(request));
    check_value = made.check_value;
  }
  material.id = MakeMaterialId(id, check_value, base::ThreadHasher());
  co_return base::Status();
}

boost::asio::awaitable<base::Result<KeyMaterial>> MakeResident(
    Environment& environment, KeyStore& key_store, const KeyIdBytes& id,
    const Key& key) {
  CO_ASSIGN_OR_RETURN(const hsm::Locator announced,
                      co_await AnnounceKey(environment, key_store, key.id));
  KeyMaterial material;
  material.ref = {announced, NewAlgorithm(key_store, key)};
  const base::Status made = co_await Generate(key_store, id, key, material);
  if (!made) {
    co_await RollBackCreation(environment, key_store, announced);
    co_return base::Error(made.error());
  }
  co_return material;
}

// Without an intent: nothing of it is on the token.
boost::asio::awaitable<base::Result<KeyMaterial>> MakeWrapped(
    KeyStore& key_store, const hsm::Locator& wrapping_key, const KeyIdBytes& id,
    const Key& key) {
  hsm::GenerateWrappedKeyRequest request;
  base::RandomBytes(request.key.locator.bytes);
  request.key.algorithm = NewAlgorithm(key_store, key);
  request.wrapping_key = wrapping_key;
  CO_ASSIGN_OR_RETURN(hsm::GenerateWrappedKeyReply made,
                      co_await key_store.hsm.Call(request));
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

// The keys of one multi-Region id share their materials, whichever token each
// has: what is wrapped stays wrapped, and by the key that their tokens share.
// Null if any will do.
const KeyMaterial* SharedMaterial(const Key& key) {
  const KeyMaterial* const current = key.FindCurrentMaterial();
  return key.IsMultiRegion() && current != nullptr &&
                 current->ref.wrapped != nullptr
             ? current
             : nullptr;
}

// Keys of a CloudHSM key store never leave the cluster.
std::optional<hsm::Locator> WrappingKeyFor(const Key& key,
                                           const KeyStore& key_store) {
  return key.origin == Origin::kAwsCloudHsm ? std::nullopt
                                            : key_store.wrapping_key;
}

enum class Fallback : std::uint8_t { kResident, kNone };

boost::asio::awaitable<base::Result<KeyMaterial>> Make(Environment& environment,
                                                       const Key& key,
                                                       base::WallTime now,
                                                       Fallback fallback) {
  const auto id = ParseKeyId(key.id);
  if (!id) {
    co_return base::Error{base::ErrorCode::kCorrupt,
                          "the store holds a key id that is none"};
  }
  CO_ASSIGN_OR_RETURN(KeyStore* const key_store,
                      environment.key_stores.Of(key));
  const KeyMaterial* const shared = SharedMaterial(key);
  const std::optional<hsm::Locator> wrapping_key =
      shared != nullptr ? shared->ref.wrapped->wrapping_key
                        : WrappingKeyFor(key, *key_store);
  base::Result<KeyMaterial> material =
      base::Error{base::ErrorCode::kUnsupportedOperation,
                  "Key store '" + key_store->name +
                      "' has no wrapping key: set placement = \"wrapped\" in "
                      "its table."};
  if (wrapping_key) {
    material = co_await MakeWrapped(*key_store, *wrapping_key, *id, key);
  }
  if (!material && shared == nullptr && fallback == Fallback::kResident &&
      material.error().code == base::ErrorCode::kUnsupportedOperation) {
    material = co_await MakeResident(environment, *key_store, *id, key);
  }
  if (material) {
    material->key_store =
        shared != nullptr ? shared->key_store : key_store->name;
    material->created = now;
  }
  co_return material;
}

}  // namespace

boost::asio::awaitable<base::Result<KeyMaterial>> MakeMaterial(
    Environment& environment, const Key& key, base::WallTime now) {
  return Make(environment, key, now, Fallback::kResident);
}

boost::asio::awaitable<base::Result<KeyMaterial>> MakeWrappedMaterial(
    Environment& environment, const Key& key, base::WallTime now) {
  return Make(environment, key, now, Fallback::kNone);
}

base::Status SettleMaterial(store::Transaction& transaction,
                            const KeyMaterial& material) {
  return material.ref.wrapped == nullptr
             ? transaction.DeleteIntent(material.ref.locator)
             : base::Status();
}

boost::asio::awaitable<void> AbandonMaterial(Environment& environment,
                                             const KeyMaterial& material) {
  const auto key_store = environment.key_stores.Find(material.key_store);
  if (material.ref.wrapped == nullptr && key_store) {
    co_await RollBackCreation(environment, **key_store, material.ref.locator);
  }
}

}  // namespace kms::operations
