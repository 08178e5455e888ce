// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "kms/identity/aws_policies.h"
#include "kms/identity/directory.h"
#include "policy/policy.h"
#include "tests/testlib/status.h"

namespace kms::identity {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::IsEmpty;
using testlib::StatusIs;

constexpr std::string_view kAccount = "111122223333";

Entity Make(std::string id, EntityKind kind, std::string name,
            std::string path = "/") {
  Entity entity;
  entity.id = std::move(id);
  entity.kind = kind;
  entity.account = kAccount;
  entity.name = std::move(name);
  entity.path = std::move(path);
  return entity;
}

std::string Policy(std::string_view action) {
  return R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":")" +
         std::string(action) + R"(","Resource":"*"}]})";
}

SecretPtr SecretOf(std::string_view text) {
  return std::make_shared<const base::Secret>(base::Secret::CopyOf(text));
}

class DirectoryTest : public testing::Test {
 protected:
  DirectoryTest() {
    rows_.revision = 7;
    rows_.accounts = {{std::string(kAccount), {}}, {"444455556666", {}}};
    rows_.entities = {
        Make("AIDAALICE", EntityKind::kUser, "Alice", "/team/"),
        Make("AGPADEVS", EntityKind::kGroup, "devs"),
        Make("AROAWORKER", EntityKind::kRole, "worker", "/service/"),
        Make("ANPAMINE", EntityKind::kPolicy, "mine"),
    };
    rows_.entities[2].trust_policy =
        R"({"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",)"
        R"("Principal":{"AWS":"111122223333"}}]})";
    rows_.entities[3].default_version = "v2";
    rows_.documents = {{"AIDAALICE", {"inline", Policy("kms:Encrypt"), {}}},
                       {"AGPADEVS", {"group", Policy("kms:Decrypt"), {}}},
                       {"ANPAMINE", {"v1", Policy("kms:Sign"), {}}},
                       {"ANPAMINE", {"v2", Policy("kms:Verify"), {}}}};
    rows_.attachments = {{"AIDAALICE", "arn:aws:iam::111122223333:policy/mine"},
                         {"AROAWORKER", std::string(kAdministratorAccessArn)}};
    rows_.memberships = {{"AGPADEVS", "AIDAALICE"}};
    rows_.tags = {{"AROAWORKER", {"Team", "blue"}},
                  {"AROAWORKER", {"Size", "small"}}};
    store::AccessKey key;
    key.id = "AKIAALICE";
    key.user_id = "AIDAALICE";
    rows_.access_keys.push_back(std::move(key));
  }

  Directory Build() const {
    return {rows_, {{"AKIAALICE", SecretOf("secret")}}, {}};
  }
  static Session SessionOf(std::string id) {
    Session session;
    session.access_key_id = "ASIASESSION";
    session.secret = base::Secret::CopyOf("s");
    session.account = kAccount;
    session.principal_id = std::move(id);
    session.name = "job";
    return session;
  }

  store::IdentityRows rows_;
};

TEST_F(DirectoryTest, AUserHasItsOwnPoliciesAndThoseOfItsGroups) {
  const Directory directory = Build();
  const AccessKey* const key = directory.credentials().Find("AKIAALICE");
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(key->secret->RevealText(), "secret");
  const Caller& caller = *key->caller;
  EXPECT_EQ(caller.arn, "arn:aws:iam::111122223333:user/team/Alice");
  EXPECT_EQ(caller.principal_id, "AIDAALICE");
  EXPECT_EQ(caller.access_key_id, "AKIAALICE");
  EXPECT_EQ(caller.policies->identity.views().size(), 3U);
  EXPECT_TRUE(caller.policies->boundary.empty());
}

TEST_F(DirectoryTest, FindsByNameInAnyCaseAndByTheWholeArn) {
  const Directory directory = Build();
  ASSERT_NE(directory.FindByName(kAccount, EntityKind::kUser, "ALICE"),
            nullptr);
  EXPECT_NE(directory.FindByArn("arn:aws:iam::111122223333:user/team/Alice"),
            nullptr);
  for (const char* const arn :
       {"arn:aws:iam::111122223333:user/Alice",
        "arn:aws:iam::111122223333:user/team/alice",
        "arn:aws:iam::444455556666:user/team/Alice",
        "arn:aws:sts::111122223333:user/team/Alice", "Alice", ""}) {
    EXPECT_EQ(directory.FindByArn(arn), nullptr) << arn;
  }
  EXPECT_EQ(directory.List(kAccount, EntityKind::kUser, "/team/").size(), 1U);
  EXPECT_THAT(directory.List(kAccount, EntityKind::kUser, "/other/"),
              IsEmpty());
}

TEST_F(DirectoryTest, SaysWhomAPolicyMeans) {
  const Directory directory = Build();
  const auto id = [&](std::string_view arn) {
    return directory.PrincipalIdOf(arn).value_or("none");
  };
  EXPECT_EQ(id("arn:aws:iam::111122223333:user/team/Alice"), "AIDAALICE");
  EXPECT_EQ(id("arn:aws:iam::111122223333:role/service/worker"), "AROAWORKER");
  EXPECT_EQ(id("arn:aws:sts::111122223333:assumed-role/worker/job"),
            "AROAWORKER");
  EXPECT_EQ(id("AIDAALICE"), "AIDAALICE");
  EXPECT_EQ(id("444455556666"), "");
  EXPECT_EQ(id("arn:aws:iam::444455556666:root"), "");
  for (const char* const arn :
       {"arn:aws:iam::111122223333:user/Alice", "777788889999",
        "arn:aws:iam::777788889999:root", "AIDANOBODY",
        "arn:aws:iam::111122223333:group/devs",
        "arn:aws:iam::111122223333:policy/mine",
        "arn:aws:sts::111122223333:assumed-role/gone/job"}) {
    EXPECT_THAT(directory.PrincipalIdOf(arn), StatusIs(ErrorCode::kNotFound))
        << arn;
  }
}

TEST_F(DirectoryTest, AManagedPolicyIsItsDefaultVersionAndOfItsAccount) {
  const Directory directory = Build();
  const auto mine = directory.FindManagedPolicy(
      kAccount, "arn:aws:iam::111122223333:policy/mine");
  ASSERT_TRUE(mine);
  EXPECT_EQ(mine.document, Policy("kms:Verify"));
  EXPECT_FALSE(directory.FindManagedPolicy(
      "444455556666", "arn:aws:iam::111122223333:policy/mine"));
  EXPECT_TRUE(
      directory.FindManagedPolicy("444455556666", kAdministratorAccessArn));
}

TEST_F(DirectoryTest, WhatCannotBeReadDeniesEverything) {
  rows_.documents[0].document.text = "{";
  rows_.entities[0].boundary = "arn:aws:iam::111122223333:policy/gone";
  const Directory directory = Build();
  const auto caller = directory.UserCaller(kAccount, "alice");
  ASSERT_NE(caller, nullptr);
  EXPECT_FALSE(caller->policies->identity.views().front()->readable());
  ASSERT_EQ(caller->policies->boundary.views().size(), 1U);
  EXPECT_FALSE(caller->policies->boundary.views().front()->readable());
}

TEST_F(DirectoryTest, ASessionIsItsRoleAsItIsNow) {
  Session session = SessionOf("AROAWORKER");
  session.tags = {{"team", "red"}};
  session.policy = Policy("kms:*");
  session.policy_arns = {"arn:aws:iam::111122223333:policy/mine"};
  const Directory directory = Build();
  ASSERT_OK_AND_ASSIGN(const auto caller, directory.SessionCaller(session));
  EXPECT_EQ(caller->kind, CallerKind::kAssumedRole);
  EXPECT_EQ(caller->arn, "arn:aws:sts::111122223333:assumed-role/worker/job");
  EXPECT_EQ(caller->role_arn, "arn:aws:iam::111122223333:role/service/worker");
  EXPECT_EQ(caller->principal_id, "AROAWORKER:job");
  EXPECT_EQ(caller->UniqueId(), "AROAWORKER");
  EXPECT_EQ(caller->session->policies.views().size(), 2U);
  // The session's tag counts before the role's of the same key.
  EXPECT_THAT(caller->tags, ElementsAre(std::pair("team", "red"),
                                        std::pair("Size", "small")));
}

TEST_F(DirectoryTest, APrincipalIsAUserOrASessionWithoutEnd) {
  const Directory directory = Build();
  const base::WallTime now{std::chrono::milliseconds(1795348800123)};
  const auto user = directory.PrincipalCaller(
      "arn:aws:iam::111122223333:user/team/Alice", "uid-7", now);
  ASSERT_NE(user, nullptr);
  EXPECT_EQ(user->kind, CallerKind::kUser);
  EXPECT_EQ(user->arn, "arn:aws:iam::111122223333:user/team/Alice");
  EXPECT_EQ(user->access_key_id, "");
  EXPECT_EQ(user->session, nullptr);
  const auto role = directory.PrincipalCaller(
      "arn:aws:iam::111122223333:role/service/worker", "uid-7", now);
  ASSERT_NE(role, nullptr);
  EXPECT_EQ(role->kind, CallerKind::kAssumedRole);
  EXPECT_EQ(role->arn, "arn:aws:sts::111122223333:assumed-role/worker/uid-7");
  EXPECT_EQ(role->principal_id, "AROAWORKER:uid-7");
  EXPECT_EQ(role->role_arn, "arn:aws:iam::111122223333:role/service/worker");
  EXPECT_EQ(role->role_name, "worker");
  EXPECT_EQ(role->access_key_id, "");
  EXPECT_EQ(role->policies->identity.views().size(), 1U);
  EXPECT_THAT(role->tags, ElementsAre(std::pair("Team", "blue"),
                                      std::pair("Size", "small")));
  ASSERT_NE(role->session, nullptr);
  EXPECT_EQ(role->session->issued,
            base::WallTime(std::chrono::seconds(1795348800)));
  EXPECT_EQ(role->session->expires, base::WallTime::max());
  EXPECT_TRUE(role->session->policies.empty());
}

TEST_F(DirectoryTest, OnlyUsersAndRolesThatExistArePrincipals) {
  const Directory directory = Build();
  for (const char* const arn :
       {"arn:aws:iam::111122223333:user/Alice",
        "arn:aws:iam::444455556666:user/team/Alice",
        "arn:aws:iam::111122223333:role/worker",
        "arn:aws:iam::111122223333:group/devs",
        "arn:aws:iam::111122223333:policy/mine",
        "arn:aws:iam::111122223333:root", "Alice", ""}) {
    EXPECT_EQ(directory.PrincipalCaller(arn, "uid-7", {}), nullptr) << arn;
  }
}

TEST_F(DirectoryTest, ASessionEndsWithItsPrincipal) {
  EXPECT_OK(Build().SessionCaller(SessionOf("AIDAALICE")));
  Session foreign = SessionOf("AROAWORKER");
  foreign.account = "444455556666";
  EXPECT_THAT(Build().SessionCaller(foreign),
              StatusIs(ErrorCode::kUnrecognizedClient));
  rows_.entities.erase(rows_.entities.begin() + 2);
  // Made again, it is another.
  rows_.entities.push_back(Make("AROAOTHER", EntityKind::kRole, "worker"));
  rows_.entities.back().trust_policy = "{}";
  EXPECT_THAT(Build().SessionCaller(SessionOf("AROAWORKER")),
              StatusIs(ErrorCode::kUnrecognizedClient));
}

TEST_F(DirectoryTest, AnOlderDirectoryNeverReplacesANewerOne) {
  const auto at = [this](std::uint64_t revision) {
    rows_.revision = revision;
    return std::make_shared<const Directory>(rows_, Directory::Secrets(),
                                             std::vector<AccessKey>());
  };
  DirectorySource source(at(5));
  source.Replace(at(9));
  source.Replace(at(8));
  EXPECT_EQ(source.current()->revision(), 9U);
}

TEST(Session, ComesBackWhole) {
  Session session;
  session.access_key_id = "ASIA";
  session.secret = base::Secret::CopyOf("shh");
  session.account = kAccount;
  session.principal_id = "AROA";
  session.name = "job";
  session.issued = base::WallTime(std::chrono::seconds(1795342500));
  session.expires = session.issued + std::chrono::hours(1);
  session.source_identity = "alice";
  session.provider = "arn:aws:iam::111122223333:oidc-provider/a";
  session.tags = {{"a", "1"}, {"b", ""}};
  session.transitive_tags = {"a"};
  session.policy = "{}";
  session.policy_arns = {"x", "y"};
  ASSERT_OK_AND_ASSIGN(const base::WipingBytes bytes, EncodeSession(session));
  ASSERT_OK_AND_ASSIGN(const Session back, DecodeSession(bytes));
  EXPECT_EQ(back.access_key_id, session.access_key_id);
  EXPECT_EQ(back.secret.RevealText(), "shh");
  EXPECT_EQ(back.account, session.account);
  EXPECT_EQ(back.principal_id, session.principal_id);
  EXPECT_EQ(back.name, session.name);
  EXPECT_EQ(back.issued, session.issued);
  EXPECT_EQ(back.expires, session.expires);
  EXPECT_EQ(back.source_identity, session.source_identity);
  EXPECT_EQ(back.provider, session.provider);
  EXPECT_EQ(back.tags, session.tags);
  EXPECT_EQ(back.transitive_tags, session.transitive_tags);
  EXPECT_EQ(back.policy, session.policy);
  EXPECT_EQ(back.policy_arns, session.policy_arns);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THAT(DecodeSession(base::ByteView(bytes).first(size)),
                StatusIs(ErrorCode::kCorrupt))
        << size;
  }
  session.policy.assign(kMaxSessionBytes, ' ');
  EXPECT_THAT(EncodeSession(session),
              StatusIs(ErrorCode::kPackedPolicyTooLarge));
}

}  // namespace
}  // namespace kms::identity
