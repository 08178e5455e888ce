// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/key_metadata.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "kms/key_spec.h"

namespace kms::operations {
namespace {

// Of all materials that are there.
std::optional<base::WallTime> EarliestValidTo(const Key& key) {
  std::optional<base::WallTime> earliest;
  for (const KeyMaterial& material : key.materials) {
    if (material.IsImported() && material.import->valid_to) {
      earliest = std::min(earliest.value_or(*material.import->valid_to),
                          *material.import->valid_to);
    }
  }
  return earliest;
}

// Absent while nothing is imported.
void WriteExpirationModel(const Key& key, JsonWriter& writer) {
  if (std::ranges::any_of(key.materials, &KeyMaterial::IsImported)) {
    writer.Text("ExpirationModel",
                ExpirationModelName(EarliestValidTo(key).has_value()));
  }
}

}  // namespace

void WriteKeyMetadata(const Key& key, JsonWriter& writer) {
  writer.BeginObject("KeyMetadata")
      .Text("AWSAccountId", key.account)
      .Text("KeyId", key.id)
      .Text("Arn", key.Arn())
      .Time("CreationDate", key.created)
      .Bool("Enabled", key.state == KeyState::kEnabled)
      .Text("Description", key.description)
      .Text("KeyUsage", KeyUsageName(key.usage))
      .Text("KeyState", KeyStateName(key.state));
  if (key.deletion_date) {
    writer.Time("DeletionDate", *key.deletion_date);
  }
  if (const auto valid_to = EarliestValidTo(key)) {
    writer.Time("ValidTo", *valid_to);
  }
  writer.Text("Origin", OriginName(key.origin));
  WriteExpirationModel(key, writer);
  writer.Text("KeyManager", "CUSTOMER")
      .Text("CustomerMasterKeySpec", KeySpecName(key.spec))
      .Text("KeySpec", KeySpecName(key.spec));
  WriteAlgorithms(key, writer);
  writer.Bool("MultiRegion", false);
  const KeyMaterial* const current = key.FindCurrentMaterial();
  if (key.spec == KeySpec::kSymmetricDefault && current != nullptr) {
    writer.Text("CurrentKeyMaterialId", base::HexEncode(current->id));
  }
  writer.EndObject();
}

void WriteAlgorithms(const Key& key, JsonWriter& writer) {
  writer.BeginArray(AlgorithmListName(key.usage));
  for (const std::string_view algorithm : KindOf(key).algorithms) {
    writer.Item(algorithm);
  }
  writer.EndArray();
}

}  // namespace kms::operations
