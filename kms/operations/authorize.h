// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_AUTHORIZE_H_
#define KMS_OPERATIONS_AUTHORIZE_H_

#include <string_view>

#include "base/result.h"
#include "kms/operations/call.h"

// Whether a call may go on: docs/authorization.md.
namespace kms::operations {

// Asks about each of the call's checks, in their order; grants are looked up
// only where policies do not allow. Leaves the last decision and its condition
// context in the call. Fails with kAccessDenied and AWS's sentence.
base::Status Authorize(Call& call);

// Fails with kMalformedPolicy if, under `policy` alone, the caller could not
// put the next policy of `key`, unless the call's
// BypassPolicyLockoutSafetyCheck is true. AWS KMS API Reference, PutKeyPolicy.
base::Status CheckLockout(Call& call, const Key& key, std::string_view policy);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_AUTHORIZE_H_
