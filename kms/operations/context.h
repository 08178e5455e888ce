// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_CONTEXT_H_
#define KMS_OPERATIONS_CONTEXT_H_

#include "base/result.h"
#include "kms/operations/call.h"

namespace kms::operations {

// Sets `call.context` to the condition keys of `check` (AWS KMS Developer
// Guide, "Condition keys for AWS KMS", and the global aws: keys). A key without
// a value is absent, never empty. The tags and aliases of the key are there
// only if its policy asks for them; what the store says if it cannot be read.
base::Status BuildContext(Call& call, const Check& check);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CONTEXT_H_
