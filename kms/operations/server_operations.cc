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

void WriteKeyStores(const KeyStores& key_stores, JsonWriter& writer) {
  writer.BeginArray("KeyStores");
  for (const KeyStore& key_store : key_stores.all()) {
    writer.BeginObject()
        .Text("Name", key_store.name)
        .Bool("TokenReady", key_store.hsm.Ready());
    writer.BeginArray("Regions");
    for (const std::string& region : key_store.regions) {
      writer.Item(region);
    }
    writer.EndArray();
    if (key_store.wrapping_key) {
      writer.Bool("SharesWrappingKey", key_store.shares_wrapping_key);
    }
    if (!key_store.cluster_id.empty()) {
      writer.Text("CloudHsmClusterId", key_store.cluster_id);
    }
    WriteTokens(writer, key_store.hsm);
    writer.EndObject();
  }
  writer.EndArray();
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
  const KeyStores& key_stores = call.environment.key_stores;
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject()
      .Text("Version", CLAVIGER_VERSION)
      .Text("StoreId", info.id)
      .Number("StoreEpoch", static_cast<std::int64_t>(info.epoch))
      .Number("StoreRevision", static_cast<std::int64_t>(info.revision))
      .Text("KeyStore", key_stores.primary().name)
      .Bool("TokenReady", key_stores.primary().hsm.Ready())
      .Number("ClockLeadSeconds", lead.count())
      .Bool("DestructionWaitsForClock",
            !call.environment.deletion_guard.DueTime().has_value());
  WriteTokens(writer, key_stores.primary().hsm);
  WriteKeyStores(key_stores, writer);
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
