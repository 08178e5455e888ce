// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_AUTHORIZE_H_
#define KMS_OPERATIONS_AUTHORIZE_H_

#include "base/result.h"
#include "kms/operations/call.h"
#include "policy/evaluate.h"

// Whether a call may go on: docs/authorization.md.
namespace kms::operations {

// Asks about each of the call's checks, in their order; grants are looked up
// only where policies do not allow. Leaves the last decision and its condition
// context in the call. Fails with kAccessDenied and AWS's sentence.
base::Status Authorize(Call& call);

// What `check` asks of policies under the condition context in the call.
policy::Request QuestionOf(const Call& call, const Check& check);

// Whether `check` would be allowed, for a call that tells of many keys and is
// silent about those that its caller may not see. The call's own decision and
// condition context stay.
base::Result<bool> Allows(Call& call, const Check& check);

// Decides about one check as Authorize does, under the condition context in the
// call, and tells `trace` why. Leaves the decision in the call. The traced
// grants are those that name the caller and were looked at. What `trace` views
// lives as long as the call, its caller and the key.
base::Status ExplainCheck(Call& call, const Check& check, policy::Trace& trace);

// Fails with kMalformedPolicy if, under its own policy alone, the caller could
// not put the next policy of `key`, which may not be in the store yet, unless
// the call's BypassPolicyLockoutSafetyCheck is true. AWS KMS API Reference,
// PutKeyPolicy.
base::Status CheckLockout(Call& call, Key key);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_AUTHORIZE_H_
