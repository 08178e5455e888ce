// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/new_material.h"

#include "base/hash.h"
#include "kms/operations/intents.h"

namespace kms::operations {

boost::asio::awaitable<base::Result<KeyMaterial>> MakeMaterial(
    Environment& environment, const KeyIdBytes& id, base::WallTime now) {
  const std::string key_id = KeyIdText(id);
  CO_ASSIGN_OR_RETURN(const hsm::Locator announced,
                      co_await AnnounceKey(environment, key_id));
  hsm::GenerateKeyRequest request;
  request.key = {announced, environment.algorithm};
  const auto made = co_await environment.hsm.Call(request);
  if (!made) {
    co_await RollBackCreation(environment, announced);
    co_return base::Error(made.error());
  }
  KeyMaterial material;
  material.id = MakeMaterialId(id, made->check_value, base::ThreadHasher());
  material.ref = request.key;
  material.key_store = environment.key_store;
  material.created = now;
  co_return material;
}

}  // namespace kms::operations
