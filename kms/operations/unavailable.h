// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_UNAVAILABLE_H_
#define KMS_OPERATIONS_UNAVAILABLE_H_

#include "base/result.h"
#include "kms/operations/operation.h"

namespace kms::operations {

// `error` as the operation may answer it: not every operation of AWS KMS has
// KeyUnavailableException and DependencyTimeoutException in its model, and a
// client knows only what is there. The message stays. Other errors, and those
// of other services, are as they were.
base::Error AsModelled(const Operation& operation, base::Error error);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_UNAVAILABLE_H_
