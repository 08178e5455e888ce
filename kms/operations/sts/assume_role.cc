// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/resolve.h"
#include "kms/operations/sts/handlers.h"
#include "kms/operations/sts/session.h"

namespace kms::operations {

base::Status ResolveAssumeRole(Call& call) {
  RETURN_IF_ERROR(CheckSessionMembers(call));
  const auto directory = call.environment.directory.current();
  AddRoleChecks(call, RequestedRole(call, *directory));
  if (call.request.caller.kind == CallerKind::kRoot) {
    return base::Error{base::ErrorCode::kAccessDenied,
                       "Roles may not be assumed by root accounts."};
  }
  return {};
}

Answer AssumeRole(Call& call) {
  const auto directory = call.environment.directory.current();
  const identity::Record* const role = directory->FindById(call.subject_id);
  if (role == nullptr) {  // It went while we were asking.
    co_return AccessDenied(call, call.checks.front(), {});
  }
  CO_ASSIGN_OR_RETURN(const identity::Session session,
                      StartRoleSession(call, *directory, *role));
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject();
  CO_RETURN_IF_ERROR(co_await WriteCredentials(call, session, writer));
  WriteRoleSession(*role, session, writer);
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
