// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/handlers.h"
#include "kms/operations/mac.h"

namespace kms::operations {

Answer VerifyMac(Call& call) {
  CO_ASSIGN_OR_RETURN(const base::Bytes mac, co_await ComputeMac(call));
  if (!base::ConstantTimeEqual(mac, call.Blob("Mac")->Reveal())) {
    co_return base::Error{base::ErrorCode::kMacMismatch, ""};
  }
  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("KeyId", call.key->Arn())
      .Bool("MacValid", true)
      .Text("MacAlgorithm", *call.Text("MacAlgorithm"))
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
