// SPDX-License-Identifier: Apache-2.0
// What is wrong with a request, in AWS's words.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "kms/operations/operation.h"
#include "kms/operations/shape.h"
#include "kms/operations/shapes.h"
#include "tests/testlib/status.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testlib::StatusIs;

base::Status Check(std::string_view operation, std::string_view text,
                   std::vector<NamedBlob>* decoded = nullptr) {
  std::vector<NamedBlob> blobs;
  const base::Json input = testlib::Take(base::ParseJson(text));
  const auto* const row = FindOperation("TrentService", operation);
  return CheckInput(row->input, input, decoded == nullptr ? blobs : *decoded);
}

struct Broken {
  std::string_view operation;
  std::string input;
  std::string message;  // Without its "1 validation error detected: ".
};

std::string At(std::string_view value, std::string_view path,
               std::string_view rule) {
  std::string text = "Value ";
  text.append(value).append(value.empty() ? "at '" : " at '").append(path);
  return text.append("' failed to satisfy constraint: Member must ")
      .append(rule);
}

// Messages go to the audit log.
TEST(ShapeTest, ShowsNoSecret) {
  const std::string long_secret(8193, 'S');
  constexpr std::string_view kInputs[] = {
      R"({"CustomKeyStoreId":"c","KeyStorePassword":"short"})",
      R"({"CustomKeyStoreId":"c","XksProxyAuthenticationCredential":)"
      R"({"AccessKeyId":"Tr0ub4dor&3","RawSecretAccessKey":"Tr0ub4dor&3"}})"};
  for (const std::string_view input : kInputs) {
    const base::Status status = Check("UpdateCustomKeyStore", input);
    ASSERT_THAT(status, StatusIs(ErrorCode::kValidation));
    EXPECT_EQ(status.error().message.find("Value '"), std::string::npos);
  }
  EXPECT_THAT(Check("RetireGrant", R"({"GrantToken":")" + long_secret + "\"}"),
              StatusIs(ErrorCode::kValidation,
                       "1 validation error detected: " +
                           At("", "grantToken",
                              "have length less than or equal to 8192")));
}

TEST(ShapeTest, NamesTheBrokenRule) {
  const std::string long_id(2049, 'k');
  const Broken cases[] = {
      {"DescribeKey", "{}", At("null", "keyId", "not be null")},
      {"DescribeKey", R"({"KeyId":null})", At("null", "keyId", "not be null")},
      {"DescribeKey", R"({"KeyId":""})",
       At("''", "keyId", "have length greater than or equal to 1")},
      {"DescribeKey", R"({"KeyId":")" + long_id + "\"}",
       At("'" + long_id + "'", "keyId",
          "have length less than or equal to 2048")},
      {"DeleteAlias", R"({"AliasName":"alias/a b"})",
       At("'alias/a b'", "aliasName",
          "satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$")},
      {"GetKeyPolicy", R"({"KeyId":"k","PolicyName":"a-b"})",
       At("'a-b'", "policyName", "satisfy regular expression pattern: [\\w]+")},
      {"GenerateDataKey", R"({"KeyId":"k","KeySpec":"AES_512"})",
       At("'AES_512'", "keySpec",
          "satisfy enum value set: [AES_256, AES_128]")},
      {"GenerateRandom", R"({"NumberOfBytes":0})",
       At("'0'", "numberOfBytes", "have value greater than or equal to 1")},
      {"GenerateRandom", R"({"NumberOfBytes":1025})",
       At("'1025'", "numberOfBytes", "have value less than or equal to 1024")},
      {"ListKeys", R"({"Limit":-9223372036854775808})",
       At("'-9223372036854775808'", "limit",
          "have value greater than or equal to 1")},
      {"Encrypt", R"({"KeyId":"k","Plaintext":""})",
       At("", "plaintext", "have length greater than or equal to 1")},
      {"DescribeKey",
       R"({"KeyId":"k","GrantTokens":["1","2","3","4","5","6","7","8","9",)"
       R"("10","11"]})",
       At("", "grantTokens", "have length less than or equal to 10")},
      {"DescribeKey", R"({"KeyId":"k","GrantTokens":["a",""]})",
       At("", "grantTokens.2.member",
          "have length greater than or equal to 1")},
      {"TagResource",
       R"({"KeyId":"k","Tags":[{"TagKey":"a","TagValue":""},)"
       R"({"TagKey":"","TagValue":"b"}]})",
       At("''", "tags.2.member.tagKey",
          "have length greater than or equal to 1")},
      {"TagResource", R"({"KeyId":"k","Tags":[{"TagKey":"a"}]})",
       At("null", "tags.1.member.tagValue", "not be null")},
  };
  for (const Broken& each : cases) {
    EXPECT_THAT(Check(each.operation, each.input),
                StatusIs(ErrorCode::kValidation,
                         "1 validation error detected: " + each.message));
  }
}

TEST(ShapeTest, CountsWhatIsBroken) {
  EXPECT_THAT(
      Check("Encrypt", R"({"KeyId":"","EncryptionAlgorithm":"x"})"),
      StatusIs(ErrorCode::kValidation,
               "3 validation errors detected: " +
                   At("''", "keyId", "have length greater than or equal to 1") +
                   "; " + At("null", "plaintext", "not be null") + "; " +
                   At("'x'", "encryptionAlgorithm",
                      "satisfy enum value set: [SYMMETRIC_DEFAULT, "
                      "RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256]")));
}

// Eighty thousand wrong items fit in a request.
TEST(ShapeTest, SaysNoMoreThanTenThings) {
  std::string tags = R"({"TagKey":""})";
  for (int i = 1; i < 50; ++i) {
    tags.append(R"(,{"TagKey":""})");
  }
  const base::Status status =
      Check("TagResource", R"({"KeyId":"k","Tags":[)" + tags + "]}");
  ASSERT_THAT(status, StatusIs(ErrorCode::kValidation,
                               HasSubstr("10 validation errors detected: ")));
  const std::string& message = status.error().message;
  EXPECT_EQ(std::ranges::count(message, ';'), 9);
  EXPECT_THAT(message, HasSubstr("tags.5.member.tagValue"));
  EXPECT_EQ(message.find("tags.6.member"), std::string::npos);
}

TEST(ShapeTest, SaysOfAListThatIsTooLongOnlyThat) {
  EXPECT_THAT(
      Check(
          "DescribeKey",
          R"({"KeyId":"k","GrantTokens":["","","","","","","","","","",""]})"),
      StatusIs(
          ErrorCode::kValidation,
          "1 validation error detected: " +
              At("", "grantTokens", "have length less than or equal to 10")));
}

TEST(ShapeTest, PassesOverWhatIsNullOrUnknown) {
  EXPECT_OK(Check("DescribeKey",
                  R"({"KeyId":"k","GrantTokens":null,"Other":{"x":[1]}})"));
}

TEST(ShapeTest, CountsCharactersAndNotBytes) {
  const auto tag = [](int count) {
    std::string key;
    for (int i = 0; i < count; ++i) {
      key.append("\xF0\x9F\x94\x91");
    }
    return R"({"KeyId":"k","Tags":[{"TagKey":")" + key +
           R"(","TagValue":""}]})";
  };
  EXPECT_OK(Check("TagResource", tag(128)));
  EXPECT_THAT(Check("TagResource", tag(129)),
              StatusIs(ErrorCode::kValidation,
                       HasSubstr("length less than or equal to 128")));
}

TEST(ShapeTest, RefusesAnotherJsonType) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"DescribeKey", "[]"},
      {"DescribeKey", "\"k\""},
      {"DescribeKey", R"({"KeyId":1})"},
      {"DescribeKey", R"({"KeyId":{}})"},
      {"DescribeKey", R"({"KeyId":"k","GrantTokens":"t"})"},
      {"DescribeKey", R"({"KeyId":"k","GrantTokens":[null]})"},
      {"Encrypt", R"({"KeyId":"k","Plaintext":1})"},
      {"Encrypt", R"({"KeyId":"k","Plaintext":"YQ==","DryRun":"true"})"},
      {"Encrypt", R"({"KeyId":"k","Plaintext":"YQ==","DryRun":1})"},
      {"Encrypt", R"({"KeyId":"k","Plaintext":"YQ==","EncryptionContext":[]})"},
      {"Encrypt",
       R"({"KeyId":"k","Plaintext":"YQ==","EncryptionContext":{"a":1}})"},
      {"GenerateRandom", R"({"NumberOfBytes":"1"})"},
      {"GenerateRandom", R"({"NumberOfBytes":1.0})"},
      {"GenerateRandom", R"({"NumberOfBytes":9223372036854775808})"},
      {"GenerateRandom", R"({"NumberOfBytes":1e99})"},
      {"TagResource", R"({"KeyId":"k","Tags":{}})"},
      {"TagResource", R"({"KeyId":"k","Tags":["a"]})"},
  };
  for (const auto& [operation, input] : cases) {
    EXPECT_THAT(Check(operation, input), StatusIs(ErrorCode::kSerialization))
        << input;
  }
}

TEST(ShapeTest, TakesStrictBase64Only) {
  for (const std::string text : {"Y", "YQ", "YQ=", "YQ==\\n", " YQ==", "YR==",
                                 "Y_==", "YQ==YQ==", "=", "YQ==="}) {
    EXPECT_THAT(
        Check("Encrypt", R"({"KeyId":"k","Plaintext":")" + text + "\"}"),
        StatusIs(ErrorCode::kSerialization, HasSubstr("'plaintext'")))
        << text;
  }
}

TEST(ShapeTest, HandsOverTheDecodedBlobs) {
  std::vector<NamedBlob> blobs;
  ASSERT_OK(Check("Encrypt", R"({"KeyId":"k","Plaintext":"YWI="})", &blobs));
  ASSERT_EQ(blobs.size(), 1U);
  EXPECT_EQ(blobs[0].name, "Plaintext");
  EXPECT_EQ(blobs[0].bytes.RevealText(), "ab");
}

// The patterns as code against the patterns as text. Those of markers and
// policies are about Unicode, which std::regex does not know.
TEST(ShapeTest, PatternsAsCodeAreTheirTexts) {
  const std::string words = "com.amazonaws.vpce.eu-west-1.vpce-svc-";
  const std::vector<std::string> samples = {"",
                                            "a",
                                            "0",
                                            "abcdef0123456789",
                                            "ABCDEF",
                                            "234567",
                                            "01234567890123",
                                            "012345678901",
                                            "a b\tc",
                                            "a:/_-.b",
                                            "a+b/c=",
                                            "\xC3\xBC",
                                            "eu-west-1",
                                            "us-gov-west-12",
                                            "a-b-c-d-1",
                                            "eu-1",
                                            "eu-west-",
                                            "eu-west-1x",
                                            "EU-west-1",
                                            "cluster-abcdefghijk",
                                            "cluster-2bcdefghijklmnop",
                                            "cluster-2bcdefghijklmnopq",
                                            "cluster-abcdefghi",
                                            "cluster-1bcdefghijk",
                                            "clusterabcdefghijkl",
                                            "https://a.example-1.com",
                                            "https://",
                                            "http://a",
                                            "https://a:443",
                                            "/kms/xks/v1",
                                            "/kms/xks/v12",
                                            "/kms/xks/v123",
                                            "/kms/xks/v",
                                            "/a/b-c_d/kms/xks/v1",
                                            "//kms/xks/v1",
                                            "a/kms/xks/v1",
                                            "/a.b/kms/xks/v1",
                                            "/kms/xks/v1/kms/xks/v2",
                                            words + "0a",
                                            words,
                                            words + "A",
                                            "eu" + words.substr(3),
                                            "org" + words.substr(3) + "0"};
  for (const Pattern* pattern :
       {&shapes::kAliasNamePattern, &shapes::kPolicyNamePattern,
        &shapes::kXksKeyIdPattern, &shapes::kCloudHsmClusterIdPattern,
        &shapes::kKeyMaterialIdPattern, &shapes::kKeyMaterialDescriptionPattern,
        &shapes::kRegionPattern, &shapes::kXksAccessKeyIdPattern,
        &shapes::kXksSecretAccessKeyPattern, &shapes::kXksUriEndpointPattern,
        &shapes::kXksUriPathPattern, &shapes::kXksServiceNamePattern,
        &shapes::kAccountIdPattern}) {
    // A class with a range after a range, "0-9-_", is AWS's, not ECMAScript's.
    std::string text(pattern->text);
    if (const auto range = text.find("0-9-_."); range != std::string::npos) {
      text.replace(range, 6, "0-9_.-");
    }
    const std::regex regex(text);
    for (const std::string& sample : samples) {
      EXPECT_EQ(pattern->matches(sample), std::regex_match(sample, regex))
          << "'" << sample << "' and " << text;
    }
  }
}

}  // namespace
}  // namespace kms::operations
