// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/policy_alone.h"

#include <time.h>

#include <string>
#include <vector>

#include "policy/decide.h"
#include "policy/evaluate_case.h"

namespace bench {
namespace {

constexpr std::string_view kKey =
    "arn:aws:kms:eu-west-1:111122223333:key/"
    "1234abcd-12ab-34cd-56ef-1234567890ab";
constexpr std::string_view kUser = "arn:aws:iam::111122223333:user/app/worker";

// Statements that look at everything and let nobody in, and the one that does.
std::string KeyPolicy(int statements) {
  std::string text = R"({"Version":"2012-10-17","Statement":[)";
  for (int i = 1; i < statements; ++i) {
    text += R"({"Effect":")" + std::string(i % 3 == 0 ? "Deny" : "Allow") +
            R"(","Principal":{"AWS":"*"},"Action":["kms:Decrypt","kms:Enc*"],)"
            R"("Resource":"*","Condition":{"StringEquals":)"
            R"({"kms:EncryptionContext:tenant":"other-)" +
            std::to_string(i) +
            R"("},"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}},)";
  }
  return text + R"({"Effect":"Allow","Principal":{"AWS":")" +
         std::string(kUser) +
         R"("},"Action":"kms:Decrypt","Resource":"*","Condition":)"
         R"({"StringLike":{"kms:EncryptionContext:tenant":"bench-*"}}}]})";
}

// What a Decrypt over HTTPS has.
std::vector<policy::ContextEntry> Context() {
  return {{"aws:PrincipalArn", {}, kUser},
          {"aws:PrincipalAccount", {}, "111122223333"},
          {"aws:PrincipalType", {}, "User"},
          {"aws:userid", {}, "AIDAAAAAAAAAAAAAAAAA1"},
          {"aws:username", {}, "worker"},
          {"kms:CallerAccount", {}, "111122223333"},
          {"aws:SourceIp", {}, "10.1.2.3"},
          {"aws:UserAgent", {}, "aws-cli/2.9.19"},
          {"aws:RequestedRegion", {}, "eu-west-1"},
          {"aws:SecureTransport", {}, "true"},
          {"aws:CurrentTime", {}, "2024-01-31T00:00:00Z"},
          {"aws:EpochTime", {}, "1706659200"},
          {"kms:KeySpec", {}, "SYMMETRIC_DEFAULT"},
          {"kms:KeyUsage", {}, "ENCRYPT_DECRYPT"},
          {"kms:KeyOrigin", {}, "AWS_KMS"},
          {"kms:MultiRegion", {}, "false"},
          {"kms:ResourceAliases", {}, "alias/bench"},
          {"aws:ResourceTag/", "team", "bench"},
          {"kms:EncryptionAlgorithm", {}, "SYMMETRIC_DEFAULT"},
          {"kms:EncryptionContext:", "tenant", "bench-1"},
          {"kms:EncryptionContextKeys", {}, "tenant"}};
}

std::string CaseLine() {
  return R"({"id":1,"request":{"principal":")" + std::string(kUser) +
         R"(","action":"kms:Decrypt","resource":{"resource":")" +
         std::string(kKey) +
         R"(","accountId":"111122223333"},"context":{"kms:EncryptionContext:)"
         R"(tenant":"bench-1","aws:SourceIp":"10.1.2.3"}},"identityPolicies":)"
         R"([{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":)"
         R"(["kms:Decrypt","kms:DescribeKey"],"Resource":)"
         R"("arn:aws:kms:*:111122223333:key/*"}]}],"resourcePolicy":)" +
         KeyPolicy(3) + "}";
}

double ThreadCpuSeconds() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) +
         static_cast<double>(used.tv_nsec) / 1e9;
}

base::Error Unexpected() {
  return {base::ErrorCode::kInternal, "the policy decided otherwise"};
}

// Seconds of CPU for one `once`, which tells whether it went well.
template <typename Once>
base::Result<double> SecondsOf(Once once) {
  constexpr double kSlice = 1;
  constexpr int kBatch = 1000;
  const double start = ThreadCpuSeconds();
  double passed = 0;
  int done = 0;
  while (passed < kSlice) {
    for (int i = 0; i < kBatch; ++i) {
      if (!once()) {
        return Unexpected();
      }
    }
    done += kBatch;
    passed = ThreadCpuSeconds() - start;
  }
  return passed / done;
}

}  // namespace

base::Result<PolicyFigures> MeasurePolicyAlone() {
  ASSIGN_OR_RETURN(
      const policy::Policy key,
      policy::Policy::Parse(policy::PolicyKind::kKey, KeyPolicy(10)));
  const std::vector<policy::ContextEntry> context = Context();
  const policy::Request request = {.action = "kms:Decrypt",
                                   .resource = kKey,
                                   .resource_account = "111122223333",
                                   .principal = kUser,
                                   .principal_account = "111122223333",
                                   .context = context};
  const policy::Authority authority = {.resource_policy = &key};
  ASSIGN_OR_RETURN(const double decision, SecondsOf([&] {
                     return policy::Decide(request, authority).verdict ==
                            policy::Verdict::kAllow;
                   }));
  const std::string line = CaseLine();
  ASSIGN_OR_RETURN(const double one_case, SecondsOf([&] {
                     return policy::EvaluateCase(line).find("\"Allowed\"") !=
                            std::string::npos;
                   }));
  return PolicyFigures{.decision_us = decision * 1e6,
                       .cases_per_second = 1 / one_case};
}

}  // namespace bench
