// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/dry_run.h"
#include "kms/operations/handlers.h"

namespace kms::operations {

base::Status ValidateGenerateRandom(const Call& call) {
  if (call.Find("NumberOfBytes") == nullptr) {
    return base::Error{base::ErrorCode::kValidation,
                       "NumberOfBytes is required."};
  }
  if (call.Find("CustomKeyStoreId") != nullptr) {
    return base::Error{base::ErrorCode::kUnsupportedOperation,
                       "Custom key stores are not supported by this server."};
  }
  return RefuseRecipient(call);
}

Answer GenerateRandom(Call& call) {
  hsm::RandomRequest request;
  request.size = static_cast<std::uint16_t>(*call.Number("NumberOfBytes"));
  CO_ASSIGN_OR_RETURN(const hsm::PlaintextReply random,
                      co_await call.environment.hsm.Call(request));
  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Blob("Plaintext", random.plaintext.Reveal())
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
