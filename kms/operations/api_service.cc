// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/api_service.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "kms/operations/authorize.h"
#include "kms/operations/custom_key_stores/key_rules.h"
#include "kms/operations/dry_run.h"
#include "kms/operations/grant_token.h"
#include "kms/operations/identities.h"
#include "kms/operations/imported_material.h"
#include "kms/operations/last_usage.h"
#include "kms/operations/managed_key.h"
#include "kms/operations/outbox.h"
#include "kms/operations/query_input.h"
#include "kms/operations/record.h"
#include "kms/operations/resolve.h"
#include "kms/operations/unavailable.h"

namespace kms::operations {
namespace {

// Stands in for an operation that does not exist, so that the attempt can be
// recorded like any other.
constexpr Operation kUnknownOperation = {};

base::Status CheckStates(const Call& call) {
  for (const Check& check : call.checks) {
    if (check.key == nullptr) {
      continue;
    }
    RETURN_IF_ERROR(
        CheckState(check.states, *AsShown(call.environment, check.key)));
    RETURN_IF_ERROR(CheckServesKey(call.operation, *check.key));
    if (HasExpiredMaterial(*check.key, call.now)) {
      Key expired = *check.key;
      expired.state = KeyState::kPendingImport;
      RETURN_IF_ERROR(CheckState(check.states, expired));
    }
  }
  return {};
}

// A member that the operation does not take is ignored like AWS does, and that
// wholly: it is no condition of a policy and no option either.
void DropUnknownMembers(std::span<const Member> members, base::Json& input) {
  std::erase_if(input.get_ref<base::Json::object_t&>(), [&](const auto& item) {
    const std::string_view name = item.first;
    return std::ranges::find(members, name, &Member::name) == members.end();
  });
}

base::Result<base::Json> ReadBody(const Call& call) {
  const std::string_view body = call.request.body;
  switch (call.request.body_form) {
    case BodyForm::kQuery:
      return ReadQueryInput(body, call.operation.input);
    case BodyForm::kJson:
      return base::ParseJson(body.empty() ? "{}" : body);
  }
  return base::Error{base::ErrorCode::kInternal, "a body of no known form"};
}

// From the bytes of the request to an input that its operation takes.
base::Status ReadInput(Call& call) {
  ASSIGN_OR_RETURN(base::Json input, ReadBody(call));
  call.input = std::make_unique<base::Json>(std::move(input));
  RETURN_IF_ERROR(CheckInput(call.operation.input, *call.input, call.blobs));
  DropUnknownMembers(call.operation.input, *call.input);
  return call.operation.validate == nullptr ? base::Status()
                                            : call.operation.validate(call);
}

// AWS STS API Reference, GetSessionToken: without a second factor its
// credentials may not call IAM.
base::Status CheckCredentials(const Call& call) {
  const Caller& caller = call.request.caller;
  if (caller.kind == CallerKind::kUser && caller.session != nullptr &&
      call.operation.service == "IAM") {
    return base::Error{base::ErrorCode::kAccessDenied,
                       "Credentials of GetSessionToken cannot call IAM: use an "
                       "access key, or assume a role."};
  }
  // Of what nobody has signed, only a token can say who asks.
  if (caller.kind == CallerKind::kAnonymous &&
      call.operation.name != "AssumeRoleWithWebIdentity") {
    return base::Error{base::ErrorCode::kMissingAuthentication,
                       "Missing Authentication Token"};
  }
  return {};
}

// From there to the point where the operation may run.
base::Status Admit(Call& call) {
  RETURN_IF_ERROR(CheckCredentials(call));
  RETURN_IF_ERROR(call.operation.resolve(call));
  RETURN_IF_ERROR(Authorize(call));
  return CheckStates(call);
}

// Whether a material of the key is somewhere else than when it was read.
bool HasMoved(const Call& call, const KeyPtr& key) {
  if (key == nullptr) {
    return false;
  }
  const auto now = call.environment.store.FindKey(key->row_id);
  return now && std::ranges::any_of(key->materials, [&](const auto& before) {
           const KeyMaterial* const after = (*now)->FindMaterial(before.id);
           return after != nullptr && after->ref.locator != before.ref.locator;
         });
}

// The work. A material that was moved (MoveKey) while the request was on its
// way is forgotten where it was; then everything is read and decided again.
boost::asio::awaitable<base::Result<Reply>> Work(Call& call) {
  auto reply = co_await call.operation.run(call);
  if (!call.unusable.empty() &&
      (HasMoved(call, call.key) || HasMoved(call, call.source))) {
    call.unusable.clear();
    call.checks.clear();
    CO_RETURN_IF_ERROR(Admit(call));
    reply = co_await call.operation.run(call);
  }
  if (!call.unusable.empty()) {
    base::LogError("{}", call.unusable);
  }
  co_return reply;
}

base::Error UnknownOperation() {
  return {base::ErrorCode::kUnknownOperation, ""};
}

}  // namespace

boost::asio::awaitable<base::Result<Reply>> ApiService::Run(Call& call) {
  if (call.operation.service == "IAM" &&
      call.environment.directory.is_behind()) {
    // What a change that was not confirmed has done must not be denied.
    CO_RETURN_IF_ERROR(co_await LoadIdentities(call.environment));
  }
  CO_RETURN_IF_ERROR(ReadInput(call));
  if (HasGrantTokens(call)) {
    CO_RETURN_IF_ERROR(co_await OpenGrantTokens(call));
  }
  CO_RETURN_IF_ERROR(co_await EnsureManagedKey(call));
  CO_RETURN_IF_ERROR(Admit(call));
  if (IgnoresCiphertext(call)) {
    co_return DryRunSucceeded();
  }
  auto reply = co_await Work(call);
  if (reply && call.Flag("DryRun")) {
    // What changes something has ended itself. What does not has run, and its
    // answer is dropped.
    co_return DryRunSucceeded();
  }
  co_return reply;
}

boost::asio::awaitable<base::Status> ApiService::Record(
    Call& call, const base::Error* error) {
  if (!call.committed_event.empty()) {
    store::OutboxEvent event = {call.event_id, std::move(call.committed_event)};
    co_return co_await AppendCommitted(environment_, std::move(event));
  }
  // Named first: g++ 12 destroys a temporary of ?: inside co_await twice.
  std::string event =
      error == nullptr ? SuccessEvent(call, 0) : FailureEvent(call, *error);
  co_return co_await environment_.log.Append(std::move(event));
}

boost::asio::awaitable<base::Result<Reply>> ApiService::Handle(
    const Request& request) {
  const Operation* const operation =
      FindOperation(request.service, request.operation);
  Call call(environment_, request,
            operation == nullptr ? kUnknownOperation : *operation);
  call.now = environment_.clock.Now();
  call.event_id = base::NewUuidText();

  base::Result<Reply> reply = UnknownOperation();
  if (operation != nullptr) {
    reply = co_await Run(call);
    if (!reply) {
      reply = AsModelled(*operation, std::move(reply).error());
    }
  }
  std::optional<LastUsage::Recording> recording;
  if (reply && IsTrackedOperation(call.operation.name)) {
    recording.emplace(environment_.last_usage);
  }
  const base::Error* const error = reply ? nullptr : &reply.error();
  CO_RETURN_IF_ERROR(co_await Record(call, error));
  if (reply) {
    environment_.last_usage.Note(call);
  }
  co_return reply;
}

base::Status ApiService::Ready() const {
  const KeyStore& primary = environment_.key_stores.primary();
  if (!primary.hsm.Ready()) {
    return base::Error{base::ErrorCode::kHsmUnavailable,
                       "no worker of key store '" + primary.name + "' answers"};
  }
  if (!environment_.log.health().writable) {
    return base::Error{base::ErrorCode::kAuditUnavailable,
                       "the audit log cannot be written"};
  }
  return {};
}

}  // namespace kms::operations
