// SPDX-License-Identifier: Apache-2.0
// A decision allocates nothing. A program of its own, for it replaces new.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "policy/decide.h"
#include "tests/policy/policies.h"

namespace {

std::size_t allocations = 0;

}  // namespace

// Not inlined: g++ would take free() for a mistake where it no longer sees that
// the memory came from malloc().
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  void* const memory = std::malloc(size);
  if (memory == nullptr) {
    std::abort();
  }
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace policy {
namespace {

TEST(AllocationTest, DecidingAllocatesNothing) {
  const std::string conditions =
      R"(,"Condition":{"StringLike":{"kms:EncryptionContext:t":"${aws:username}-*"},)"
      R"("NumericLessThan":{"n":"10"},"DateGreaterThan":{"d":"2024-01-01"},)"
      R"("IpAddress":{"aws:SourceIp":["10.0.0.0/8","::1"]},"Bool":{"b":"true"},)"
      R"("ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/*"},)"
      R"("StringEqualsIgnoreCase":{"aws:username":"${aws:PrincipalTag/x, 'ALICE'}"},)"
      R"("ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]},)"
      R"("BinaryEquals":{"bin":"QUI="},"Null":{"none":"true"}})";
  Rules rules;
  rules.Key(Allow(For("*") + conditions) + "," +
            Deny(For(kRoot, "kms:Encrypt")));
  rules.Identity(Allow(
      R"("Action":"kms:*","Resource":"arn:aws:kms:*:*:key/${aws:username}")"));
  const std::vector<ContextEntry> context = {
      {"kms:EncryptionContext:", "t",
       "alice-and-her-long-value-of-the-context"},
      {"n", {}, "9"},
      {"d", {}, "2024-02-01T00:00:00Z"},
      {"aws:SourceIp", {}, "10.1.2.3"},
      {"b", {}, "true"},
      {"bin", {}, "QUI="},
      {"aws:PrincipalArn", {}, kAlice},
      {"aws:username", {}, "alice"},
      {"aws:TagKeys", {}, "a"},
      {"aws:TagKeys", {}, "b"}};
  const ContextPair pair = {"t", "x"};
  const Grant grant = {.id = "g",
                       .grantee = kAlice,
                       .grantee_id = "AIDAAAAAAAAAAAAAAAAA1",
                       .operations = ~KmsActions{0},
                       .constraint = Grant::Constraint::kSubset,
                       .pairs = {&pair, 1}};
  rules.With(grant);
  Request request = FromAlice();
  request.context = context;
  const Authority authority = rules.authority();
  const std::size_t before = allocations;
  const Decision allowed = Decide(request, authority);
  request.action = "kms:Encrypt";
  const Decision denied = Decide(request, authority);
  request.action = "s3:GetObject";
  const Decision other = Decide(request, authority);
  const std::size_t after = allocations;
  EXPECT_EQ(after - before, 0U);
  EXPECT_EQ(allowed.verdict, Verdict::kAllow);
  EXPECT_EQ(denied.verdict, Verdict::kExplicitDeny);
  EXPECT_EQ(other.verdict, Verdict::kImplicitDeny);
}

}  // namespace
}  // namespace policy
