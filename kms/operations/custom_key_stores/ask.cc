// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/custom_key_stores/ask.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "kms/json_writer.h"
#include "kms/managed_keys.h"
#include "kms/operations/custom_key_stores/outcomes.h"
#include "kms/operations/custom_key_stores/rules.h"
#include "kms/operations/dry_run.h"
#include "kms/operations/xks_caller.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

void FillMetadata(const Call& call, hsm::XksRequest& request) {
  const Caller& caller = call.request.caller;
  request.kms_request_id = call.request.request_id;
  request.kms_operation = call.operation.name;
  request.principal_arn = caller.arn;
  if (caller.kind == CallerKind::kService) {
    request.principal_arn = caller.service;
    request.via_service = ViaService(caller.service, call.request.region);
  }
}

asio::awaitable<base::Result<hsm::XksReply>> AskAndCount(
    Environment& environment, std::string store, hsm::XksRequest request) {
  const XksAsked asked = {.store = std::move(store),
                          .kms_operation = request.kms_operation,
                          .operation = request.operation};
  auto reply = co_await environment.xks->Ask(std::move(request));
  XksStats& stats = environment.custom_key_stores.stats();
  if (!reply && reply.error().code == ErrorCode::kInvalidArgument) {
    // Nothing that could be asked: what the API's shapes let through is still
    // no name of a host.
    hsm::XksReply refused;
    refused.outcome = hsm::XksOutcome::kInvalidUriPath;
    refused.message = reply.error().message;
    reply = std::move(refused);
  }
  if (reply) {
    stats.Count(asked, *reply);
  } else {
    stats.CountFailure(asked, reply.error().code);
  }
  co_return reply;
}

}  // namespace

base::Status RequireXks(const Environment& environment) {
  if (environment.xks != nullptr) {
    return {};
  }
  return Error{ErrorCode::kUnsupportedOperation,
               "External key stores are not enabled on this server. Its "
               "operator can enable them."};
}

asio::awaitable<base::Result<hsm::XksOutcome>> AskHealth(
    Environment& environment, XksProxyPtr proxy, std::string kms_operation,
    std::string request_id, std::string store) {
  CO_RETURN_IF_ERROR(RequireXks(environment));
  hsm::XksRequest request;
  const std::string endpoint = proxy->endpoint;
  request.proxy = std::move(proxy);
  request.operation = hsm::XksOperation::kHealth;
  request.kms_operation = std::move(kms_operation);
  request.kms_request_id = std::move(request_id);
  CO_ASSIGN_OR_RETURN(
      const hsm::XksReply reply,
      co_await AskAndCount(environment, store, std::move(request)));
  if (!store.empty()) {
    environment.custom_key_stores.stats().NoteHealth(store, reply);
  }
  const hsm::XksOutcome outcome = JudgeHealth(reply);
  if (outcome != hsm::XksOutcome::kOk) {
    base::LogWarning("external key store proxy {}: {} ({})", endpoint,
                     RowOf(outcome).text, reply.message);
  }
  co_return outcome;
}

asio::awaitable<base::Status> CheckProxy(const Call& call, XksProxyPtr proxy) {
  std::string operation(call.operation.name);
  std::string request_id(call.request.request_id);
  const auto asked =
      co_await AskHealth(call.environment, std::move(proxy),
                         std::move(operation), std::move(request_id));
  if (!asked && asked.error().code == ErrorCode::kIo) {
    base::LogWarning("{}", asked.error().message);
    co_return StoreErrorOf(hsm::XksOutcome::kNotReachable);
  }
  CO_RETURN_IF_ERROR(asked);
  co_return *asked == hsm::XksOutcome::kOk ? base::Status()
                                           : base::Status(StoreErrorOf(*asked));
}

asio::awaitable<base::Result<hsm::XksReply>> AskForCall(
    Call& call, std::string_view custom_key_store, hsm::XksRequest request) {
  if (call.Flag("DryRun")) {
    co_return DryRunSucceeded();
  }
  CO_RETURN_IF_ERROR(RequireXks(call.environment));
  if (call.environment.custom_key_stores.IsFull(custom_key_store)) {
    call.environment.custom_key_stores.stats().CountFailure(
        {.store = std::string(custom_key_store),
         .kms_operation = std::string(call.operation.name),
         .operation = request.operation},
        ErrorCode::kThrottled);
    co_return Error{ErrorCode::kThrottled,
                    "The external key store proxy answers too slowly for so "
                    "many requests. Try again."};
  }
  const auto pass = call.environment.custom_key_stores.Admit(custom_key_store);
  if (!pass) {
    co_return Error{
        ErrorCode::kCustomKeyStoreInvalidState,
        fmt::format("Custom key store {} is not connected.", custom_key_store)};
  }
  request.proxy = pass->proxy();
  FillMetadata(call, request);
  auto reply = co_await AskAndCount(
      call.environment, std::string(custom_key_store), std::move(request));
  if (!reply && reply.error().code == ErrorCode::kIo) {
    reply = hsm::XksReply();
    reply->outcome = hsm::XksOutcome::kNotReachable;
  }
  co_return reply;
}

base::Result<OpenCustomKeyStore> FindCustomKeyStore(const Call& call,
                                                    std::string_view id) {
  const auto list = call.environment.custom_key_stores.current();
  const OpenCustomKeyStore* const open = list->Find(id);
  if (open == nullptr || open->store.account != call.request.caller.account ||
      open->store.region != call.request.region) {
    return NoSuchCustomKeyStore(id);
  }
  return *open;
}

base::Result<CustomKeyStore> TakeCustomKeyStore(
    const Call& call, store::Transaction& transaction) {
  const std::string_view id = *call.Text("CustomKeyStoreId");
  auto store = transaction.custom_key_stores().GetCustomKeyStore(id);
  if (!store && store.error().code == ErrorCode::kNotFound) {
    return NoSuchCustomKeyStore(id);
  }
  return store;
}

Reply EmptyObject() {
  Reply reply;
  JsonWriter(reply.body).BeginObject().EndObject();
  return reply;
}

base::Status RequireConnectedXks(const Call& call, std::string_view id) {
  ASSIGN_OR_RETURN(const OpenCustomKeyStore open, FindCustomKeyStore(call, id));
  if (!open.HasProxy()) {
    return Error{
        ErrorCode::kUnsupportedOperation,
        fmt::format("Custom key store {} is no external key store.", id)};
  }
  return RequireStoreState(open.store, {ConnectionState::kConnected});
}

}  // namespace kms::operations
