// SPDX-License-Identifier: Apache-2.0
#include "kms/identity/web_identity.h"
#include "kms/operations/resolve.h"
#include "kms/operations/sts/handlers.h"
#include "kms/operations/sts/session.h"

namespace kms::operations {

// Nobody has signed the request: it is the token's word for who asks.
base::Status ResolveAssumeRoleWithWebIdentity(Call& call) {
  // What somebody else may do must not be mixed with what the token's may.
  if (call.request.caller.kind != CallerKind::kAnonymous) {
    return base::Error{base::ErrorCode::kValidation,
                       "AssumeRoleWithWebIdentity is asked for with the token "
                       "alone, in AWS's Query protocol"};
  }
  RETURN_IF_ERROR(CheckSessionMembers(call));
  const auto directory = call.environment.directory.current();
  const identity::Record* const role = RequestedRole(call, *directory);
  const std::string_view token = *call.Text("WebIdentityToken");
  AddRoleChecks(call, role);
  const std::string& account = call.checks.front().account;
  ASSIGN_OR_RETURN(const identity::IdentityProvider* const provider,
                   identity::FindProvider(call.environment.identity_providers,
                                          account, token));
  ASSIGN_OR_RETURN(identity::WebIdentity who,
                   provider->Verify(token, call.now));
  call.web_identity =
      WebCaller{.identity = std::move(who),
                .provider_arn = provider->ProviderArn(account),
                .prefix = std::string(provider->ContextPrefix()),
                .account = account};
  return {};
}

Answer AssumeRoleWithWebIdentity(Call& call) {
  const auto directory = call.environment.directory.current();
  const identity::Record* const role = directory->FindById(call.subject_id);
  if (role == nullptr) {  // It went while we were asking.
    co_return AccessDenied(call, call.checks.front(), {});
  }
  CO_ASSIGN_OR_RETURN(identity::Session session,
                      StartRoleSession(call, *directory, *role));
  const WebCaller& web = *call.web_identity;
  session.provider = web.provider_arn;
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject();
  CO_RETURN_IF_ERROR(co_await WriteCredentials(call, session, writer));
  WriteRoleSession(*role, session, writer);
  writer.Text("SubjectFromWebIdentityToken", web.identity.subject)
      .Text("Provider", web.identity.issuer)
      .Text("Audience", web.identity.audience)
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
