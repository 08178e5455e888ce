// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/context.h"
#include "kms/operations/explain/handlers.h"
#include "kms/operations/explain/principals.h"
#include "kms/operations/explain/scope.h"
#include "kms/operations/resolve.h"
#include "policy/action.h"

namespace kms::operations {
namespace {

// Users, roles and roots of other accounts are not the caller's to look at; a
// service is of no account.
base::Result<CallerPtr> FindPrincipal(const Call& call) {
  const std::string_view arn = *call.Text("PrincipalArn");
  const std::string account = AccountOfArn(arn);
  if (!account.empty() && !MaySee(call, account)) {
    return base::Error{base::ErrorCode::kAccessDenied,
                       "Only principals of the caller's own account can be "
                       "simulated: ask from " +
                           account +
                           ", or as the server's operator on its Unix socket."};
  }
  const std::string& of =
      call.key == nullptr ? call.request.caller.account : call.key->account;
  return FindCaller(call.environment, arn, of, call.now);
}

}  // namespace

base::Status ValidateAction(const Call& call) {
  if (policy::IsActionPattern(*call.Text("Action"), /*only_kms=*/false) &&
      call.Text("Action")->find_first_of("*?") == std::string_view::npos) {
    return {};
  }
  return base::Error{base::ErrorCode::kValidation,
                     "Action must be one permission, such as kms:Decrypt."};
}

Answer SimulatePolicy(Call& call) {
  if (call.Text("KeyId")) {
    CO_RETURN_IF_ERROR(FindVisibleKey(call));
  }
  CO_ASSIGN_OR_RETURN(CallerPtr caller, FindPrincipal(call));
  const std::string action = SpelledAction(*call.Text("Action"));
  Subject subject(call.environment, {.caller = std::move(caller),
                                     .operation = FindOperationOf(action),
                                     .region = std::string(call.request.region),
                                     .time = call.now});
  Call& supposed = subject.call();
  supposed.key = call.key;
  const std::string resource = call.key == nullptr ? "*" : call.key->Arn();
  CO_ASSIGN_OR_RETURN(const Check check, CheckOf(supposed, action, resource));
  CO_RETURN_IF_ERROR(BuildContext(supposed, check));
  if (const base::Json* const given = call.Find("Context")) {
    PutKeys(ReadGivenKeys(*given), supposed);
  }
  AddDerivedKeys(supposed);
  CO_ASSIGN_OR_RETURN(const std::string explanation,
                      ExplanationOf(supposed, check));
  Reply reply;
  reply.body = explanation;
  co_return reply;
}

}  // namespace kms::operations
