// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/key_metadata.h"

#include "base/bytes.h"

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
      .Text("KeyManager", "CUSTOMER")
      .Text("CustomerMasterKeySpec", KeySpecName(key.spec))
      .Text("KeySpec", KeySpecName(key.spec))
      .BeginArray("EncryptionAlgorithms")
      .Item(KeySpecName(KeySpec::kSymmetricDefault))
      .EndArray()
      .Bool("MultiRegion", false)
      .Text("CurrentKeyMaterialId", base::HexEncode(key.CurrentMaterial().id))
      .EndObject();
}

}  // namespace kms::operations
