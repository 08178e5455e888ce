// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/key_metadata.h"

#include "base/bytes.h"
#include "kms/key_spec.h"

namespace kms::operations {

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
  writer.Text("Origin", OriginName(key.origin))
      .Text("KeyManager", key.managing_service.empty() ? "CUSTOMER" : "AWS")
      .Text("CustomerMasterKeySpec", KeySpecName(key.spec))
      .Text("KeySpec", KeySpecName(key.spec));
  WriteAlgorithms(key, writer);
  writer.Bool("MultiRegion", false);
  if (key.spec == KeySpec::kSymmetricDefault) {
    writer.Text("CurrentKeyMaterialId",
                base::HexEncode(key.CurrentMaterial().id));
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
