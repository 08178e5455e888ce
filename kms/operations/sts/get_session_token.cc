// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/sts/handlers.h"
#include "kms/operations/sts/session.h"

namespace kms::operations {
namespace {

constexpr std::int64_t kDefaultSeconds = 43200;

}  // namespace

// AWS STS API Reference, GetSessionToken: a user's own, and no policy is asked.
base::Status ResolveGetSessionToken(Call& call) {
  const Caller& caller = call.request.caller;
  if (caller.kind != CallerKind::kUser || caller.session != nullptr ||
      caller.administrator) {
    return base::Error{base::ErrorCode::kAccessDenied,
                       "Cannot call GetSessionToken with session credentials, "
                       "or as anyone but a user with an access key."};
  }
  if (call.Find("SerialNumber") != nullptr ||
      call.Find("TokenCode") != nullptr) {
    return base::Error{base::ErrorCode::kAccessDenied,
                       "MultiFactorAuthentication failed: this server knows no "
                       "MFA devices. Leave out SerialNumber and TokenCode."};
  }
  return {};
}

Answer GetSessionToken(Call& call) {
  identity::Session session;
  session.account = call.request.caller.account;
  session.principal_id = call.request.caller.principal_id;
  FillCredentials(
      call, call.Number("DurationSeconds").value_or(kDefaultSeconds), session);
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject();
  CO_RETURN_IF_ERROR(co_await WriteCredentials(call, session, writer));
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
