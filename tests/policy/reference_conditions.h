// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_POLICY_REFERENCE_CONDITIONS_H_
#define TESTS_POLICY_REFERENCE_CONDITIONS_H_

#include <string>
#include <vector>

#include "base/json.h"
#include "tests/policy/scenario.h"

// The half of the reference evaluator that compares values.
namespace policy::reference {

// What a comparison came to; kUnknown where the policy's value is unusable.
enum class Truth { kFalse, kTrue, kUnknown };

// Wildcards by recursion over characters.
bool Glob(const std::u32string& pattern, const std::u32string& text);

// A policy's text with its variables replaced: characters that are literal
// even if they look like wildcards are moved to a private plane. False if a
// variable has no value.
bool Substitute(const std::string& text, bool variables,
                const Question& question, std::u32string& out);

std::u32string Characters(const std::string& utf8);

// Whether a resource's or a condition's pattern of an ARN covers `arn`.
bool CoversArn(const std::string& pattern, const std::string& arn, bool padded,
               bool variables, const Question& question);

// A whole Condition element.
Truth HoldsAll(const base::Json& condition, bool variables,
               const Question& question);

std::string Lower(std::string text);

}  // namespace policy::reference

#endif  // TESTS_POLICY_REFERENCE_CONDITIONS_H_
