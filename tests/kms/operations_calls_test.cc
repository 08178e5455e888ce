// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

#include "kms/identity/principals.h"
#include "kms/operations/calls.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

class CallsTest : public OperationsTest {
 protected:
  const Caller caller_ = identity::Administrator(kAccount);
  const Request request_ = {.service = "TrentService",
                            .operation = "Encrypt",
                            .body = "",
                            .region = kRegion,
                            .caller = caller_,
                            .source_address = "",
                            .user_agent = "",
                            .request_id = ""};
  const Operation& operation_ = *FindOperation("TrentService", "Encrypt");
};

TEST_F(CallsTest, NothingOfACallIsInTheNext) {
  Calls calls;
  const policy::ContextEntry* entries = nullptr;
  {
    const Calls::Lease lease = calls.Make(environment(), request_, operation_);
    Call& call = lease.call();
    call.context.reserve(40);
    call.context.push_back({"aws:username", {}, "alice"});
    call.owned.emplace_back("alice");
    call.grant_id = "1234";
    call.checks.push_back({});
    entries = call.context.data();
  }
  const Calls::Lease lease = calls.Make(environment(), request_, operation_);
  EXPECT_TRUE(lease.call().context.empty());
  EXPECT_TRUE(lease.call().owned.empty());
  EXPECT_TRUE(lease.call().grant_id.empty());
  EXPECT_TRUE(lease.call().checks.empty());
  // But for the room.
  lease.call().context.reserve(40);
  EXPECT_EQ(lease.call().context.data(), entries);
}

TEST_F(CallsTest, CallsAtTheSameTimeAreTwo) {
  Calls calls;
  const Calls::Lease one = calls.Make(environment(), request_, operation_);
  const Calls::Lease other = calls.Make(environment(), request_, operation_);
  one.call().grant_id = "1";
  other.call().grant_id = "2";
  EXPECT_EQ(one.call().grant_id, "1");
}

TEST_F(CallsTest, TheRoomOfALongContextIsGivenBack) {
  Calls calls;
  calls.Make(environment(), request_, operation_).call().context.reserve(1000);
  const Calls::Lease lease = calls.Make(environment(), request_, operation_);
  EXPECT_LT(lease.call().context.capacity(), 1000U);
}

// As when the server stops while a request waits for the disk.
TEST_F(CallsTest, ALeaseMayOutliveThem) {
  auto calls = std::make_unique<Calls>();
  const Calls::Lease lease = calls->Make(environment(), request_, operation_);
  calls.reset();
  EXPECT_EQ(lease.call().operation.name, "Encrypt");
}

}  // namespace
}  // namespace kms::operations
