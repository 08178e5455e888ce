// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kms/identity/credentials.h"
#include "kms/identity/principals.h"

namespace kms::identity {
namespace {

std::shared_ptr<const Credentials> Table(
    std::vector<std::pair<std::string, bool>> ids) {
  std::vector<AccessKey> keys;
  for (auto& [id, active] : ids) {
    AccessKey key;
    key.secret = std::make_shared<const base::Secret>(
        base::Secret::CopyOf("secret of " + id));
    key.caller = std::make_shared<const Caller>(User("000000000000", id));
    key.id = std::move(id);
    key.active = active;
    keys.push_back(std::move(key));
  }
  return std::make_shared<const Credentials>(std::move(keys));
}

TEST(Credentials, FindActiveKeysByTheirExactId) {
  const auto table = Table({{"AKIAONE", true}, {"AKIATWO", false}});
  const AccessKey* one = table->Find("AKIAONE");
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(one->id, "AKIAONE");
  EXPECT_EQ(one->secret->RevealText(), "secret of AKIAONE");
  EXPECT_EQ(one->caller->user_name, "AKIAONE");
  for (const char* id : {"AKIATWO", "akiaone", "AKIAONE ", "AKIA", ""}) {
    EXPECT_EQ(table->Find(id), nullptr) << id;
  }
  EXPECT_EQ(Table({})->Find("AKIAONE"), nullptr);
}

TEST(Credentials, KeepTheFirstOfTwoKeysWithOneId) {
  const auto table = Table({{"AKIAONE", false}, {"AKIAONE", true}});
  EXPECT_EQ(table->Find("AKIAONE"), nullptr);
}

TEST(Credentials, HaveGenerationsOfTheirOwn) {
  EXPECT_NE(Table({})->generation(), Table({})->generation());
}

TEST(Principals, AreUsersAndRolesByTheirArns) {
  for (const char* const arn : {"arn:aws:iam::123456789012:user/admin",
                                "arn:aws:iam::123456789012:role/a/b/c"}) {
    EXPECT_TRUE(IsUserOrRoleArn(arn)) << arn;
  }
  for (const char* const arn :
       {"", "admin", "arn:aws:iam::123456789012:root",
        "arn:aws:iam::123456789012:user/", "arn:aws:iam::123456789012:role/a/",
        "arn:aws:iam::123456789012:group/a",
        "arn:aws:iam::12345678901:user/admin",
        "arn:aws:sts::123456789012:assumed-role/a/b",
        " arn:aws:iam::123456789012:user/admin"}) {
    EXPECT_FALSE(IsUserOrRoleArn(arn)) << arn;
  }
}

TEST(Principals, HaveAwssForms) {
  const Caller admin = Administrator("123456789012");
  EXPECT_EQ(admin.kind, CallerKind::kUser);
  EXPECT_EQ(admin.account, "123456789012");
  EXPECT_EQ(admin.arn, "arn:aws:iam::123456789012:user/admin");
  EXPECT_EQ(admin.user_name, "admin");
  ASSERT_NE(admin.policies, nullptr);
  EXPECT_EQ(admin.policies->identity.views().size(), 1U);
  EXPECT_EQ(admin.access_key_id, "");
  EXPECT_EQ(admin.principal_id.size(), 21u);
  EXPECT_EQ(admin.principal_id.substr(0, 4), "AIDA");
  EXPECT_EQ(
      admin.principal_id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
      std::string::npos);
}

TEST(Principals, KeepTheirIdAtEveryDoor) {
  EXPECT_EQ(Administrator("1").principal_id, User("1", "admin").principal_id);
  EXPECT_NE(Administrator("1").principal_id, Administrator("2").principal_id);
  EXPECT_NE(User("1", "a").principal_id, User("1", "b").principal_id);
}

// A user who calls themself admin is not made one by the name.
TEST(Principals, HaveNoPoliciesByTheirName) {
  EXPECT_EQ(User("123456789012", "admin").policies, nullptr);
}

}  // namespace
}  // namespace kms::identity
