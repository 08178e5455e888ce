// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/dry_run.h"
#include "kms/operations/grants.h"
#include "kms/operations/handlers.h"
#include "kms/operations/resolve.h"

namespace kms::operations {
namespace {

using base::Error;
using base::ErrorCode;

bool GranteeMayRetire(const Grant& grant) {
  return grant.operations.Has(GrantOperation::kRetireGrant);
}

// The grant itself lets its retiring principal retire it, and its grantee if it
// lists RetireGrant.
bool AllowsRetiring(const Grant& grant, const Caller& caller) {
  return IsPrincipal(caller, grant.retiring_principal) ||
         (GranteeMayRetire(grant) &&
          IsPrincipal(caller, grant.grantee_principal));
}

// Whether `arn` is the root of the caller's account: whom that account lets
// retire grants, its own policies say.
bool IsOwnRoot(const Caller& caller, std::string_view arn) {
  return IsAccountRoot(arn) && AccountOfPrincipal(arn) == caller.account;
}

// The account whose policies decide for those whom the grant does not name: the
// one that created it, or one that the grant names as a whole.
const std::string& DecidingAccount(const Grant& grant, const Caller& caller) {
  const bool named =
      IsOwnRoot(caller, grant.retiring_principal) ||
      (GranteeMayRetire(grant) && IsOwnRoot(caller, grant.grantee_principal));
  return named ? caller.account : grant.issuing_account;
}

// The grant in KeyId and GrantId; nullptr if there is none.
base::Result<GrantPtr> FindByIds(Call& call) {
  auto grant = call.environment.store.FindGrant(*call.Text("GrantId"));
  if (!grant && grant.error().code != ErrorCode::kNotFound) {
    return Error(grant.error());
  }
  return grant && (*grant)->key_row_id == call.key->row_id ? *grant
                                                           : GrantPtr();
}

}  // namespace

base::Status ValidateRetireGrant(const Call& call) {
  const bool by_token = call.Find("GrantToken") != nullptr;
  const auto key = call.Text("KeyId");
  const bool has_id = call.Find("GrantId") != nullptr;
  if (by_token ? key.has_value() || has_id : !key || !has_id) {
    return Error{ErrorCode::kValidation,
                 "Specify either GrantToken, or both KeyId and GrantId."};
  }
  if (key && !key->starts_with("arn:")) {
    return Error{ErrorCode::kInvalidArn,
                 "RetireGrant takes the ARN of the key in KeyId."};
  }
  return CheckGrantId(call);
}

base::Status ResolveRetireGrant(Call& call) {
  if (call.grant != nullptr) {
    ASSIGN_OR_RETURN(call.key,
                     call.environment.store.FindKey(call.grant->key_row_id));
  } else {
    ASSIGN_OR_RETURN(call.key,
                     FindKey(call, *call.Text("KeyId"), KeyForms::kIdOrArn));
    ASSIGN_OR_RETURN(call.grant, FindByIds(call));
  }
  AddKeyCheck(call, call.operation.action, call.key, call.operation.states);
  if (call.grant != nullptr) {
    const Caller& caller = call.request.caller;
    call.checks.back().account = DecidingAccount(*call.grant, caller);
    call.checks.back().granted = AllowsRetiring(*call.grant, caller);
  }
  return {};
}

Answer RetireGrant(Call& call) {
  // Only now, so that whoever may not retire learns nothing.
  if (call.grant == nullptr) {
    co_return NoSuchGrant(call);
  }
  call.grant_id = call.grant->id;
  auto change = [&call](store::Transaction& transaction) -> base::Status {
    RETURN_IF_ERROR(transaction.DeleteGrant(call.grant_id));
    return call.Flag("DryRun") ? base::Status(DryRunSucceeded())
                               : base::Status();
  };
  CO_RETURN_IF_ERROR(co_await call.Commit(change));
  co_return Reply();
}

}  // namespace kms::operations
