// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_EXPLAIN_H_
#define POLICY_EXPLAIN_H_

#include <string>

#include "policy/evaluate.h"
#include "policy/request.h"

namespace policy {

// Why `request` was decided so, as a JSON object:
//
//   {"decision": {"verdict": "Allow", "layer": "...", "sid": "...",
//                 "reason": "...", "policy": index or null},
//    "request": {"action": "kms:Decrypt", "resource": ARN or "*",
//                "principal": ARN, "principalAccount": "...",
//                "context": {key: value, or list for a key that may have
//                            several}},
//    "statements": [{"layer": "identity-based policy", "policy": index,
//                    "statement": index, "sid": "...", "effect": "Deny",
//                    "outcome": "condition",
//                    "condition": {"operator": "StringEquals", "key": "...",
//                                  "values": [...], "actual": [...]}}...],
//    "grants": [{"id": "...", "outcome": "grantee"}...]}
//
// Indices count from 0, texts that do not exist are empty. The outcomes are
// those of OutcomeName(). A statement has a condition if one was the first that
// did not hold or could not be evaluated; "actual" is empty if the request
// lacks its key. Grants are those that were looked at: none if something else
// has decided. Keys of the context that differ in case only are one. What is
// not UTF-8 becomes U+FFFD.
//
// `decision` and `trace` are of Decide(request, ..., &trace).
std::string ExplainJson(const Request& request, const Decision& decision,
                        const Trace& trace);

}  // namespace policy

#endif  // POLICY_EXPLAIN_H_
