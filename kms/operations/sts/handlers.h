// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_STS_HANDLERS_H_
#define KMS_OPERATIONS_STS_HANDLERS_H_

#include "kms/operations/handlers.h"

// What the rows of sts/table.cc point to, like handlers.h.
namespace kms::operations {

base::Status ResolveAssumeRole(Call& call);
Answer AssumeRole(Call& call);

base::Status ResolveAssumeRoleWithWebIdentity(Call& call);
Answer AssumeRoleWithWebIdentity(Call& call);

base::Status ResolveGetCallerIdentity(Call& call);
Answer GetCallerIdentity(Call& call);

base::Status ResolveGetSessionToken(Call& call);
Answer GetSessionToken(Call& call);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_STS_HANDLERS_H_
