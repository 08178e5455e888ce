// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/custom_key_stores/clusters.h"
#include "kms/operations/dry_run.h"
#include "kms/operations/handlers.h"

namespace kms::operations {
namespace {

Answer Generate(Call& call, hsm::client::Client& hsm) {
  hsm::RandomRequest request;
  request.size = static_cast<std::uint16_t>(*call.Number("NumberOfBytes"));
  CO_ASSIGN_OR_RETURN(const hsm::PlaintextReply random,
                      co_await hsm.Call(request));
  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Blob("Plaintext", random.plaintext.Reveal())
      .EndObject();
  co_return reply;
}

}  // namespace

base::Status ValidateGenerateRandom(const Call& call) {
  if (call.Find("NumberOfBytes") == nullptr) {
    return base::Error{base::ErrorCode::kValidation,
                       "NumberOfBytes is required."};
  }
  return RefuseRecipient(call);
}

// An external key store has no random bytes to give.
Answer GenerateRandom(Call& call) {
  const auto id = call.Text("CustomKeyStoreId");
  if (!id) {
    co_return co_await Generate(call,
                                call.environment.key_stores.primary().hsm);
  }
  CO_ASSIGN_OR_RETURN(const ClusterPass pass, EnterCluster(call, *id));
  co_return co_await Generate(call, pass.key_store.hsm);
}

}  // namespace kms::operations
