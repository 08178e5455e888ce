// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/custom_key_stores/ask.h"
#include "kms/operations/dry_run.h"
#include "kms/operations/handlers.h"

namespace kms::operations {
namespace {

// External key stores have no random numbers to give.
base::Status RefuseCustomKeyStore(const Call& call) {
  const auto id = call.Text("CustomKeyStoreId");
  if (!id) {
    return {};
  }
  RETURN_IF_ERROR(FindCustomKeyStore(call, *id));
  return base::Error{base::ErrorCode::kUnsupportedOperation,
                     "You cannot specify an external key store in "
                     "CustomKeyStoreId."};
}

}  // namespace

base::Status ValidateGenerateRandom(const Call& call) {
  if (call.Find("NumberOfBytes") == nullptr) {
    return base::Error{base::ErrorCode::kValidation,
                       "NumberOfBytes is required."};
  }
  return RefuseRecipient(call);
}

Answer GenerateRandom(Call& call) {
  CO_RETURN_IF_ERROR(RefuseCustomKeyStore(call));
  hsm::RandomRequest request;
  request.size = static_cast<std::uint16_t>(*call.Number("NumberOfBytes"));
  CO_ASSIGN_OR_RETURN(
      const hsm::PlaintextReply random,
      co_await call.environment.key_stores.primary().hsm.Call(request));
  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Blob("Plaintext", random.plaintext.Reveal())
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
