// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_IAM_CONTEXT_H_
#define KMS_OPERATIONS_IAM_CONTEXT_H_

#include "kms/operations/call.h"

namespace kms::operations::iam {

// Adds the condition keys that only IAM's actions have:
// iam:PolicyARN, iam:PermissionsBoundary, and aws:ResourceTag/ and
// iam:ResourceTag/ of what the call is about. Service Authorization Reference,
// "Actions, resources, and condition keys for AWS Identity and Access
// Management (IAM)".
void AddContext(Call& call);

}  // namespace kms::operations::iam

#endif  // KMS_OPERATIONS_IAM_CONTEXT_H_
