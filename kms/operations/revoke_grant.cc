// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/dry_run.h"
#include "kms/operations/grants.h"
#include "kms/operations/handlers.h"

namespace kms::operations {

base::Status ValidateRevokeGrant(const Call& call) {
  return CheckGrantId(call);
}

Answer RevokeGrant(Call& call) {
  const std::string id(*call.Text("GrantId"));
  auto change = [&call, &id](store::Transaction& transaction) -> base::Status {
    const auto grant = transaction.GetGrant(id);
    const bool gone = grant ? grant->key_row_id != call.key->row_id
                            : grant.error().code == base::ErrorCode::kNotFound;
    if (gone) {
      return NoSuchGrant(call);
    }
    RETURN_IF_ERROR(grant);
    RETURN_IF_ERROR(transaction.DeleteGrant(id));
    return call.Flag("DryRun") ? base::Status(DryRunSucceeded())
                               : base::Status();
  };
  CO_RETURN_IF_ERROR(co_await call.Commit(change));
  co_return Reply();
}

}  // namespace kms::operations
