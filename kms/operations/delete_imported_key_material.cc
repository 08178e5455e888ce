// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "kms/json_writer.h"
#include "kms/operations/destructions.h"
#include "kms/operations/handlers.h"
#include "kms/operations/imported_material.h"

namespace kms::operations {
namespace {

using base::Error;
using base::ErrorCode;

// The one that the request names, or the current one; nullptr if there is none
// to delete.
base::Result<const KeyMaterial*> Named(const Call& call, const Key& key) {
  const auto named = call.Text("KeyMaterialId");
  if (!named) {
    return key.FindCurrentMaterial();
  }
  const auto it =
      std::ranges::find_if(key.materials, [&](const KeyMaterial& material) {
        return base::HexEncode(material.id) == *named;
      });
  if (it == key.materials.end()) {
    return Error{ErrorCode::kNotFound,
                 fmt::format("Key material (id: {}) does not exist in {}.",
                             *named, key.Arn())};
  }
  return &*it;
}

}  // namespace

// What is not there any more is deleted without any effect.
Answer DeleteImportedKeyMaterial(Call& call) {
  CO_RETURN_IF_ERROR(CheckImportable(*call.key));
  Environment& environment = call.environment;
  std::optional<KeyMaterial> lost;
  auto change = [&](store::Transaction& transaction) -> base::Status {
    lost.reset();
    ASSIGN_OR_RETURN(Key key, transaction.GetKey(call.key->row_id));
    RETURN_IF_ERROR(CheckState(call.operation.states, key));
    ASSIGN_OR_RETURN(const KeyMaterial* const named, Named(call, key));
    if (named == nullptr) {
      return {};
    }
    call.material_id = base::HexEncode(named->id);
    const KeyMaterial material = *named;
    ASSIGN_OR_RETURN(const bool destroyed,
                     LoseMaterial(environment, transaction, key, material));
    if (destroyed) {
      lost = material;
    }
    return {};
  };
  CO_RETURN_IF_ERROR(co_await call.Commit(change));
  if (lost) {
    store::Intent intent;
    intent.locator = lost->ref.locator;
    intent.key_store = lost->key_store;
    intent.kind = store::IntentKind::kDestroy;
    intent.key_id = call.key->row_id;
    CO_RETURN_IF_ERROR(co_await FinishDestruction(environment, intent));
  }

  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().Text("KeyId", call.key->Arn());
  if (!call.material_id.empty()) {
    writer.Text("KeyMaterialId", call.material_id);
  }
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
