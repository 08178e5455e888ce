// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "kms/json_writer.h"
#include "kms/key_spec.h"
#include "kms/operations/handlers.h"
#include "kms/operations/key_metadata.h"

namespace kms::operations {

Answer GetPublicKey(Call& call) {
  const Key& key = *call.key;
  if (!IsKeyPair(key.spec)) {
    co_return base::Error{
        base::ErrorCode::kUnsupportedOperation,
        fmt::format("{} key spec is {} which is not valid for GetPublicKey.",
                    key.Arn(), KeySpecName(key.spec))};
  }
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject()
      .Text("KeyId", key.Arn())
      .Blob("PublicKey", key.CurrentMaterial().public_key)
      .Text("CustomerMasterKeySpec", KeySpecName(key.spec))
      .Text("KeySpec", KeySpecName(key.spec))
      .Text("KeyUsage", KeyUsageName(key.usage));
  WriteAlgorithms(key, writer);
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
