// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_EXPLAIN_SCOPE_H_
#define KMS_OPERATIONS_EXPLAIN_SCOPE_H_

#include <string_view>

#include "base/result.h"
#include "kms/operations/call.h"

// Explanations show policies: they are about the caller's own account. The
// operator, whose the whole server is, may look at all of them.
namespace kms::operations {

bool MaySee(const Call& call, std::string_view account);

// Sets `call.key` to the key that member KeyId names. Fails with kAccessDenied
// for one of an account that the caller may not see, whether it exists or not.
base::Status FindVisibleKey(Call& call);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_EXPLAIN_SCOPE_H_
