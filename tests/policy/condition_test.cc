// SPDX-License-Identifier: Apache-2.0
#include "policy/condition.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace policy {
namespace {

using Context = std::vector<ContextEntry>;

constexpr auto kYes = Match::kYes;
constexpr auto kNo = Match::kNo;
constexpr auto kError = Match::kError;

Match Holds(std::string_view operator_name, std::string_view key,
            const std::vector<std::string_view>& values, const Context& context,
            bool variables = true) {
  const auto use = ParseOperator(operator_name);
  EXPECT_TRUE(use.has_value()) << operator_name;
  return Condition(*use, operator_name, key, values, variables).Holds(context);
}

// An operator, what the policy says, what the request says.
struct Row {
  const char* name;
  std::vector<std::string_view> values;
  std::string_view actual;
  Match holds;
};

void ExpectRows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    EXPECT_EQ(Holds(row.name, "k", row.values, {{"k", {}, row.actual}}),
              row.holds)
        << row.name << " " << (row.values.empty() ? "" : row.values[0])
        << " for " << row.actual;
  }
}

TEST(StringOperators, CompareTexts) {
  ExpectRows({
      {"StringEquals", {"a"}, "a", kYes},
      {"StringEquals", {"a"}, "A", kNo},
      {"StringEquals", {"b", "a"}, "a", kYes},
      {"StringEquals", {}, "a", kNo},
      {"StringEquals", {""}, "", kYes},
      {"StringEquals", {"a*"}, "ab", kNo},
      {"StringEquals", {"a*"}, "a*", kYes},
      {"StringNotEquals", {"a"}, "a", kNo},
      {"StringNotEquals", {"b", "a"}, "a", kNo},
      {"StringNotEquals", {"b", "c"}, "a", kYes},
      {"StringNotEquals", {}, "a", kYes},
      {"StringEqualsIgnoreCase", {"aB"}, "Ab", kYes},
      {"StringEqualsIgnoreCase", {"\xC3\x84"}, "\xC3\xA4", kYes},
      {"StringEqualsIgnoreCase", {"\xC3\x97"}, "\xC3\xB7", kNo},
      {"StringNotEqualsIgnoreCase", {"aB"}, "Ab", kNo},
      {"StringLike", {"a*c"}, "abbc", kYes},
      {"StringLike", {"a*c"}, "abbd", kNo},
      {"StringLike", {"a?c"}, "abc", kYes},
      {"StringLike", {"a?c"}, "ac", kNo},
      {"StringLike", {"a?c"}, "a\xC3\xA4\x63", kYes},
      {"StringLike", {"a??c"}, "a\xC3\xA4\x63", kNo},
      {"StringLike", {"*"}, "", kYes},
      {"StringLike", {"a*"}, "a\nb", kYes},
      {"StringLike", {"A*"}, "ab", kNo},
      {"StringNotLike", {"a*"}, "ab", kNo},
      {"StringNotLike", {"b*", "c*"}, "ab", kYes},
  });
}

TEST(NumericOperators, CompareExactly) {
  ExpectRows({
      {"NumericEquals", {"10"}, "10", kYes},
      {"NumericEquals", {"10"}, "10.0", kYes},
      {"NumericEquals", {"010"}, "10", kYes},
      {"NumericEquals", {"-0"}, "0", kYes},
      {"NumericEquals", {"0.1"}, "0.10000000000000000001", kNo},
      {"NumericNotEquals", {"10"}, "11", kYes},
      {"NumericNotEquals", {"10", "11"}, "11", kNo},
      {"NumericLessThan", {"10"}, "9", kYes},
      {"NumericLessThan", {"10"}, "10", kNo},
      {"NumericLessThan", {"-9"}, "-10", kYes},
      {"NumericLessThan",
       {"18446744073709551616"},
       "18446744073709551615",
       kYes},
      {"NumericLessThanEquals", {"10"}, "10", kYes},
      {"NumericLessThanEquals", {"10"}, "10.5", kNo},
      {"NumericGreaterThan", {"10"}, "10.5", kYes},
      {"NumericGreaterThan", {"10"}, "9.9", kNo},
      {"NumericGreaterThanEquals", {"10"}, "10", kYes},
      {"NumericGreaterThanEquals", {"-1"}, "-2", kNo},
      // What the request says is no number: neither, nor its negation.
      {"NumericEquals", {"12"}, "12abc", kNo},
      {"NumericNotEquals", {"12"}, "12abc", kNo},
      {"NumericEquals", {"1"}, "1e0", kNo},
      {"NumericEquals", {"1"}, "+1", kNo},
      {"NumericEquals", {"1"}, "", kNo},
      {"NumericLessThan", {"1"}, ".5", kNo},
      // What the policy says is none: that cannot be told.
      {"NumericEquals", {"ten"}, "10", kError},
      {"NumericNotEquals", {"ten"}, "10", kError},
      {"NumericEquals", {"ten", "10"}, "10", kYes},
      {"NumericNotEquals", {"ten", "10"}, "10", kNo},
  });
}

TEST(DateOperators, CompareInstants) {
  ExpectRows({
      {"DateEquals", {"2019-12-31T00:00:00Z"}, "1577750400", kYes},
      {"DateEquals", {"1577750400"}, "2019-12-31T00:00:00Z", kYes},
      {"DateEquals", {"1577750400.0"}, "2019-12-31", kYes},
      {"DateEquals", {"2019-12-31T01:00:00+01:00"}, "1577750400", kYes},
      {"DateEquals", {"2019-12-31T00:00Z"}, "2019-12-31T00:00:00.000Z", kYes},
      {"DateEquals", {"2019"}, "2019-01-01T00:00:00Z", kYes},
      {"DateEquals", {"2019-01"}, "2019-01-01", kYes},
      {"DateNotEquals", {"2019-12-31T00:00:00Z"}, "1577750401", kYes},
      {"DateLessThan",
       {"2019-12-31T00:00:00Z"},
       "2019-12-30T23:59:59.9Z",
       kYes},
      {"DateLessThan", {"2019-12-31T00:00:00Z"}, "2019-12-31T00:00:00Z", kNo},
      {"DateLessThanEquals", {"2019-12-31T00:00:00Z"}, "1577750400", kYes},
      {"DateGreaterThan", {"2024-02-28"}, "2024-02-29", kYes},
      {"DateGreaterThan", {"1546257599.0"}, "1546257599.5", kYes},
      {"DateGreaterThanEquals", {"2024-02-29"}, "2024-02-29", kYes},
      {"DateGreaterThanEquals", {"2024-02-29"}, "2024-02-28", kNo},
      {"DateEquals", {"2019-12-31"}, "2019-12-31T00:00:00", kNo},
      {"DateNotEquals", {"2019-12-31"}, "yesterday", kNo},
      {"DateLessThan", {"2023-02-29"}, "2019-12-31", kError},
      {"DateGreaterThan", {"2023-13"}, "2019-12-31", kError},
      {"DateGreaterThan", {"*"}, "2019-12-31", kError},
  });
}

TEST(BoolAndBinary, CompareValues) {
  ExpectRows({
      {"Bool", {"true"}, "true", kYes},
      {"Bool", {"TRUE"}, "true", kYes},
      {"Bool", {"true"}, "false", kNo},
      {"Bool", {"true", "false"}, "false", kYes},
      {"Bool", {"true"}, "yes", kNo},
      {"Bool", {"yes"}, "true", kError},
      {"BinaryEquals", {"QmluYXJ5"}, "QmluYXJ5", kYes},
      {"BinaryEquals", {"QmluYXJ5"}, "Qmlu", kNo},
      {"BinaryEquals", {"Qml"}, "QmluYXJ5", kError},
      {"BinaryEquals", {"Qml"}, "Qml", kNo},
      {"BinaryEquals", {""}, "", kYes},
      {"BinaryEquals", {"QUI="}, "QUI=", kYes},
      {"BinaryEquals", {"QUJ="}, "QUI=", kError},
      {"BinaryEquals", {"===="}, "QUI=", kError},
      {"BinaryEquals", {"QQ=="}, "QR==", kNo},
  });
}

TEST(IpOperators, CompareAddresses) {
  ExpectRows({
      {"IpAddress", {"203.0.113.0/24"}, "203.0.113.9", kYes},
      {"IpAddress", {"203.0.113.0/24"}, "203.0.114.9", kNo},
      {"IpAddress", {"203.0.113.9/24"}, "203.0.113.1", kYes},
      {"IpAddress", {"203.0.113.9"}, "203.0.113.9", kYes},
      {"IpAddress", {"203.0.113.9"}, "203.0.113.8", kNo},
      {"IpAddress", {"0.0.0.0/0"}, "1.2.3.4", kYes},
      {"IpAddress", {"10.0.0.0/9"}, "10.127.0.1", kYes},
      {"IpAddress", {"10.0.0.0/9"}, "10.128.0.1", kNo},
      {"IpAddress", {"2001:db8::/32"}, "2001:0DB8:0:0:0:0:0:1", kYes},
      {"IpAddress",
       {"2001:DB8:1234:5678::/64"},
       "2001:db8:1234:5678:1::",
       kYes},
      {"IpAddress", {"::1"}, "0:0:0:0:0:0:0:1", kYes},
      {"IpAddress", {"::ffff:1.2.3.4"}, "::ffff:102:304", kYes},
      {"IpAddress", {"1.2.3.4"}, "::ffff:1.2.3.4", kNo},
      {"IpAddress", {"0.0.0.0/0"}, "::1", kNo},
      {"IpAddress", {"::/0"}, "1.2.3.4", kNo},
      {"NotIpAddress", {"203.0.113.0/24"}, "203.0.113.9", kNo},
      {"NotIpAddress", {"203.0.113.0/24"}, "203.0.114.9", kYes},
      {"NotIpAddress", {"203.0.113.0/24"}, "::1", kYes},
      {"NotIpAddress", {"203.0.113.0/24"}, "203.0.113", kNo},
      {"IpAddress", {"203.0.113.0/33"}, "203.0.113.9", kError},
      {"IpAddress", {"203.0.113.00"}, "203.0.113.0", kError},
      {"IpAddress", {"1:2:3:4:5:6:7:8::"}, "::1", kError},
      {"IpAddress", {"1::2::3"}, "::1", kError},
      {"IpAddress", {"::1%eth0"}, "::1", kError},
      {"IpAddress", {"1:2:3:4:5:6:7:"}, "::1", kError},
  });
}

TEST(ArnOperators, CompareParts) {
  const std::string_view arn = "arn:aws:sns:eu-west-1:111122223333:a:b";
  ExpectRows({
      {"ArnEquals", {arn}, arn, kYes},
      {"ArnLike", {"arn:aws:sns:*:111122223333:*"}, arn, kYes},
      {"ArnEquals", {"arn:aws:sns:*:*:a*"}, arn, kYes},
      {"ArnLike", {"arn:aws:sns:*"}, arn, kNo},
      {"ArnLike", {"arn:*:111122223333:a:b"}, arn, kNo},
      {"ArnLike", {"ARN:aws:sns:*:*:*"}, arn, kNo},
      {"ArnLike", {"*"}, arn, kNo},
      {"ArnNotLike", {"arn:aws:sns:*:*:*"}, arn, kNo},
      {"ArnNotLike", {"arn:aws:sqs:*:*:*"}, arn, kYes},
      {"ArnNotEquals", {"arn:aws:sns:*:*:a:?"}, arn, kNo},
      {"ArnNotLike", {"arn:aws:sns:*:*:*"}, "no ARN", kNo},
      {"ArnLike", {"arn:aws:sns:*:*:*"}, "no ARN", kNo},
  });
}

TEST(MissingKey, SatisfiesNegationsAndIfExists) {
  const struct {
    const char* name;
    Match holds;
  } rows[] = {
      {"StringEquals", kNo},
      {"StringLike", kNo},
      {"StringEqualsIgnoreCase", kNo},
      {"NumericEquals", kNo},
      {"NumericLessThan", kNo},
      {"DateGreaterThan", kNo},
      {"Bool", kNo},
      {"BinaryEquals", kNo},
      {"IpAddress", kNo},
      {"ArnEquals", kNo},
      {"ArnLike", kNo},
      {"StringNotEquals", kYes},
      {"StringNotLike", kYes},
      {"StringNotEqualsIgnoreCase", kYes},
      {"NumericNotEquals", kYes},
      {"DateNotEquals", kYes},
      {"NotIpAddress", kYes},
      {"ArnNotEquals", kYes},
      {"ArnNotLike", kYes},
      {"StringEqualsIfExists", kYes},
      {"NumericLessThanIfExists", kYes},
      {"BoolIfExists", kYes},
      {"ArnLikeIfExists", kYes},
      {"StringNotEqualsIfExists", kYes},
      {"ForAllValues:StringEquals", kYes},
      {"ForAllValues:StringNotEquals", kYes},
      {"ForAllValues:StringEqualsIfExists", kYes},
      {"ForAnyValue:StringEquals", kNo},
      {"ForAnyValue:StringNotEquals", kNo},
      {"ForAnyValue:StringEqualsIfExists", kNo},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(Holds(row.name, "k", {"1"}, {{"other", {}, "1"}}), row.holds)
        << row.name;
  }
}

TEST(IfExists, ComparesWhatIsThere) {
  EXPECT_EQ(Holds("StringEqualsIfExists", "k", {"a"}, {{"k", {}, "b"}}), kNo);
  EXPECT_EQ(Holds("StringNotEqualsIfExists", "k", {"a"}, {{"k", {}, "a"}}),
            kNo);
}

TEST(Null, AsksWhetherTheKeyIsThere) {
  const Context there = {{"k", {}, ""}};
  EXPECT_EQ(Holds("Null", "k", {"true"}, {}), kYes);
  EXPECT_EQ(Holds("Null", "k", {"true"}, there), kNo);
  EXPECT_EQ(Holds("Null", "k", {"false"}, {}), kNo);
  EXPECT_EQ(Holds("Null", "k", {"False"}, there), kYes);
  EXPECT_EQ(Holds("Null", "k", {"maybe"}, there), kError);
  EXPECT_EQ(Holds("Null", "aws:TagKeys", {"false"},
                  {{"aws:TagKeys", {}, "a"}, {"aws:TagKeys", {}, "b"}}),
            kYes);
}

Context TagKeys(const std::vector<std::string_view>& values) {
  Context context;
  for (const std::string_view value : values) {
    context.push_back({"aws:TagKeys", {}, value});
  }
  return context;
}

TEST(SetOperators, QuantifyOverTheRequestsValues) {
  const struct {
    const char* name;
    std::vector<std::string_view> actual;
    Match holds;
  } rows[] = {
      {"ForAllValues:StringEquals", {"a", "b"}, kYes},
      {"ForAllValues:StringEquals", {"a", "c"}, kNo},
      {"ForAllValues:StringNotEquals", {"c", "d"}, kYes},
      {"ForAllValues:StringNotEquals", {"a", "d"}, kNo},
      {"ForAnyValue:StringEquals", {"a", "c"}, kYes},
      {"ForAnyValue:StringEquals", {"c", "d"}, kNo},
      {"ForAnyValue:StringNotEquals", {"a", "c"}, kYes},
      {"ForAnyValue:StringNotEquals", {"a", "b"}, kNo},
      {"ForAnyValue:StringLikeIfExists", {"a"}, kYes},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(Holds(row.name, "aws:TagKeys", {"a", "b"}, TagKeys(row.actual)),
              row.holds)
        << row.name << " " << row.actual[0];
  }
}

TEST(SetOperators, TakeASingleValueForASetOfOne) {
  const Context context = {{"k", {}, "a"}};
  EXPECT_EQ(Holds("ForAllValues:StringEquals", "k", {"a"}, context), kYes);
  EXPECT_EQ(Holds("ForAnyValue:StringNotEquals", "k", {"a"}, context), kNo);
}

TEST(SetOperators, AreNeededForKeysWithSeveralValues) {
  for (const char* const name :
       {"StringEquals", "StringNotEquals", "StringEqualsIfExists"}) {
    EXPECT_EQ(Holds(name, "aws:TagKeys", {"a"}, TagKeys({"a"})), kNo);
    EXPECT_EQ(Holds(name, "aws:TagKeys", {"a"}, TagKeys({"a", "b"})), kNo);
    EXPECT_EQ(Holds(name, "k", {"a"}, {{"k", {}, "a", true}}), kNo);
  }
}

// Whoever sends "tenant" and "Tenant" must not be out of a Deny's reach.
TEST(Keys, ThatNameTwoValuesForOneCannotBeTold) {
  const Context context = {{"kms:EncryptionContext:", "tenant", "b"},
                           {"kms:EncryptionContext:", "Tenant", "x"}};
  for (const char* const name :
       {"StringEquals", "StringNotEquals", "StringNotEqualsIfExists"}) {
    EXPECT_EQ(Holds(name, "kms:EncryptionContext:tenant", {"a"}, context),
              kError)
        << name;
  }
}

TEST(SetOperators, WeighWhatCannotBeTold) {
  const Context two = {{"k", {}, "1"}, {"k", {}, "2"}};
  EXPECT_EQ(Holds("ForAnyValue:NumericEquals", "k", {"x", "2"}, two), kYes);
  EXPECT_EQ(Holds("ForAllValues:NumericEquals", "k", {"x", "2"}, two), kError);
  EXPECT_EQ(Holds("ForAllValues:NumericNotEquals", "k", {"x", "2"}, two), kNo);
}

TEST(Keys, DoNotDependOnCase) {
  const Context context = {{"kms:EncryptionContext:", "Dept", "IT"}};
  EXPECT_EQ(
      Holds("StringEquals", "KMS:encryptioncontext:dEPT", {"IT"}, context),
      kYes);
  EXPECT_EQ(
      Holds("StringEquals", "kms:EncryptionContext:Dept2", {"IT"}, context),
      kNo);
  EXPECT_EQ(Holds("StringEquals", "aws:PrincipalTag/\xC3\x84", {"x"},
                  {{"aws:PrincipalTag/", "\xC3\xA4", "x"}}),
            kYes);
}

TEST(Operators, HaveNamesThatDoNotDependOnCase) {
  EXPECT_EQ(
      Holds("forALLvalues:stringEQUALSifexists", "k", {"a"}, {{"k", {}, "a"}}),
      kYes);
  for (const char* const bad :
       {"", "StringIs", "NullIfExists", "ForAnyValue:", "IfExists",
        "ForAnyValue:ForAllValues:Bool", "StringEqualsIfExistsIfExists",
        "StringEquals "}) {
    EXPECT_EQ(ParseOperator(bad), std::nullopt) << bad;
  }
}

TEST(Variables, StandForTheRequestsValues) {
  const Context context = {{"k", {}, "team-x"},
                           {"aws:PrincipalTag/", "team", "x"},
                           {"aws:TagKeys", {}, "x"}};
  const auto holds = [&](const char* name, std::string_view value,
                         bool variables = true) {
    return Holds(name, "k", {value}, context, variables);
  };
  EXPECT_EQ(holds("StringEquals", "team-${aws:PrincipalTag/team}"), kYes);
  EXPECT_EQ(holds("StringEquals", "team-${AWS:principaltag/TEAM}"), kYes);
  EXPECT_EQ(holds("StringNotEquals", "team-${aws:PrincipalTag/team}"), kNo);
  EXPECT_EQ(holds("StringEqualsIgnoreCase", "TEAM-${aws:PrincipalTag/team}"),
            kYes);
  EXPECT_EQ(holds("StringLike", "t*-${aws:PrincipalTag/team}"), kYes);
  // Version 2008-10-17 has none.
  EXPECT_EQ(holds("StringEquals", "team-${aws:PrincipalTag/team}", false), kNo);
  // No value, or several: nothing matches.
  EXPECT_EQ(holds("StringLike", "*${aws:PrincipalTag/none}"), kNo);
  EXPECT_EQ(holds("StringNotLike", "*${aws:PrincipalTag/none}"), kYes);
  EXPECT_EQ(holds("StringEquals", "team-${aws:TagKeys}"), kNo);
  // A default.
  EXPECT_EQ(holds("StringEquals", "team-${aws:PrincipalTag/none, 'x'}"), kYes);
  EXPECT_EQ(holds("StringEquals", "team-${aws:PrincipalTag/team,'y'}"), kYes);
  EXPECT_EQ(holds("StringEquals", "team-${aws:PrincipalTag/none, x}"), kNo);
}

TEST(Variables, AreLiteralOnceSubstituted) {
  const Context context = {
      {"k", {}, "abc"}, {"tag", {}, "*"}, {"nested", {}, "${tag}"}};
  const auto holds = [&](const char* name, std::string_view value) {
    return Holds(name, "k", {value}, context);
  };
  EXPECT_EQ(holds("StringLike", "${tag}"), kNo);
  EXPECT_EQ(holds("StringNotLike", "${tag}"), kYes);
  EXPECT_EQ(holds("StringLike", "${none, '*'}"), kNo);
  EXPECT_EQ(Holds("StringLike", "tag", {"${tag}"}, context), kYes);
  EXPECT_EQ(Holds("StringEquals", "nested", {"${nested}"}, context), kYes);
  EXPECT_EQ(Holds("StringEquals", "k", {"${nested}"},
                  {{"k", {}, "*"}, {"tag", {}, "*"}, {"nested", {}, "${tag}"}}),
            kNo);
}

TEST(Variables, HaveThreeThatAreCharacters) {
  EXPECT_EQ(Holds("StringLike", "k", {"a${*}b"}, {{"k", {}, "axb"}}), kNo);
  EXPECT_EQ(Holds("StringLike", "k", {"a${*}b"}, {{"k", {}, "a*b"}}), kYes);
  EXPECT_EQ(Holds("StringLike", "k", {"${?}${$}*"}, {{"k", {}, "?$x"}}), kYes);
  EXPECT_EQ(Holds("StringEquals", "k", {"${$}{a}"}, {{"k", {}, "${a}"}}), kYes);
  EXPECT_EQ(Holds("StringEquals", "k", {"${a"}, {{"k", {}, "${a"}}), kYes);
}

TEST(Variables, StandInArns) {
  const Context context = {{"k", {}, "arn:aws:s3:::b/alice"},
                           {"aws:username", {}, "alice"}};
  EXPECT_EQ(Holds("ArnLike", "k", {"arn:aws:s3:::b/${aws:username}"}, context),
            kYes);
  EXPECT_EQ(Holds("ArnLike", "k", {"arn:aws:${x, 's3'}:::*"}, context), kYes);
  EXPECT_EQ(Holds("ArnNotLike", "k", {"arn:aws:s3:::b/${none}"}, context),
            kYes);
}

TEST(Variables, ThatMakeTooLongATextCannotBeTold) {
  const std::string long_value(5000, 'a');
  EXPECT_EQ(Holds("StringEquals", "k", {"${v}"},
                  {{"k", {}, long_value}, {"v", {}, long_value}}),
            kError);
}

TEST(Globs, TakeNoTimeThatGrowsWildly) {
  const std::string pattern = [] {
    std::string text;
    for (int i = 0; i < 200; ++i) {
      text += "a*";
    }
    return text + "b";
  }();
  const std::string actual(20000, 'a');
  EXPECT_EQ(Holds("StringLike", "k", {pattern}, {{"k", {}, actual}}), kNo);
}

}  // namespace
}  // namespace policy
