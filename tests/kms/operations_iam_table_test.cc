// SPDX-License-Identifier: Apache-2.0
// What holds of every operation of IAM.
#include "tests/kms/operations_iam_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::HasSubstr;
using testlib::StatusIs;

class IamTableTest : public IamTest {
 protected:
  // A value that a required member takes.
  static json ValueOf(const Member& member) {
    static const std::map<std::string_view, json> values = {
        {"AccessKeyId", "AKIAIOSFODNN7EXAMPLE"},
        {"AssumeRolePolicyDocument", TrustText(kAccount)},
        {"PermissionsBoundary", kAdminPolicy},
        {"PolicyArn", std::string(kIamPrefix) + "policy/absent"},
        {"PolicyDocument", PolicyText("Allow", "kms:*")},
        {"Status", "Active"},
        {"TagKeys", json::array({"k"})},
        {"Tags", Tags({{"k", "v"}})},
        {"VersionId", "v1"},
    };
    const auto found = values.find(member.name);
    return found == values.end() ? json("absent") : found->second;
  }
  static json InputOf(const Operation& operation) {
    json input = json::object();
    for (const Member& member : operation.input) {
      if (member.required) {
        input[std::string(member.name)] = ValueOf(member);
      }
    }
    if (operation.name == "UpdateAssumeRolePolicy") {
      input["PolicyDocument"] = TrustText(kAccount);
    }
    return input;
  }
};

TEST_F(IamTableTest, IsDeniedToWhoMayNothing) {
  const std::uint64_t revision = store().info().revision;
  for (const Operation& operation : IamOperations()) {
    SCOPED_TRACE(operation.name);
    EXPECT_THAT(
        Iam(operation.name, InputOf(operation), As("eve")),
        StatusIs(ErrorCode::kAccessDenied,
                 HasSubstr("user/eve is not authorized to perform: " +
                           std::string(operation.action) + " on resource: ")));
    const json event = Events().back();
    EXPECT_EQ(event.at("eventSource"), "iam.amazonaws.com");
    EXPECT_EQ(event.at("eventName"), operation.name);
    EXPECT_EQ(event.at("additionalEventData").at("decision").at("verdict"),
              "ImplicitDeny");
    EXPECT_EQ(event.at("readOnly"), operation.effect == Effect::kReads);
  }
  EXPECT_EQ(store().info().revision, revision);
}

TEST_F(IamTableTest, SaysWhatIsNotThere) {
  int asked = 0;
  for (const Operation& operation : IamOperations()) {
    const Member& first = operation.input.front();
    const bool makes = operation.name.starts_with("Create") &&
                       operation.name != "CreatePolicyVersion";
    if (!first.required || makes) {
      continue;
    }
    SCOPED_TRACE(operation.name);
    EXPECT_THAT(Iam(operation.name, InputOf(operation)),
                StatusIs(ErrorCode::kNotFound, HasSubstr("absent")));
    ++asked;
  }
  EXPECT_EQ(asked, 53);
}

TEST_F(IamTableTest, IsAnsweredOnlyOnceItIsInTheLog) {
  log().refuses = true;
  for (const Operation& operation : IamOperations()) {
    SCOPED_TRACE(operation.name);
    EXPECT_THAT(Iam(operation.name, InputOf(operation)),
                StatusIs(ErrorCode::kAuditUnavailable));
  }
}

TEST_F(IamTableTest, NamesItsPermissions) {
  for (const Operation& operation : IamOperations()) {
    EXPECT_EQ(operation.action, "iam:" + std::string(operation.name));
    EXPECT_EQ(operation.service, "IAM");
  }
  EXPECT_EQ(IamOperations().size(), 66U);
}

}  // namespace
}  // namespace kms::operations
