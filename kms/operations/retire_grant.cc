// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/dry_run.h"
#include "kms/operations/grants.h"
#include "kms/operations/handlers.h"
#include "kms/operations/resolve.h"

namespace kms::operations {
namespace {

using base::Error;
using base::ErrorCode;

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
