// SPDX-License-Identifier: Apache-2.0
// Key policies and grants decide, for every operation and every caller.
#include <chrono>

#include "base/bytes.h"
#include "kms/operations/bootstrap.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::EndsWith;
using testing::HasSubstr;
using testlib::StatusIs;

constexpr std::string_view kLockedOut =
    "The new key policy will not allow you to update the key policy in the "
    "future.";

json Allow(const json& principal, const json& actions) {
  return {{"Effect", "Allow"},
          {"Principal", principal},
          {"Action", actions},
          {"Resource", "*"}};
}
json Deny(const json& principal, const json& actions) {
  json statement = Allow(principal, actions);
  statement["Effect"] = "Deny";
  return statement;
}

class AuthorizationTest : public OperationsTest {
 protected:
  AuthorizationTest() : key_(NewKey()) {
    testlib::Take(Run(CheckServiceKeys(environment(), NewStore::kAllow)));
  }

  static Caller User(std::string_view name) {
    return identity::User(kAccount, name);
  }
  static std::string ArnOf(std::string_view user) { return User(user).arn; }
  std::string Arn() const {
    return "arn:aws:kms:eu-west-1:111122223333:key/" + key_;
  }
  static json Account() {
    return Allow({{"AWS", "arn:aws:iam::111122223333:root"}}, "kms:*");
  }
  static std::string Policy(const std::vector<json>& statements) {
    return json{{"Version", "2012-10-17"}, {"Statement", statements}}.dump();
  }
  base::Result<json> Put(const std::vector<json>& statements,
                         bool bypass = false) {
    json input = {{"KeyId", key_}, {"Policy", Policy(statements)}};
    if (bypass) {
      input["BypassPolicyLockoutSafetyCheck"] = true;
    }
    return Ask("PutKeyPolicy", input);
  }

  base::Result<json> Encrypt(const Caller& caller,
                             const json& context = nullptr) {
    json input = {{"KeyId", key_}, {"Plaintext", "YQ=="}};
    if (!context.is_null()) {
      input["EncryptionContext"] = context;
    }
    return Ask("Encrypt", input, {.caller = caller});
  }
  base::Result<json> Grant(
      const json& input,
      const Caller& caller = identity::Administrator(kAccount)) {
    json whole = {{"KeyId", key_},
                  {"GranteePrincipal", ArnOf("alice")},
                  {"Operations", {"Encrypt", "DescribeKey"}}};
    whole.update(input);
    return Ask("CreateGrant", whole, {.caller = caller});
  }
  auto IsDenied(std::string_view because) {
    return StatusIs(ErrorCode::kAccessDenied, EndsWith(std::string(because)));
  }

  const std::string key_;
  const Caller admin_ = identity::Administrator(kAccount);
  const Caller alice_ = User("alice");
  const Caller bob_ = User("bob");
};

TEST_F(AuthorizationTest, AKeyPolicyLetsAUserIn) {
  EXPECT_THAT(
      Encrypt(alice_),
      StatusIs(ErrorCode::kAccessDenied,
               "User: " + alice_.arn +
                   " is not authorized to perform: kms:Encrypt on resource: " +
                   Arn() +
                   " because no identity-based policy allows the kms:Encrypt "
                   "action"));
  ASSERT_OK(
      Put({Account(), Allow({{"AWS", ArnOf("alice")}}, {"kms:Encrypt"})}));
  ASSERT_OK_AND_ASSIGN(const json encrypted, Encrypt(alice_));
  EXPECT_THAT(Encrypt(bob_), StatusIs(ErrorCode::kAccessDenied));
  EXPECT_THAT(
      Ask("Decrypt", {{"CiphertextBlob", encrypted.at("CiphertextBlob")}},
          {.caller = alice_}),
      StatusIs(ErrorCode::kAccessDenied));
  Restart();
  EXPECT_OK(Encrypt(alice_));
  ASSERT_OK(Put({Account()}));
  EXPECT_THAT(Encrypt(alice_), StatusIs(ErrorCode::kAccessDenied))
      << "from the next request on";
}

TEST_F(AuthorizationTest, AnExplicitDenyBeatsEverything) {
  ASSERT_OK(Put({Account(), Allow({{"AWS", ArnOf("alice")}}, "kms:*"),
                 Deny("*", "kms:Encrypt")}));
  ASSERT_OK(Grant(json::object()));
  for (const Caller& caller : {admin_, alice_}) {
    EXPECT_THAT(Encrypt(caller),
                IsDenied("with an explicit deny in a resource-based policy"));
  }
}

TEST_F(AuthorizationTest, WithoutDelegationIdentityPoliciesDoNotCount) {
  ASSERT_OK(Put({Allow({{"AWS", ArnOf("alice")}}, "kms:*")}, true));
  EXPECT_THAT(Encrypt(admin_),
              IsDenied("because no resource-based policy allows the "
                       "kms:Encrypt action"));
  EXPECT_OK(Encrypt(alice_));
  // They list keys all the same: that is nobody's key.
  EXPECT_OK(Ask("ListKeys", json::object()));
  EXPECT_THAT(Ask("ListKeys", json::object(), {.caller = alice_}),
              StatusIs(ErrorCode::kAccessDenied));
}

TEST_F(AuthorizationTest, ConditionsSeeTheRequest) {
  json statement = Allow({{"AWS", ArnOf("alice")}}, "kms:Encrypt");
  statement["Condition"] = {
      {"StringEquals", {{"kms:EncryptionContext:tenant", "a"}}}};
  ASSERT_OK(Put({Account(), statement}));
  EXPECT_OK(Encrypt(alice_, {{"tenant", "a"}}));
  EXPECT_THAT(Encrypt(alice_, {{"tenant", "b"}}),
              StatusIs(ErrorCode::kAccessDenied));
  EXPECT_THAT(Encrypt(alice_), StatusIs(ErrorCode::kAccessDenied));
}

TEST_F(AuthorizationTest, ConditionsSeeTheKeysTagsAndAliases) {
  json by_tag = Allow({{"AWS", ArnOf("alice")}}, "kms:Encrypt");
  by_tag["Condition"] = {{"StringEquals", {{"aws:ResourceTag/Team", "blue"}}}};
  json by_alias = Allow({{"AWS", ArnOf("bob")}}, "kms:Encrypt");
  by_alias["Condition"] = {
      {"ForAnyValue:StringLike", {{"kms:ResourceAliases", "alias/app-*"}}}};
  ASSERT_OK(Put({Account(), by_tag, by_alias}));
  EXPECT_FALSE(Encrypt(alice_).has_value());
  EXPECT_FALSE(Encrypt(bob_).has_value());
  ASSERT_OK(Ask("TagResource",
                {{"KeyId", key_},
                 {"Tags", {{{"TagKey", "team"}, {"TagValue", "blue"}}}}}));
  ASSERT_OK(Ask("CreateAlias",
                {{"AliasName", "alias/app-1"}, {"TargetKeyId", key_}}));
  EXPECT_OK(Encrypt(alice_));
  EXPECT_OK(Encrypt(bob_));
  const json event = Events().back();
  EXPECT_EQ(
      event.at("additionalEventData").at("context").at("kms:ResourceAliases"),
      "alias/app-1");
  ASSERT_OK(Ask("UntagResource", {{"KeyId", key_}, {"TagKeys", {"team"}}}));
  ASSERT_OK(Ask("DeleteAlias", {{"AliasName", "alias/app-1"}}));
  EXPECT_FALSE(Encrypt(alice_).has_value());
  EXPECT_FALSE(Encrypt(bob_).has_value());
}

TEST_F(AuthorizationTest, AGrantAllowsWhatItLists) {
  ASSERT_OK_AND_ASSIGN(const json made, Grant(json::object()));
  ASSERT_OK_AND_ASSIGN(const json encrypted, Encrypt(alice_));
  const json event = Events().back();
  const json& decision = event.at("additionalEventData").at("decision");
  EXPECT_EQ(decision.at("layer"), "grant");
  EXPECT_EQ(decision.at("sid"), made.at("GrantId"));
  EXPECT_THAT(Encrypt(bob_), StatusIs(ErrorCode::kAccessDenied));
  EXPECT_THAT(
      Ask("Decrypt", {{"CiphertextBlob", encrypted.at("CiphertextBlob")}},
          {.caller = alice_}),
      StatusIs(ErrorCode::kAccessDenied));
  EXPECT_THAT(Ask("DisableKey", {{"KeyId", key_}}, {.caller = alice_}),
              StatusIs(ErrorCode::kAccessDenied));
  ASSERT_OK(
      Ask("RevokeGrant", {{"KeyId", key_}, {"GrantId", made.at("GrantId")}}));
  EXPECT_THAT(Encrypt(alice_), StatusIs(ErrorCode::kAccessDenied));
}

TEST_F(AuthorizationTest, AGrantHoldsUnderItsConstraint) {
  ASSERT_OK(Grant(
      {{"Constraints", {{"EncryptionContextSubset", {{"tenant", "a"}}}}}}));
  EXPECT_OK(Encrypt(alice_, {{"tenant", "a"}, {"more", "1"}}));
  EXPECT_THAT(Encrypt(alice_, {{"tenant", "b"}}),
              StatusIs(ErrorCode::kAccessDenied));
  EXPECT_THAT(Encrypt(alice_), StatusIs(ErrorCode::kAccessDenied));
  EXPECT_OK(Ask("DescribeKey", {{"KeyId", key_}}, {.caller = alice_}));
}

TEST_F(AuthorizationTest, AGranteePassesOnWhatTheGrantCovers) {
  ASSERT_OK(Grant(
      {{"Operations", {"CreateGrant", "Encrypt"}},
       {"Constraints", {{"EncryptionContextSubset", {{"tenant", "a"}}}}}}));
  const json for_bob = {
      {"GranteePrincipal", ArnOf("bob")},
      {"Operations", {"Encrypt"}},
      {"Constraints", {{"EncryptionContextSubset", {{"tenant", "a"}}}}}};
  json wider = for_bob;
  wider.erase("Constraints");
  EXPECT_THAT(Grant(wider, alice_), StatusIs(ErrorCode::kAccessDenied));
  json other = for_bob;
  other["Operations"] = {"Encrypt", "Decrypt"};
  EXPECT_THAT(Grant(other, alice_), StatusIs(ErrorCode::kAccessDenied));
  ASSERT_OK(Grant(for_bob, alice_));
  EXPECT_OK(Encrypt(bob_, {{"tenant", "a"}}));
}

// What an account may give away is its policies' to say.
TEST_F(AuthorizationTest, AGrantToAnAccountLetsInWhomItsPoliciesAllow) {
  ASSERT_OK(Put({Allow({{"AWS", ArnOf("bob")}}, "kms:*")}, true));
  EXPECT_FALSE(Encrypt(admin_).has_value());
  ASSERT_OK(
      Grant({{"GranteePrincipal", "arn:aws:iam::111122223333:root"}}, bob_));
  EXPECT_OK(Encrypt(admin_));
  EXPECT_THAT(Encrypt(alice_), StatusIs(ErrorCode::kAccessDenied));
}

TEST_F(AuthorizationTest, AServiceUsesACustomersKeyThatNamesIt) {
  const Caller service = identity::Service(kAccount, "sns.amazonaws.com");
  EXPECT_THAT(Encrypt(service), StatusIs(ErrorCode::kAccessDenied));
  ASSERT_OK(Put(
      {Account(), Allow({{"Service", "sns.amazonaws.com"}}, "kms:Encrypt")}));
  EXPECT_OK(Encrypt(service));
  EXPECT_THAT(Encrypt(identity::Service(kAccount, "s3.amazonaws.com")),
              StatusIs(ErrorCode::kAccessDenied));
}

TEST_F(AuthorizationTest, ReEncryptAsksForBothKeys) {
  const std::string blob = Encrypted(key_, "text");
  const std::string other = NewKey();
  const json request = {{"CiphertextBlob", blob}, {"DestinationKeyId", other}};
  const auto ask = [&] {
    return Ask("ReEncrypt", request, {.caller = alice_});
  };
  EXPECT_THAT(ask(), StatusIs(ErrorCode::kAccessDenied, HasSubstr(key_)));
  ASSERT_OK(Grant({{"Operations", {"ReEncryptFrom"}}}));
  EXPECT_THAT(ask(), StatusIs(ErrorCode::kAccessDenied, HasSubstr(other)));
  ASSERT_OK(Grant({{"KeyId", other}, {"Operations", {"ReEncryptTo"}}}));
  EXPECT_OK(ask());
}

TEST_F(AuthorizationTest, NobodyLocksThemselvesOut) {
  const auto locked_out = StatusIs(ErrorCode::kMalformedPolicy, kLockedOut);
  const std::vector<json> for_alice = {
      Allow({{"AWS", ArnOf("alice")}}, "kms:*")};
  EXPECT_THAT(Put(for_alice), locked_out);
  EXPECT_THAT(Put({Account(), Deny("*", "kms:PutKeyPolicy")}), locked_out);
  json elsewhere = Account();
  elsewhere["Condition"] = {{"Bool", {{"aws:SecureTransport", "false"}}}};
  EXPECT_THAT(Put({elsewhere}), locked_out)
      << "a condition that does not hold now";
  EXPECT_OK(Encrypt(admin_)) << "nothing was changed";
  EXPECT_THAT(Ask("CreateKey", {{"Policy", Policy(for_alice)}}), locked_out);
  const json primary = testlib::Take(Ask("CreateKey", {{"MultiRegion", true}}));
  EXPECT_THAT(
      Ask("ReplicateKey", {{"KeyId", primary.at("KeyMetadata").at("KeyId")},
                           {"ReplicaRegion", "us-east-1"},
                           {"Policy", Policy(for_alice)}}),
      locked_out);
  EXPECT_EQ(CountEvents("PutKeyPolicy"), 0);
  ASSERT_OK(Put(for_alice, /*bypass=*/true));
  EXPECT_FALSE(Put({Account()}).has_value());
}

// The flag that goes around the check can be kept from those who are not to
// use it.
TEST_F(AuthorizationTest, APolicyKeepsPeopleFromGoingAround) {
  json no_bypass = Deny("*", "kms:PutKeyPolicy");
  no_bypass["Condition"] = {
      {"Bool", {{"kms:BypassPolicyLockoutSafetyCheck", "true"}}}};
  ASSERT_OK(Put({Account(), no_bypass}));
  EXPECT_THAT(Put({Account()}, /*bypass=*/true),
              StatusIs(ErrorCode::kAccessDenied));
  EXPECT_OK(Put({Account()}));
}

TEST_F(AuthorizationTest, APolicyThatCannotBeReadDeniesEveryone) {
  ASSERT_OK(store().WriteNow([&](store::Transaction& transaction) {
    Key key = testlib::Take(transaction.GetKey(key_));
    key.policy = R"({"Statement":[{"Effect":"Perhaps"}]})";
    return transaction.UpdateKey(key);
  }));
  EXPECT_THAT(Encrypt(admin_),
              IsDenied("with an explicit deny in a resource-based policy"));
  EXPECT_THAT(Put({Account()}), StatusIs(ErrorCode::kAccessDenied));
}

TEST_F(AuthorizationTest, TheRootIsWhomTheAccountMeans) {
  Caller root = admin_;
  root.kind = CallerKind::kRoot;
  root.arn = "arn:aws:iam::111122223333:root";
  root.policies = nullptr;
  EXPECT_OK(Encrypt(root));
  EXPECT_OK(Ask("ListKeys", json::object(), {.caller = root}));
  ASSERT_OK(Put({Allow({{"AWS", ArnOf("alice")}}, "kms:*")}, true));
  EXPECT_THAT(Encrypt(root), StatusIs(ErrorCode::kAccessDenied));
}

}  // namespace
}  // namespace kms::operations
