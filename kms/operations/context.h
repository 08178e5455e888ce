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

// Adds what is dear to look up, as far as the policies of the caller or of
// `key` ask for it: the tags and aliases of the key.
base::Status AddLookedUp(Call& call, const Key& key);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CONTEXT_H_
