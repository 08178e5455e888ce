// SPDX-License-Identifier: Apache-2.0
// A policy document of each kind, and a case of `claviger policy evaluate`:
// whatever it is, it is compiled and decided by, or refused.
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "policy/decide.h"
#include "policy/evaluate_case.h"
#include "policy/json.h"
#include "policy/policy.h"

namespace {

using policy::PolicyKind;

void Require(bool ok) {
  if (!ok) {
    std::abort();
  }
}

// The two readers of JSON agree, but for numbers: this one keeps their spelling
// and does not mind if no type holds their value.
void CheckJson(std::string_view text) {
  const bool here = policy::JsonText::Parse(text).has_value();
  const bool there = base::ParseJson(text).has_value();
  Require(here || !there);
  const bool may_overflow =
      text.find_first_of("eE") != std::string_view::npos || text.size() > 300;
  Require(here == there || may_overflow);
}

void CheckDecision(const policy::Policy& policy) {
  constexpr std::string_view kUser = "arn:aws:iam::111122223333:user/alice";
  const std::vector<policy::ContextEntry> context = {
      {"aws:PrincipalArn", {}, kUser},
      {"aws:username", {}, "alice"},
      {"aws:SourceIp", {}, "10.1.2.3"},
      {"aws:CurrentTime", {}, "2024-01-31T00:00:00Z"},
      {"aws:TagKeys", {}, "a"},
      {"aws:TagKeys", {}, "b"},
      {"kms:EncryptionContext:", "Dept", "IT"}};
  const policy::Request request = {
      .action = "kms:Decrypt",
      .resource = "arn:aws:kms:eu-west-1:111122223333:key/k",
      .resource_account = "111122223333",
      .principal = kUser,
      .principal_account = "111122223333",
      .context = context};
  const policy::Policy* const pointer = &policy;
  const policy::Authority authority = {.resource_policy = &policy,
                                       .identity = {&pointer, 1},
                                       .boundary = {&pointer, 1}};
  policy::Trace trace;
  const policy::Decision plain = policy::Decide(request, authority);
  const policy::Decision traced = policy::Decide(request, authority, &trace);
  Require(plain.verdict == traced.verdict && plain.sid == traced.sid);
  Require(trace.statements.size() == 3 * policy.statements().size());
}

}  // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text = base::AsText({bytes, size});
  CheckJson(text);
  for (const PolicyKind kind :
       {PolicyKind::kKey, PolicyKind::kIdentity,
        PolicyKind::kPermissionsBoundary, PolicyKind::kSession,
        PolicyKind::kTrust, PolicyKind::kServiceControl,
        PolicyKind::kResourceControl, PolicyKind::kResource}) {
    const auto policy = policy::Policy::Parse(kind, text);
    if (policy) {
      CheckDecision(*policy);
    } else {
      Require(policy.error().code == base::ErrorCode::kMalformedPolicy ||
              policy.error().code == base::ErrorCode::kLimitExceeded);
    }
  }
  Require(base::ParseJson(policy::EvaluateCase(text)).has_value());
  return 0;
}
