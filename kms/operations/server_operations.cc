// SPDX-License-Identifier: Apache-2.0
// Operations of our own, about the server and not about a key.
#include "kms/json_writer.h"
#include "kms/operations/deletion.h"
#include "kms/operations/handlers.h"
#include "kms/operations/resolve.h"

namespace kms::operations {

// The server belongs to those who run it: only its own administrators, through
// the Unix socket, pass the check on their own account there.
base::Status ResolveServerOperation(Call& call) {
  if (call.request.door != Door::kUnix) {
    return base::Error{base::ErrorCode::kAccessDenied,
                       "This operation is served on the Unix socket only."};
  }
  return ResolveNothing(call);
}

namespace {

// The tokens of the key store, as this thread sees them.
void WriteTokens(JsonWriter& out, const hsm::client::Client& hsm) {
  out.BeginArray("Tokens");
  for (const hsm::client::TokenStatus& token : hsm.Tokens()) {
    out.BeginObject()
        .Text("Name", token.name)
        .Text("State", hsm::client::NameOf(token.state))
        .Text("Reason", token.reason)
        .Number("Workers", token.workers)
        .Number("ReadyWorkers", token.ready_workers)
        .Number("CallsInFlight", token.calls_in_flight)
        .EndObject();
  }
  out.EndArray();
}

}  // namespace

Answer AcceptClock(Call& call) {
  DeletionGuard& guard = call.environment.deletion_guard;
  guard.Accept();
  const store::ClockProgress progress = guard.progress();
  auto set = [progress](store::Transaction& transaction) {
    return transaction.SetClockProgress(progress);
  };
  CO_RETURN_IF_ERROR(co_await call.Commit(set));
  co_return Reply();
}

Answer Status(Call& call) {
  const store::StoreInfo info = call.environment.store.info();
  const std::chrono::seconds lead = call.environment.deletion_guard.Lead();
  Reply reply;
  JsonWriter out(reply.body);
  out.BeginObject()
      .Text("Version", CLAVIGER_VERSION)
      .Text("StoreId", info.id)
      .Number("StoreEpoch", static_cast<std::int64_t>(info.epoch))
      .Number("StoreRevision", static_cast<std::int64_t>(info.revision))
      .Text("KeyStore", call.environment.key_store)
      .Bool("TokenReady", call.environment.hsm.Ready())
      .Number("ClockLeadSeconds", lead.count())
      .Bool("DestructionWaitsForClock",
            !call.environment.deletion_guard.DueTime().has_value());
  WriteTokens(out, call.environment.hsm);
  out.EndObject();
  co_return reply;
}

}  // namespace kms::operations
