// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "kms/operations/handlers.h"
#include "kms/operations/imported_material.h"
#include "kms/operations/page.h"
#include "kms/operations/rotation.h"

namespace kms::operations {
namespace {

constexpr int kDefaultLimit = 100;

// The materials that the call asks for, oldest first.
std::vector<const KeyMaterial*> SelectMaterials(const Call& call) {
  const bool all = call.Text("IncludeKeyMaterial") == "ALL_KEY_MATERIAL";
  std::vector<const KeyMaterial*> selected;
  for (const KeyMaterial& material : call.key->materials) {
    if (all || material.rotation) {
      selected.push_back(&material);
    }
  }
  return selected;
}

// What a material that is not the key's for good yet waits for.
base::Result<std::string_view> PendingStateOf(Call& call) {
  const KeyMaterial* const pending = call.key->PendingRotation();
  if (pending == nullptr) {
    return std::string_view();
  }
  ASSIGN_OR_RETURN(const auto related,
                   call.environment.store.ListRelatedKeys(call.key->id));
  ASSIGN_OR_RETURN(const auto importers,
                   call.environment.store.ListImporters(pending->id));
  return std::string_view(IsImportedEverywhere(related, importers)
                              ? "PENDING_ROTATION"
                              : "PENDING_MULTI_REGION_IMPORT_AND_ROTATION");
}

void WriteImport(const Import& import, JsonWriter& writer) {
  if (!import.description.empty()) {
    writer.Text("KeyMaterialDescription", import.description);
  }
  writer.Text("ImportState", import.imported ? "IMPORTED" : "PENDING_IMPORT");
  if (import.imported) {
    writer.Text("ExpirationModel",
                ExpirationModelName(import.valid_to.has_value()));
  }
  if (import.valid_to) {
    writer.Time("ValidTo", *import.valid_to);
  }
}

void WriteEntry(const Key& key, const KeyMaterial& material,
                std::string_view pending_state, JsonWriter& writer) {
  const std::string_view state = &material == key.PendingRotation()
                                     ? pending_state
                                 : material.current ? "CURRENT"
                                                    : "NON_CURRENT";
  writer.BeginObject()
      .Text("KeyId", key.id)
      .Text("KeyMaterialId", base::HexEncode(material.id))
      .Text("KeyMaterialState", state);
  if (material.import) {
    WriteImport(*material.import, writer);
  }
  if (material.rotation) {
    writer.Time("RotationDate", material.rotation->date)
        .Text("RotationType", RotationTypeName(material.rotation->type));
  }
  writer.EndObject();
}

}  // namespace

Answer ListKeyRotations(Call& call) {
  const Key& key = *call.key;
  CO_RETURN_IF_ERROR(CheckRotatableKind(key));
  CO_ASSIGN_OR_RETURN(const PageRequest page, ReadPage(call, kDefaultLimit));
  const std::vector<const KeyMaterial*> selected = SelectMaterials(call);
  auto next = selected.begin();
  if (!page.after.empty()) {
    // Only a material that is pending rotation is ever removed: then the marker
    // is not valid any more.
    next = std::ranges::find_if(selected, [&page](const KeyMaterial* material) {
      return base::HexEncode(material->id) == page.after;
    });
    if (next == selected.end()) {
      co_return InvalidMarker();
    }
    ++next;
  }
  CO_ASSIGN_OR_RETURN(const std::string_view pending, PendingStateOf(call));

  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginArray("Rotations");
  std::string last;
  for (int i = 0; i < page.limit && next != selected.end(); ++i, ++next) {
    WriteEntry(key, **next, pending, writer);
    last = base::HexEncode((*next)->id);
  }
  writer.EndArray();
  WritePageEnd(call, next != selected.end(), last, writer);
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
