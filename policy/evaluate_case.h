// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_EVALUATE_CASE_H_
#define POLICY_EVALUATE_CASE_H_

#include <string>
#include <string_view>

namespace policy {

// Decides one case that is written down, so that policies can be tested without
// a server. `line` is a JSON object:
//
//   {"id": any scalar,
//    "request": {"principal": ARN or name of a service, "action":
//    "kms:Decrypt",
//                "resource": {"resource": ARN or "*", "accountId": optional},
//                "context": {key: scalar, or list for a multivalued key}},
//    "identityPolicies": [POLICY...], "permissionBoundaries": [POLICY...],
//    "sessionPolicy": POLICY, "resourcePolicy": document,
//    "serviceControlPolicies":
//        [{"orgIdentifier": "...", "policies": [POLICY...]}...],
//    "resourceControlPolicies": likewise}
//
// where POLICY is a policy document, or {"name": "...", "policy": document};
// everything but the request may be missing or null. A list without values is
// as if its key were missing, an empty list of boundaries or levels as if there
// were none. A role's session is matched to roles by name, or by the role's ARN
// in the context's aws:PrincipalArn if it is there.
//
// Returns, without a line break:
//
//   {"id": as given, "result": "Allowed", "by": "grant", "sid": if it has one}
//
// with "Allowed", "ExplicitlyDenied" or "ImplicitlyDenied" and the layer that
// decided; or {"id": ..., "error": "..."} for what is no such case, or has a
// malformed policy. An unknown member is an error: it could be a Deny with a
// misspelt name. Pure; safe to call from any thread.
std::string EvaluateCase(std::string_view line);

// The same, for who must know which of the two it is.
struct CaseAnswer {
  std::string line;
  bool is_case = false;  // False: `line` has an "error".
};
CaseAnswer AnswerCase(std::string_view line);

}  // namespace policy

#endif  // POLICY_EVALUATE_CASE_H_
