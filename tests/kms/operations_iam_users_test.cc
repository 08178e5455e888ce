// SPDX-License-Identifier: Apache-2.0
// Users, groups, tags and pages of listings.
#include "tests/kms/operations_iam_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

class IamUsersTest : public IamTest {
 protected:
  static std::vector<std::string> Names(const json& list,
                                        const char* name = "UserName") {
    std::vector<std::string> names;
    for (const json& item : list) {
      names.push_back(item.at(name));
    }
    return names;
  }
};

TEST_F(IamUsersTest, AreMadeShownAndDeleted) {
  const json made = Do("CreateUser", {{"UserName", "Dora"},
                                      {"Path", "/team/"},
                                      {"PermissionsBoundary", kAdminPolicy},
                                      {"Tags", Tags({{"k", "v"}})}});
  json user = made.at("User");
  EXPECT_THAT(user.at("UserId").get<std::string>(),
              testing::MatchesRegex("AIDA[A-Z2-7]{17}"));
  user.erase("UserId");
  EXPECT_EQ(user, json({{"Path", "/team/"},
                        {"UserName", "Dora"},
                        {"Arn", UserArn("team/Dora")},
                        {"CreateDate", kNow},
                        {"PermissionsBoundary",
                         {{"PermissionsBoundaryType", "Policy"},
                          {"PermissionsBoundaryArn", kAdminPolicy}}},
                        {"Tags", Tags({{"k", "v"}})}}));
  EXPECT_EQ(Do("GetUser", {{"UserName", "dora"}}), made);
  const json policy = {{"UserName", "dora"}, {"PolicyName", "p"}};
  json put = policy;
  put["PolicyDocument"] = PolicyText("Allow", "iam:GetUser");
  Do("PutUserPolicy", put);
  EXPECT_EQ(Take(Iam("GetUser", json::object(), As("Dora"))), made)
      << "without a name, the caller";
  EXPECT_THAT(Iam("CreateUser", {{"UserName", "dORA"}}),
              StatusIs(ErrorCode::kAlreadyExists,
                       "User with name dORA already exists."));
  Do("DeleteUserPolicy", policy);
  EXPECT_EQ(Do("DeleteUser", {{"UserName", "Dora"}}), json::object());
  EXPECT_THAT(Iam("GetUser", {{"UserName", "Dora"}}),
              StatusIs(ErrorCode::kNotFound,
                       "The user with name Dora cannot be found."));
  EXPECT_THAT(Iam("DeleteUser", {{"UserName", "Dora"}}),
              StatusIs(ErrorCode::kNotFound,
                       "The user with name Dora cannot be found."));
}

TEST_F(IamUsersTest, AreRefusedWithAwsTexts) {
  EXPECT_THAT(
      Iam("CreateUser", {{"UserName", "no name"}, {"Path", "x"}}),
      StatusIs(ErrorCode::kValidation,
               HasSubstr("2 validation errors detected: Value 'x' at 'path'")));
  EXPECT_THAT(
      Iam("CreateUser",
          {{"UserName", "x"},
           {"PermissionsBoundary", "arn:aws:iam::444455556666:policy/theirs"}}),
      StatusIs(ErrorCode::kNotFound,
               "Policy arn:aws:iam::444455556666:policy/theirs does not exist "
               "or is not attachable."));
  const json twice = Tags({{"k", ""}, {"K", ""}});
  EXPECT_THAT(Iam("CreateUser", {{"UserName", "x"}, {"Tags", twice}}),
              StatusIs(ErrorCode::kTag, HasSubstr("case insensitive")));
  From role;
  role.caller.kind = CallerKind::kAssumedRole;
  role.caller.user_name = "";
  EXPECT_THAT(Iam("GetUser", json::object(), role),
              StatusIs(ErrorCode::kValidation,
                       "Must specify userName when calling with non-User "
                       "credentials"));
}

TEST_F(IamUsersTest, AreListedByPathAndInPages) {
  for (const char* const name : {"x3", "X2", "x1"}) {
    Do("CreateUser", {{"UserName", name}, {"Path", "/x/"}});
  }
  json page = Do("ListUsers", {{"PathPrefix", "/x"}, {"MaxItems", 2}});
  EXPECT_THAT(Names(page.at("Users")), testing::ElementsAre("x1", "X2"));
  EXPECT_FALSE(page.at("Users")[0].contains("Tags"));
  EXPECT_EQ(page.at("IsTruncated"), true);
  const std::string marker = page.at("Marker");
  EXPECT_LE(marker.size(), 320U);
  page = Do("ListUsers", {{"PathPrefix", "/x"}, {"Marker", marker}});
  EXPECT_THAT(Names(page.at("Users")), testing::ElementsAre("x3"));
  EXPECT_EQ(page.at("IsTruncated"), false);
  EXPECT_FALSE(page.contains("Marker"));
  EXPECT_THAT(Iam("ListGroups", {{"Marker", marker}}),
              StatusIs(ErrorCode::kInvalidMarker));
  From other;
  other.caller = identity::Administrator(kOtherAccount);
  EXPECT_THAT(Iam("ListUsers", {{"Marker", marker}}, other),
              StatusIs(ErrorCode::kInvalidMarker));
  EXPECT_THAT(Names(Take(Iam("ListUsers", json::object(), other)).at("Users")),
              testing::ElementsAre("admin"))
      << "no account sees another's";
}

TEST_F(IamUsersTest, OfAnotherAccountAreNotThere) {
  From other;
  other.caller = identity::Administrator(kOtherAccount);
  EXPECT_THAT(Iam("DeleteUser", {{"UserName", "alice"}}, other),
              StatusIs(ErrorCode::kNotFound));
  EXPECT_OK(Iam("CreateUser", {{"UserName", "alice"}}, other));
  EXPECT_OK(Iam("DeleteUser", {{"UserName", "alice"}}, other));
  EXPECT_OK(Iam("GetUser", {{"UserName", "alice"}}));
}

TEST_F(IamUsersTest, AreNotDeletedWithWhatTheyHave) {
  const json dora = {{"UserName", "dora"}};
  const auto refused = [&](std::string_view what) {
    EXPECT_THAT(
        Iam("DeleteUser", dora),
        StatusIs(ErrorCode::kConflict, "Cannot delete entity, must " +
                                           std::string(what) + " first."));
  };
  Do("CreateUser", dora);
  Do("CreateGroup", {{"GroupName", "g"}});
  const json member = {{"GroupName", "g"}, {"UserName", "dora"}};
  const json attachment = {{"UserName", "dora"}, {"PolicyArn", kAdminPolicy}};
  json inline_policy = {{"UserName", "dora"}, {"PolicyName", "p"}};
  const json key = Do("CreateAccessKey", dora).at("AccessKey");
  refused("delete access keys");
  Do("AddUserToGroup", member);
  refused("remove users from group");
  inline_policy["PolicyDocument"] = PolicyText("Allow", "kms:*");
  Do("PutUserPolicy", inline_policy);
  inline_policy.erase("PolicyDocument");
  refused("delete policies");
  Do("AttachUserPolicy", attachment);
  refused("detach all policies");
  Do("DetachUserPolicy", attachment);
  Do("DeleteUserPolicy", inline_policy);
  Do("RemoveUserFromGroup", member);
  Do("DeleteAccessKey",
     {{"UserName", "dora"}, {"AccessKeyId", key.at("AccessKeyId")}});
  EXPECT_OK(Iam("DeleteUser", dora));
}

TEST_F(IamUsersTest, WhatTheCallerMayNotSeeIsNotTold) {
  Do("PutUserPolicy",
     {{"UserName", "alice"},
      {"PolicyName", "p"},
      {"PolicyDocument", PolicyText("Allow", "iam:*", UserArn("mine/*"))}});
  Do("CreateUser", {{"UserName", "dora"}});
  const From alice = As("alice");
  for (const char* const name : {"dora", "nobody"}) {
    EXPECT_THAT(Iam("GetUser", {{"UserName", name}}, alice),
                StatusIs(ErrorCode::kAccessDenied, HasSubstr(UserArn(name))));
  }
  Do("CreateUser", {{"UserName", "Eve2"}, {"Path", "/far/"}});
  EXPECT_THAT(Iam("GetUser", {{"UserName", "EVE2"}}, alice),
              StatusIs(ErrorCode::kAccessDenied, HasSubstr(UserArn("EVE2"))));
  EXPECT_OK(Iam("CreateUser", {{"UserName", "m"}, {"Path", "/mine/"}}, alice));
  EXPECT_THAT(Iam("CreateUser", {{"UserName", "n"}}, alice),
              StatusIs(ErrorCode::kAccessDenied));
  EXPECT_OK(Iam("GetUser", {{"UserName", "m"}}, alice)) << "its real path";
}

TEST_F(IamUsersTest, AreMadeWithTagsByWhoMayTag) {
  Do("PutUserPolicy",
     {{"UserName", "alice"},
      {"PolicyName", "p"},
      {"PolicyDocument", PolicyText("Allow", "iam:CreateUser", "*")}});
  const From alice = As("alice");
  EXPECT_OK(Iam("CreateUser", {{"UserName", "plain"}}, alice));
  EXPECT_THAT(
      Iam("CreateUser",
          {{"UserName", "tagged"}, {"Tags", Tags({{"team", "a"}})}}, alice),
      StatusIs(ErrorCode::kAccessDenied, HasSubstr("iam:TagUser")));
}

TEST_F(IamUsersTest, HaveLongTagKeysInPages) {
  Do("CreateUser", {{"UserName", "dora"}});
  std::string first;
  std::string second;
  for (int i = 0; i < 128; ++i) {
    first += "\u0430";
    second += "\u0431";
  }
  Do("TagUser", {{"UserName", "dora"},
                 {"Tags", Tags({{first.c_str(), ""}, {second.c_str(), ""}})}});
  const json page = Do("ListUserTags", {{"UserName", "dora"}, {"MaxItems", 1}});
  ASSERT_EQ(page.at("IsTruncated"), true);
  const json rest =
      Do("ListUserTags", {{"UserName", "dora"}, {"Marker", page.at("Marker")}});
  EXPECT_EQ(rest.at("Tags"), Tags({{second.c_str(), ""}}));
}

TEST_F(IamUsersTest, HaveTagsWhoseKeysIgnoreCase) {
  const json dora = {{"UserName", "dora"}};
  Do("CreateUser", dora);
  const auto tag = [&](json tags) {
    return Iam("TagUser", {{"UserName", "dora"}, {"Tags", std::move(tags)}});
  };
  EXPECT_OK(tag(Tags({{"Team", "a"}, {"z", ""}})));
  EXPECT_OK(tag(Tags({{"team", "b"}})));
  EXPECT_THAT(tag(Tags({{"aws:x", ""}})), StatusIs(ErrorCode::kTag));
  const json listed = Do("ListUserTags", dora);
  EXPECT_EQ(listed.at("Tags"), Tags({{"team", "b"}, {"z", ""}}));
  EXPECT_EQ(listed.at("IsTruncated"), false);
  json many = json::array();
  for (int i = 0; i < 49; ++i) {
    many.push_back({{"Key", "k" + std::to_string(i)}, {"Value", ""}});
  }
  EXPECT_THAT(tag(many), StatusIs(ErrorCode::kLimitExceeded));
  Do("UntagUser", {{"UserName", "dora"}, {"TagKeys", {"TEAM", "absent"}}});
  EXPECT_EQ(Do("ListUserTags", dora).at("Tags").size(), 1U);
  EXPECT_EQ(As("dora").caller.tags.size(), 1U) << "as aws:PrincipalTag";
}

TEST_F(IamUsersTest, AreInGroups) {
  const json g = {{"GroupName", "g"}};
  const json member = {{"GroupName", "g"}, {"UserName", "alice"}};
  Do("CreateGroup", {{"GroupName", "g"}, {"Path", "/p/"}});
  EXPECT_THAT(
      Iam("CreateGroup", {{"GroupName", "G"}}),
      StatusIs(ErrorCode::kAlreadyExists, "Group with name G already exists."));
  EXPECT_THAT(
      Iam("AddUserToGroup", {{"GroupName", "g"}, {"UserName", "no"}}),
      StatusIs(ErrorCode::kNotFound, "The user with name no cannot be found."));
  EXPECT_THAT(
      Iam("AddUserToGroup", {{"GroupName", "h"}, {"UserName", "bob"}}),
      StatusIs(ErrorCode::kNotFound, "The group with name h cannot be found."));
  Do("AddUserToGroup", member);
  Do("AddUserToGroup", member);
  json shown = Do("GetGroup", g);
  EXPECT_EQ(shown.at("Group").at("Arn"), std::string(kIamPrefix) + "group/p/g");
  EXPECT_THAT(Names(shown.at("Users")), testing::ElementsAre("alice"));
  EXPECT_THAT(
      Names(Do("ListGroupsForUser", {{"UserName", "alice"}}).at("Groups"),
            "GroupName"),
      testing::ElementsAre("g"));
  EXPECT_THAT(Names(Do("ListGroups", json::object()).at("Groups"), "GroupName"),
              testing::ElementsAre("g"));
  EXPECT_THAT(Iam("DeleteGroup", g),
              StatusIs(ErrorCode::kConflict,
                       "Cannot delete entity, must remove users from group "
                       "first."));
  Do("RemoveUserFromGroup", member);
  EXPECT_THAT(
      Iam("RemoveUserFromGroup", member),
      StatusIs(ErrorCode::kNotFound, "User alice is not a member of group g."));
  EXPECT_OK(Iam("DeleteGroup", g));
  for (int i = 0; i < 10; ++i) {
    const std::string name = "g" + std::to_string(i);
    Do("CreateGroup", {{"GroupName", name}});
    Do("AddUserToGroup", {{"GroupName", name}, {"UserName", "alice"}});
  }
  Do("CreateGroup", g);
  EXPECT_THAT(Iam("AddUserToGroup", member),
              StatusIs(ErrorCode::kLimitExceeded,
                       "Cannot exceed quota for GroupsPerUser: 10"));
}

}  // namespace
}  // namespace kms::operations
