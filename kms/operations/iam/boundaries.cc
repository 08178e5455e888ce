// SPDX-License-Identifier: Apache-2.0
// Permissions boundaries: IAM User Guide, "Permissions boundaries for IAM
// entities".
#include "kms/operations/iam/documents.h"
#include "kms/operations/iam/handlers.h"
#include "kms/operations/iam/subject.h"
#include "kms/operations/identities.h"

namespace kms::operations::iam {
namespace {

// `arn` is empty for none.
Answer SetBoundary(Call& call, std::string_view arn) {
  auto change = [&](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(Entity entity, GetSubject(call, transaction));
    RETURN_IF_ERROR(CheckBoundary(transaction, entity.account, arn));
    entity.boundary = arn;
    return transaction.identities().UpdateEntity(entity);
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  co_return Reply();
}

}  // namespace

Answer PutBoundary(Call& call) {
  return SetBoundary(call, *call.Text("PermissionsBoundary"));
}

Answer DeleteBoundary(Call& call) { return SetBoundary(call, ""); }

}  // namespace kms::operations::iam
