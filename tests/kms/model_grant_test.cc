// SPDX-License-Identifier: Apache-2.0
// What grants say, apart from any store: their words, principals, what suits a
// key, and how one may be made from another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kms/grant.h"

namespace kms {
namespace {

using Op = GrantOperation;
using testing::Optional;

TEST(GrantTest, OperationsHaveOneSpelling) {
  const GrantOperations operations(Op::kEncrypt, Op::kDecrypt,
                                   Op::kDecapsulate);
  EXPECT_EQ(GrantOperationsText(operations), "Decrypt,Encrypt,Decapsulate");
  EXPECT_THAT(ParseGrantOperations("Decrypt,Encrypt,Decapsulate"),
              Optional(operations));
  for (const char* const bad :
       {"", ",", "Encrypt,Decrypt", "Decrypt,Decrypt", "Decrypt,", ",Decrypt",
        "decrypt", "Decrypt, Encrypt", "Decrypt,Other"}) {
    EXPECT_EQ(ParseGrantOperations(bad), std::nullopt) << bad;
  }
  for (const std::string_view name : kGrantOperationNames) {
    const auto operation = ParseGrantOperation(name);
    ASSERT_TRUE(operation.has_value()) << name;
    EXPECT_EQ(GrantOperationsText(GrantOperations(*operation)), name);
  }
}

TEST(GrantTest, PairsSurviveTheirText) {
  const ContextPairs pairs = {{"", "empty key"}, {"a\"\\\n", "ü"}, {"b", ""}};
  EXPECT_THAT(ParseContextPairs(ContextPairsText(pairs)), Optional(pairs));
  EXPECT_THAT(ParseContextPairs("{}"), Optional(ContextPairs()));
  for (const char* const bad : {"", "[]", "{\"a\":1}", "{", "null"}) {
    EXPECT_EQ(ParseContextPairs(bad), std::nullopt) << bad;
  }
}

TEST(GrantTest, IdsAreRandomAndOfOneForm) {
  const std::string id = NewGrantId();
  EXPECT_TRUE(IsGrantId(id));
  EXPECT_NE(NewGrantId(), id);
  for (const std::string& bad : {std::string(), id.substr(1), id + "0",
                                 std::string(64, 'A'), std::string(64, 'g')}) {
    EXPECT_FALSE(IsGrantId(bad)) << bad;
  }
}

TEST(GrantTest, NamesThePrincipalsThatAGrantMay) {
  const std::string account = "111122223333";
  for (const char* const good :
       {"arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:user/u",
        "arn:aws:iam::111122223333:role/path/r",
        "arn:aws:sts::111122223333:assumed-role/r/s",
        "arn:aws:sts::111122223333:federated-user/f"}) {
    EXPECT_THAT(AccountOfPrincipal(good), Optional(std::string_view(account)))
        << good;
  }
  for (const char* const bad :
       {"", "111122223333", "AIDAEXAMPLE", "sns.amazonaws.com",
        "arn:aws:iam::111122223333:group/g", "arn:aws:iam::111122223333:user/",
        "arn:aws:iam::111122223333:", "arn:aws:iam::111122223333",
        "arn:aws:iam::11112222333:root", "arn:aws:iam::11112222333x:root",
        "arn:aws:sts::111122223333:root", "arn:aws:iam::111122223333:rooted",
        "arn:aws:kms:eu-west-1:111122223333:key/k",
        "arn:aws:iam:eu-west-1:111122223333:root"}) {
    EXPECT_EQ(AccountOfPrincipal(bad), std::nullopt) << bad;
  }
}

TEST(GrantTest, ASymmetricKeyIsGrantedWhatItCanDo) {
  EXPECT_EQ(GrantOperationsText(GrantableOperations(Key())),
            "Decrypt,Encrypt,GenerateDataKey,GenerateDataKeyWithoutPlaintext,"
            "ReEncryptFrom,ReEncryptTo,CreateGrant,RetireGrant,DescribeKey,"
            "GenerateDataKeyPair,GenerateDataKeyPairWithoutPlaintext");
}

TEST(GrantTest, ParametersAreAllButTheName) {
  Grant grant;
  grant.key_row_id = "k";
  grant.name = "n";
  grant.grantee_principal = "a";
  grant.operations.Add(Op::kDecrypt);
  const base::Digest digest = grant.Parameters();
  Grant same = grant;
  same.id = "other";
  same.name = "other";
  same.created = base::WallTime(std::chrono::seconds(1));
  same.creating_principal = "other";
  EXPECT_EQ(same.Parameters(), digest);
  const auto differs = [&](void (*change)(Grant&)) {
    Grant other = grant;
    change(other);
    return other.Parameters() != digest;
  };
  EXPECT_TRUE(differs([](Grant& g) { g.grantee_principal = "b"; }));
  EXPECT_TRUE(differs([](Grant& g) {
    g.grantee_service = g.grantee_principal;
    g.grantee_principal = "";
  }));
  EXPECT_TRUE(differs([](Grant& g) { g.retiring_principal = "b"; }));
  EXPECT_TRUE(differs([](Grant& g) { g.retiring_service = "b"; }));
  EXPECT_TRUE(differs([](Grant& g) { g.issuing_account = "b"; }));
  EXPECT_TRUE(differs([](Grant& g) { g.operations.Add(Op::kEncrypt); }));
  EXPECT_TRUE(differs([](Grant& g) { g.constraints.source_arn = "b"; }));
  EXPECT_TRUE(
      differs([](Grant& g) { g.constraints.context_equals.emplace(); }));
  EXPECT_TRUE(
      differs([](Grant& g) { g.constraints.context_subset.emplace(); }));
}

class ChildTest : public testing::Test {
 protected:
  static GrantConstraints Equals(ContextPairs pairs) {
    return {.context_equals = std::move(pairs),
            .context_subset = {},
            .source_arn = {}};
  }
  static GrantConstraints Subset(ContextPairs pairs) {
    return {.context_equals = {},
            .context_subset = std::move(pairs),
            .source_arn = {}};
  }
  bool May(const GrantConstraints& parent, const GrantConstraints& child) {
    parent_.constraints = parent;
    child_.constraints = child;
    return MayCreateFrom(parent_, child_);
  }
  ChildTest() {
    parent_.key_row_id = child_.key_row_id = "k";
    parent_.operations =
        GrantOperations(Op::kCreateGrant, Op::kDecrypt, Op::kEncrypt);
    child_.operations = GrantOperations(Op::kDecrypt);
  }

  Grant parent_;
  Grant child_;
};

TEST_F(ChildTest, HasNoOperationThatItsParentHasNot) {
  EXPECT_TRUE(MayCreateFrom(parent_, child_));
  child_.operations = parent_.operations;
  EXPECT_TRUE(MayCreateFrom(parent_, child_));
  child_.operations.Add(Op::kDescribeKey);
  EXPECT_FALSE(MayCreateFrom(parent_, child_));
}

TEST_F(ChildTest, NeedsAParentThatListsCreateGrantOnTheSameKey) {
  parent_.operations = GrantOperations(Op::kDecrypt, Op::kEncrypt);
  EXPECT_FALSE(MayCreateFrom(parent_, child_));
  parent_.operations.Add(Op::kCreateGrant);
  EXPECT_TRUE(MayCreateFrom(parent_, child_));
  child_.key_row_id = "other";
  EXPECT_FALSE(MayCreateFrom(parent_, child_));
}

TEST_F(ChildTest, HasConstraintsAtLeastAsStrict) {
  const GrantConstraints none;
  const ContextPairs a = {{"a", "1"}};
  const ContextPairs ab = {{"a", "1"}, {"b", "2"}};
  const ContextPairs upper = {{"A", "1"}};
  const ContextPairs other = {{"a", "2"}};
  const struct {
    GrantConstraints parent;
    GrantConstraints child;
    bool may;
  } cases[] = {
      {none, none, true},
      {none, Subset(a), true},
      {none, Equals(a), true},
      {Subset(a), Subset(a), true},
      {Subset(a), Subset(ab), true},
      {Subset(a), Equals(a), true},
      {Subset(a), Equals(ab), true},
      {Subset(a), none, false},
      {Subset(ab), Subset(a), false},
      {Subset(ab), Equals(a), false},
      {Subset(a), Subset(other), false},
      {Subset(a), Subset(upper), false},
      {Subset({}), none, false},
      {Equals(a), Equals(a), true},
      {Equals(a), Equals(ab), false},
      {Equals(ab), Equals(a), false},
      {Equals(a), Subset(a), false},
      {Equals(a), Subset(ab), false},
      {Equals(a), none, false},
      {Equals({}), none, false},
      {Equals({}), Equals({}), true},
  };
  int row = 0;
  for (const auto& [parent, child, may] : cases) {
    EXPECT_EQ(May(parent, child), may) << "row " << row;
    ++row;
  }
}

TEST_F(ChildTest, KeepsTheSourceOfItsParent) {
  child_.constraints.source_arn = "arn:1";
  EXPECT_TRUE(MayCreateFrom(parent_, child_));
  parent_.constraints.source_arn = "arn:1";
  EXPECT_TRUE(MayCreateFrom(parent_, child_));
  child_.constraints.source_arn = "arn:2";
  EXPECT_FALSE(MayCreateFrom(parent_, child_));
  child_.constraints.source_arn = "";
  EXPECT_FALSE(MayCreateFrom(parent_, child_));
}

}  // namespace
}  // namespace kms
