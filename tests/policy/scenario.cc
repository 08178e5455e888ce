// SPDX-License-Identifier: Apache-2.0
#include "tests/policy/scenario.h"

#include <algorithm>

namespace policy {
namespace {

using Pool = std::vector<std::string>;

const Pool action_pool = {"kms:Decrypt",
                          "kms:Encrypt",
                          "KMS:DECRYPT",
                          "kms:*",
                          "*",
                          "kms:De*",
                          "kms:?ecrypt",
                          "kms:Create*",
                          "kms:CreateGrant",
                          "kms:DescribeKey",
                          "*:*",
                          "kms:*Key",
                          "kms:EnableKey",
                          "kms:ReEncrypt*",
                          "kms:Sign",
                          "kms:crypt",
                          "kms:Nothing",
                          "kms:ReEncryptFrom"};
const Pool asked_pool = {
    "kms:Decrypt",   "kms:Decrypt",       "kms:Encrypt",
    "kms:CreateKey", "kms:decrypt",       "kms:EnableKey",
    "kms:Sign",      "kms:ReEncryptFrom", "kms:DescribeKey"};
const std::string key_arn = "arn:aws:kms:eu-west-1:111122223333:key/k1";
const Pool resource_pool = {
    "*",
    "*",
    key_arn,
    "arn:aws:kms:*:111122223333:key/*",
    "arn:aws:kms:*",
    "arn:aws:kms",
    "arn:aws:kms:eu-west-1:111122223333:key/k?",
    "arn:*:key/k1",
    "arn:aws:kms:eu-west-1:111122223333:key/K1",
    "arn:aws:kms:eu-west-1:111122223333:alias/*",
    "arn:aws:kms:eu-west-1:111122223333:key/${aws:username}",
    "arn:aws:kms:eu-west-1:111122223333:*/${Tag, 'k1'}",
    "arn:aws:kms:eu-west-1:111122223333:key/k1${*}"};
const Pool asked_resource_pool = {key_arn,
                                  key_arn,
                                  key_arn,
                                  "arn:aws:kms:eu-west-1:111122223333:key/k22",
                                  "arn:aws:kms:eu-west-1:111122223333:alias/a",
                                  "*"};
const Pool principal_pool = {"*",
                             "*",
                             "111122223333",
                             "arn:aws:iam::111122223333:root",
                             "444455556666",
                             "arn:aws:iam::111122223333:user/alice",
                             "arn:aws:iam::111122223333:user/p/bob",
                             "arn:aws:iam::111122223333:role/app/r",
                             "arn:aws:iam::111122223333:role/r",
                             "arn:aws:sts::111122223333:assumed-role/r/s",
                             "arn:aws:sts::111122223333:federated-user/f",
                             "arn:aws:iam::444455556666:user/alice"};

// Operators by the type of their values, and values of that type; the last few
// are of none.
struct Type {
  Pool operators;
  Pool keys;
  Pool values;
};
const std::vector<Type> type_pool = {
    {{"StringEquals", "StringNotEquals", "StringLike", "StringNotLike",
      "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "stringequals"},
     {"aws:username", "Tag", "kms:EncryptionContext:Dept", "aws:TagKeys"},
     {"a", "A", "ab", "a*", "*", "?b", "", "k1", "\xC3\x84", "\xC3\xA4",
      "${aws:username}", "${Tag, 'ab'}", "${aws:TagKeys}", "${*}", "a${?}",
      "${none}", "${aws:username}*", "${", "${$}"}},
    {{"NumericEquals", "NumericNotEquals", "NumericLessThan",
      "NumericLessThanEquals", "NumericGreaterThan",
      "NumericGreaterThanEquals"},
     {"n", "aws:MultiFactorAuthAge"},
     {"1", "1.0", "2", "-3", "10", "0.5", "01", "-0", "0", "12a", "", "1e1"}},
    {{"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals",
      "DateGreaterThan", "DateGreaterThanEquals"},
     {"aws:CurrentTime", "aws:EpochTime"},
     {"2024-01-31T00:00:00Z", "2024-01-31", "1706659200", "1706659200.5",
      "2024-01-31T01:00:00+01:00", "2024", "2024-02-30", "soon", "",
      "2024-01-30T23:59Z"}},
    {{"Bool"},
     {"aws:SecureTransport", "b"},
     {"true", "false", "TRUE", "False", "yes", ""}},
    {{"BinaryEquals"}, {"bin"}, {"QQ==", "QUI=", "QR==", "Q", ""}},
    {{"IpAddress", "NotIpAddress"},
     {"aws:SourceIp"},
     {"10.0.0.0/8", "10.1.2.3", "10.1.2.3/32", "192.168.0.0/16",
      "2001:db8::/32", "2001:db8::1", "2001:DB8:0:0:0:0:0:1", "::ffff:10.1.2.3",
      "0.0.0.0/0", "::/0", "10.1.2", "10.0.0.0/33", "x"}},
    {{"ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"},
     {"aws:PrincipalArn", "aws:SourceArn"},
     {"arn:aws:iam::111122223333:user/alice", "arn:aws:iam::*:user/*",
      "arn:aws:iam::111122223333:*", "arn:*", "*", "x",
      "arn:aws:iam::111122223333:user/${aws:username}",
      "arn:aws:sns:eu-west-1:1:a:b", "arn:aws:sns:*:*:a?b"}},
};
constexpr int kNull = 7;

const Pool operation_pool = {"Decrypt",     "Encrypt", "DescribeKey",
                             "CreateGrant", "Sign",    "ReEncryptFrom"};

std::string Quoted(const std::string& text) { return '"' + text + '"'; }

}  // namespace

std::string ScenarioMaker::TextOrList(const Pool& pool) {
  if (Chance(60)) {
    return Quoted(Pick(pool));
  }
  std::string list = "[" + Quoted(Pick(pool));
  for (int more = Below(3); more > 0; --more) {
    list += "," + Quoted(Pick(pool));
  }
  return list + "]";
}

std::string ScenarioMaker::MakePrincipal() {
  if (Chance(20)) {
    return "\"*\"";
  }
  if (Chance(10)) {
    return R"({"Service":"s3.amazonaws.com"})";
  }
  return R"({"AWS":)" + TextOrList(principal_pool) +
         (Chance(10) ? R"(,"Service":["s3.amazonaws.com"]})" : "}");
}

// The operator's name; its row of type_pool, or kNull, in `type`.
std::string ScenarioMaker::MakeOperator(std::size_t& type) {
  type = static_cast<std::size_t>(Chance(50) ? 0 : Below(kNull + 1));
  if (type == kNull) {
    return "Null";
  }
  std::string name = Pick(type_pool[type].operators);
  if (Chance(20)) {
    name += "IfExists";
  }
  if (Chance(25)) {
    name = (Chance(50) ? "ForAnyValue:" : "ForAllValues:") + name;
  }
  return name;
}

std::string ScenarioMaker::MakeCondition() {
  std::string all;
  std::vector<std::string> used;
  for (int left = 1 + Below(2); left > 0; --left) {
    std::size_t type = 0;
    const std::string name = MakeOperator(type);
    if (std::find(used.begin(), used.end(), name) != used.end()) {
      continue;
    }
    used.push_back(name);
    std::string key =
        type == kNull
            ? Pick(type_pool[static_cast<std::size_t>(Below(kNull))].keys)
            : Pick(type_pool[type].keys);
    // Refused in key policies.
    if (name.starts_with("ForAll") && key.starts_with("kms:Enc")) {
      key = "Tag";
    }
    const std::string values = type == kNull
                                   ? TextOrList({"true", "false", "maybe"})
                                   : TextOrList(type_pool[type].values);
    all += (all.empty() ? "" : ",") + Quoted(name) + ":{" + Quoted(key) + ":" +
           values + "}";
  }
  return "{" + all + "}";
}

std::string ScenarioMaker::MakeStatement(Kind kind, const std::string& effect) {
  std::string out = R"({"Effect":)" + Quoted(effect);
  const bool deny = effect == "Deny";
  if (kind == Kind::kResourceControl) {
    out += R"(,"Principal":"*")";
  } else if (kind == Kind::kKey) {
    const bool inverted = deny && Chance(25);
    out += (inverted ? R"(,"NotPrincipal":)" : R"(,"Principal":)") +
           MakePrincipal();
  }
  const bool may_lack = kind == Kind::kKey;
  if (!may_lack || !Chance(4)) {
    out += (Chance(12) ? R"(,"NotAction":)" : R"(,"Action":)") +
           TextOrList(action_pool);
  }
  if (!may_lack || !Chance(4)) {
    out += (Chance(12) ? R"(,"NotResource":)" : R"(,"Resource":)") +
           (Chance(50) ? "\"*\"" : TextOrList(resource_pool));
  }
  if (Chance(50)) {
    out += R"(,"Condition":)" + MakeCondition();
  }
  return out + "}";
}

std::string ScenarioMaker::MakeDocument(Kind kind) {
  std::string statements;
  for (int left = 1 + Below(4); left > 0; --left) {
    const bool deny = kind == Kind::kResourceControl || Chance(25);
    statements += (statements.empty() ? "" : ",") +
                  MakeStatement(kind, deny ? "Deny" : "Allow");
  }
  const std::string version = Chance(80)   ? R"("Version":"2012-10-17",)"
                              : Chance(50) ? R"("Version":"2008-10-17",)"
                                           : "";
  return "{" + version + R"("Statement":[)" + statements + "]}";
}

std::vector<std::string> ScenarioMaker::MakeDocuments(Kind kind, int percent) {
  std::vector<std::string> out;
  while (Chance(percent)) {
    out.push_back(MakeDocument(kind));
    percent /= 2;
  }
  return out;
}

Scenario ScenarioMaker::MakeScenario() {
  Scenario out;
  if (Chance(95)) {
    out.resource_policy = MakeDocument(Kind::kKey);
  }
  out.identity = MakeDocuments(Kind::kIdentity, 80);
  out.boundary = MakeDocuments(Kind::kIdentity, 15);
  out.session = MakeDocuments(Kind::kIdentity, 15);
  if (Chance(10)) {
    out.service_control.push_back(MakeDocuments(Kind::kIdentity, 90));
  }
  if (Chance(10)) {
    out.resource_control.push_back(MakeDocuments(Kind::kResourceControl, 90));
  }
  for (int left = Chance(30) ? 1 + Below(2) : 0; left > 0; --left) {
    ScenarioGrant grant;
    do {
      grant.grantee = Pick(principal_pool);
    } while (grant.grantee.size() < 15);
    grant.operations = {Pick(operation_pool), Pick(operation_pool)};
    if (Chance(30)) {
      grant.equals = Chance(50);
      grant.pairs = {{"Dept", "a"}};
    }
    out.grants.push_back(std::move(grant));
  }
  return out;
}

Question ScenarioMaker::MakeQuestion() {
  static const std::vector<Question> caller_pool = {
      {"user", "arn:aws:iam::111122223333:user/alice", "", "111122223333"},
      {"user", "arn:aws:iam::111122223333:user/p/bob", "", "111122223333"},
      {"root", "arn:aws:iam::111122223333:root", "", "111122223333"},
      {"assumed-role", "arn:aws:sts::111122223333:assumed-role/r/s",
       "arn:aws:iam::111122223333:role/app/r", "111122223333"},
      {"federated-user", "arn:aws:sts::111122223333:federated-user/f",
       "arn:aws:iam::111122223333:user/alice", "111122223333"},
      {"user", "arn:aws:iam::444455556666:user/alice", "", "444455556666"},
      {"root", "arn:aws:iam::444455556666:root", "", "444455556666"},
      {"service", "s3.amazonaws.com", "", "111122223333"},
  };
  Question out = caller_pool[static_cast<std::size_t>(
      Below(static_cast<int>(caller_pool.size())))];
  out.action = Pick(asked_pool);
  out.resource = Pick(asked_resource_pool);
  out.resource_account = out.resource == "*" ? out.account : "111122223333";
  for (const Type& type : type_pool) {
    for (const std::string& key : type.keys) {
      if (Chance(55)) {
        out.context.emplace_back(key, Pick(type.values));
      }
      if (key == "aws:TagKeys" && Chance(40)) {
        out.context.emplace_back(key, Pick(type.values));
      }
    }
  }
  return out;
}

}  // namespace policy
