// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_DECIDE_H_
#define POLICY_DECIDE_H_

#include <span>

#include "policy/evaluate.h"
#include "policy/grant.h"
#include "policy/policy.h"
#include "policy/request.h"

// The whole decision on one request. docs/authorization.md; AWS KMS Developer
// Guide, "Determining access to KMS keys"; IAM User Guide, "Policy evaluation
// logic".
namespace policy {

// Policies that add up: what one of them allows is allowed. All are borrowed.
using PolicySet = std::span<const Policy* const>;

// Everything besides the request that a decision rests on. What does not exist
// is left empty. All is borrowed.
struct Authority {
  // Of the key: its key policy. Of the role that is to be assumed: its trust
  // policy.
  const Policy* resource_policy = nullptr;
  // Of the caller: its own policies and its groups', or its role's.
  PolicySet identity = {};
  // Of the caller, or of its role. Empty: it has no boundary.
  PolicySet boundary = {};
  // Of the caller's session. Empty: it has none.
  PolicySet session = {};
  // Of the caller's account, from the root of the organization down. Empty for
  // the management account, and without an organization.
  std::span<const PolicySet> service_control = {};
  // Of the resource's account.
  std::span<const PolicySet> resource_control = {};
  // On the key; at least those whose grantee the caller may be.
  std::span<const Grant> grants = {};
  // Of kms:RetireGrant: the grant that is to be retired.
  const Grant* retired = nullptr;
};

// Decides. An explicit Deny of any layer wins; then every level of service
// control policies must allow; then a key is opened by its key policy, by the
// key policy and an identity-based policy together, or by a grant. What is not
// a key's is opened by identity-based policies. Pure, allocates nothing without
// `trace`, and does not depend on the order of policies or statements, but for
// which of several statements it names. With an `assumption`, what the context
// lacks may be unknown rather than absent; see WhoCan().
Decision Decide(const Request& request, const Authority& authority,
                Trace* trace = nullptr, const Assumption* assumption = nullptr);

}  // namespace policy

#endif  // POLICY_DECIDE_H_
