// SPDX-License-Identifier: Apache-2.0
#include "policy/document.h"

#include <gtest/gtest.h>

#include <string>

#include "policy/request.h"
#include "tests/testlib/status.h"

namespace policy {
namespace {

using testing::HasSubstr;
using testlib::StatusIs;

std::string Document(std::string_view statement) {
  return R"({"Version":"2012-10-17","Statement":[)" + std::string(statement) +
         "]}";
}

// A statement that is good but for what `members` adds.
std::string With(std::string_view members) {
  return Document(R"({"Effect":"Allow","Principal":"*",)" +
                  std::string(members) + "}");
}

TEST(KeyPolicyTest, AcceptsWhatTheGrammarAllows) {
  for (const std::string& text :
       {With(R"("Action":"kms:*","Resource":"*")"),
        With(R"("Action":["kms:Encrypt","kms:Decrypt"],"Resource":["*"])"),
        With(R"("Sid":"","NotAction":"kms:*","NotResource":"*")"),
        With(R"("Action":"kms:*")"), With(R"("Condition":{})"),
        With(R"("Condition":{"StringEquals":{"a":"b","c":["d",1,true]}})"),
        With(R"("Condition":{"ForAnyValue:StringLikeIfExists":{"a":"b"}})"),
        With(R"("Condition":{"forallvalues:stringequals":{"a":[]}})"),
        With(R"("Condition":{"Null":{"a":"true"},"Bool":{"b":false}})"),
        Document(R"({"Effect":"Deny","NotPrincipal":{"AWS":"111122223333"}})"),
        Document(R"({"Effect":"Allow","Principal":{"AWS":["*","111122223333"],)"
                 R"("Service":"x","Federated":"y"}})"),
        std::string(R"({"Statement":{"Effect":"Allow","Principal":"*"}})"),
        std::string(R"({"Version":"2008-10-17","Id":"x","Statement":)"
                    R"([{"Effect":"Allow","Principal":"*"}]})")}) {
    EXPECT_THAT(CheckKeyPolicy(text), testlib::IsOk()) << text;
  }
}

struct Bad {
  std::string text;
  const char* message;
};

void ExpectMalformed(const std::vector<Bad>& cases) {
  for (const Bad& bad : cases) {
    EXPECT_THAT(
        CheckKeyPolicy(bad.text),
        StatusIs(base::ErrorCode::kMalformedPolicy, HasSubstr(bad.message)))
        << bad.text;
  }
}

TEST(KeyPolicyTest, RefusesADocumentThatIsNone) {
  ExpectMalformed({
      {"", "not valid JSON"},
      {R"({"Statement":[],"Statement":[]})", "names a key twice"},
      {"[]", "must be a JSON object"},
      {"\"x\"", "must be a JSON object"},
      {"{}", "at least one Statement"},
      {R"({"Statement":[]})", "at least one Statement"},
      {R"({"Statement":{}})", "at least one Statement"},
      {R"({"Statement":null})", "at least one Statement"},
      {R"({"Statement":"x"})", "must be an object"},
      {R"({"Statement":[1]})", "must be an object"},
      {R"({"statement":[]})", "Unknown element 'statement' in the policy"},
      {R"({"Version":"2020-01-01","Statement":[{}]})", "Version must be"},
      {R"({"Version":2012,"Statement":[{}]})", "Version must be"},
      {R"({"Id":1,"Statement":[{}]})", "Id must be a string"},
  });
}

TEST(KeyPolicyTest, RefusesAStatementThatIsNone) {
  ExpectMalformed({
      {Document(R"({"Principal":"*"})"), "Effect must be Allow or Deny"},
      {Document(R"({"Effect":"allow","Principal":"*"})"), "Effect must be"},
      {Document(R"({"Effect":true,"Principal":"*"})"), "Effect must be"},
      {Document(R"({"Effect":"Allow"})"), "needs a Principal"},
      {With(R"("NotPrincipal":"*")"), "both Principal and NotPrincipal"},
      {With(R"("Action":"a","NotAction":"b")"), "both Action and NotAction"},
      {With(R"("Resource":"a","NotResource":"b")"), "both Resource and"},
      {With(R"("action":"a")"), "Unknown element 'action' in a statement"},
      {With(R"("Sid":1)"), "Sid must be a string"},
      {With(R"("Action":[])"), "Action must be a string or a list"},
      {With(R"("Action":[1])"), "Action must be a string or a list"},
      {With(R"("Resource":{})"), "Resource must be a string or a list"},
      {With(R"("NotResource":null)"), "NotResource must be a string or a"},
  });
}

TEST(KeyPolicyTest, RefusesAPrincipalThatIsNone) {
  const auto principal = [](std::string_view value) {
    return Document(R"({"Effect":"Allow","Principal":)" + std::string(value) +
                    "}");
  };
  ExpectMalformed({
      {principal(R"("arn:aws:iam::111122223333:root")"), "A principal is"},
      {principal("{}"), "A principal is"},
      {principal("[]"), "A principal is"},
      {principal("null"), "A principal is"},
      {principal(R"({"aws":"1"})"), "Unknown element 'aws' in a principal"},
      {principal(R"({"AWS":[]})"), "a string or a list of strings"},
      {principal(R"({"AWS":1})"), "a string or a list of strings"},
      {Document(R"({"Effect":"Deny","NotPrincipal":"x"})"), "A principal is"},
  });
}

TEST(KeyPolicyTest, RefusesAConditionThatIsNone) {
  ExpectMalformed({
      {With(R"("Condition":[])"), "Condition must be an object"},
      {With(R"("Condition":{"StringIs":{}})"), "Unknown condition operator"},
      {With(R"("Condition":{"NullIfExists":{}})"),
       "Unknown condition operator"},
      {With(R"("Condition":{"ForAnyValue:":{}})"),
       "Unknown condition operator"},
      {With(R"("Condition":{"ForAnyValue:ForAnyValue:Bool":{}})"),
       "Unknown condition operator"},
      {With(R"("Condition":{"StringEquals":"a"})"), "holds an object"},
      {With(R"("Condition":{"StringEquals":{"a":{}}})"), "holds an object"},
      {With(R"("Condition":{"StringEquals":{"a":[null]}})"), "holds an object"},
  });
}

TEST(VerdictTest, HasItsNames) {
  EXPECT_EQ(VerdictName(Verdict::kAllow), "Allow");
  EXPECT_EQ(VerdictName(Verdict::kExplicitDeny), "ExplicitDeny");
  EXPECT_EQ(VerdictName(Verdict::kImplicitDeny), "ImplicitDeny");
}

}  // namespace
}  // namespace policy
