// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/custom_key_stores/ask.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
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

// A worker does not ask a proxy for a second that has let the last requests
// time out. One that makes a store must not be told so of another's requests.
constexpr int kMostRefusals = 6;
constexpr std::chrono::milliseconds kRefusalPause{250};

constexpr std::size_t kLongestShown = 256;

// What a stranger has said, for the log.
std::string Shown(std::string_view text) {
  std::string shown(text.substr(0, kLongestShown));
  std::ranges::replace_if(
      shown, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return shown;
}

// Neither what was sent nor what came back is in there.
void LogFailure(const Call& call, std::string_view store, XksFailure kind,
                std::string_view what, std::string_view said) {
  Environment& environment = call.environment;
  const auto passed_over = environment.custom_key_stores.failures().Count(
      store, kind, environment.clock.Monotonic());
  if (!passed_over) {
    return;
  }
  const std::string others =
      *passed_over == 0
          ? std::string()
          : fmt::format("; {} more like this were not logged", *passed_over);
  base::LogWarning("custom key store {}: {} failed: {} ({}){}", store,
                   call.operation.name, what, Shown(said), others);
}

// Whether the worker answered in place of the proxy, which let the last
// requests time out: what was not sent took no time.
bool IsRefusal(const hsm::XksReply& reply) {
  return reply.outcome == hsm::XksOutcome::kTimedOut && reply.microseconds == 0;
}

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
  if (reply) {
    stats.Count(asked, *reply);
    co_return reply;
  }
  stats.CountFailure(asked, reply.error().code);
  if (reply.error().code == ErrorCode::kInvalidArgument) {
    // What the API's shapes let through is still no name of a host.
    base::LogWarning("{}", reply.error().message);
    co_return Error{ErrorCode::kXksProxyInvalidConfiguration,
                    "XksProxyUriEndpoint does not name a host that can be "
                    "asked. Check the name after https://."};
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
  if (IsRefusal(reply)) {
    co_return Error{ErrorCode::kBusy, reply.message};
  }
  const hsm::XksOutcome outcome = JudgeHealth(reply);
  if (outcome != hsm::XksOutcome::kOk) {
    base::LogWarning("external key store proxy {}: {} ({})", endpoint,
                     RowOf(outcome).text, reply.message);
  }
  co_return outcome;
}

namespace {

asio::awaitable<void> Pause(std::chrono::milliseconds duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

// AskHealth() until the proxy is asked, for a while.
asio::awaitable<base::Result<hsm::XksOutcome>> AskPatiently(const Call& call,
                                                            XksProxyPtr proxy) {
  for (int refusals = 1;; ++refusals) {
    std::string operation(call.operation.name);
    std::string request_id(call.request.request_id);
    auto asked = co_await AskHealth(
        call.environment, proxy, std::move(operation), std::move(request_id));
    if (asked || asked.error().code != ErrorCode::kBusy ||
        refusals == kMostRefusals) {
      co_return asked;
    }
    co_await Pause(kRefusalPause);
  }
}

// What a failed request to the proxy means for a call that uses a key.
base::Result<hsm::XksReply> Judge(const Call& call, std::string_view store,
                                  base::Result<hsm::XksReply> reply) {
  if (reply) {
    if (reply->outcome != hsm::XksOutcome::kOk) {
      LogFailure(call, store, reply->outcome, RowOf(reply->outcome).text,
                 reply->message);
    }
    return reply;
  }
  const Error& error = reply.error();
  LogFailure(call, store, error.code, "its proxy was not asked", error.message);
  if (error.code == ErrorCode::kXksProxyInvalidConfiguration) {
    return Error{ErrorCode::kCustomKeyStoreInvalidState, error.message};
  }
  if (error.code == ErrorCode::kIo) {
    hsm::XksReply unreachable;
    unreachable.outcome = hsm::XksOutcome::kNotReachable;
    return unreachable;
  }
  return reply;
}

}  // namespace

void NoteMalformed(const Call& call, std::string_view custom_key_store,
                   std::string_view what) {
  LogFailure(call, custom_key_store, hsm::XksOutcome::kMalformed,
             RowOf(hsm::XksOutcome::kMalformed).text, what);
}

asio::awaitable<base::Status> CheckProxy(const Call& call, XksProxyPtr proxy) {
  const auto asked = co_await AskPatiently(call, std::move(proxy));
  if (!asked && asked.error().code == ErrorCode::kBusy) {
    base::LogWarning("{}", asked.error().message);
    co_return StoreErrorOf(hsm::XksOutcome::kTimedOut);
  }
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
    LogFailure(call, custom_key_store, ErrorCode::kThrottled,
               "its proxy was not asked",
               fmt::format("{} requests to it are out",
                           CustomKeyStoreSource::kMostOut));
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
  co_return Judge(call, custom_key_store, std::move(reply));
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
