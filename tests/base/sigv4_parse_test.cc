// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/sigv4.h"
#include "base/sigv4_time.h"
#include "tests/testlib/status.h"

namespace base {
namespace {

using testing::HasSubstr;
using testing::Not;
using testlib::IsOk;
using testlib::StatusIs;

constexpr const char* kSignature =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

std::string Header(const std::string& credential,
                   const std::string& signed_headers = "host;x-amz-date",
                   const std::string& signature = kSignature) {
  return "AWS4-HMAC-SHA256 Credential=" + credential +
         ", SignedHeaders=" + signed_headers + ", Signature=" + signature;
}

constexpr const char* kCredential =
    "AKIDEXAMPLE/20150830/us-east-1/kms/aws4_request";

TEST(ParseAuthorizationTest, SplitsTheHeader) {
  const std::string header = Header(kCredential);
  ASSERT_OK_AND_ASSIGN(const SigV4Authorization got,
                       ParseAuthorization(header));
  EXPECT_EQ(got.credential, kCredential);
  EXPECT_EQ(got.access_key_id, "AKIDEXAMPLE");
  EXPECT_EQ(got.scope, "20150830/us-east-1/kms/aws4_request");
  EXPECT_EQ(got.date, "20150830");
  EXPECT_EQ(got.region, "us-east-1");
  EXPECT_EQ(got.service, "kms");
  EXPECT_EQ(got.signed_headers, "host;x-amz-date");
  EXPECT_EQ(got.signature, kSignature);
  EXPECT_EQ(got.timestamp, "");
}

TEST(ParseAuthorizationTest, TakesParametersInAnyOrderAndSpacing) {
  const std::string parts[] = {std::string("Credential=") + kCredential,
                               "SignedHeaders=host;x-amz-date",
                               std::string("Signature=") + kSignature};
  for (const char* separator : {",", ", ", " , "}) {
    const std::string header = "AWS4-HMAC-SHA256  " + parts[2] + separator +
                               parts[0] + separator + parts[1] + "  ";
    EXPECT_THAT(ParseAuthorization(header), IsOk()) << header;
  }
}

TEST(ParseAuthorizationTest, AnotherSchemeIsNoAuthenticationAtAll) {
  for (const char* header : {"", " ", "Basic dXNlcjpwYXNz", "Bearer x", "AWS",
                             "aws4-hmac-sha256 Credential=x"}) {
    EXPECT_THAT(ParseAuthorization(header),
                StatusIs(ErrorCode::kMissingAuthentication,
                         "Request is missing Authentication Token"))
        << header;
  }
}

TEST(ParseAuthorizationTest, AnotherAlgorithmIsUnsupported) {
  for (const char* header :
       {"AWS4-HMAC-SHA25 Credential=x", "AWS4-ECDSA-P256-SHA256 Credential=x",
        "AWS4-HMAC-SHA256,Credential=x", "AWS4-HMAC-SHA2566"}) {
    EXPECT_THAT(ParseAuthorization(header),
                StatusIs(ErrorCode::kIncompleteSignature,
                         HasSubstr("Unsupported AWS 'algorithm'")))
        << header;
  }
}

TEST(ParseAuthorizationTest, EveryMissingParameterIsNamed) {
  EXPECT_THAT(
      ParseAuthorization("AWS4-HMAC-SHA256"),
      StatusIs(ErrorCode::kIncompleteSignature,
               "Authorization header requires 'Credential' parameter. "
               "Authorization header requires 'Signature' parameter. "
               "Authorization header requires 'SignedHeaders' parameter. "
               "Authorization=AWS4-HMAC-SHA256"));
  EXPECT_THAT(ParseAuthorization(std::string("AWS4-HMAC-SHA256 Credential=") +
                                 kCredential + ", Signature=" + kSignature),
              StatusIs(ErrorCode::kIncompleteSignature,
                       "Authorization header requires 'SignedHeaders' "
                       "parameter. Authorization=AWS4-HMAC-SHA256"));
  EXPECT_THAT(ParseAuthorization(Header("")),
              StatusIs(ErrorCode::kIncompleteSignature,
                       "Authorization header requires 'Credential' parameter. "
                       "Authorization=AWS4-HMAC-SHA256"));
}

TEST(ParseAuthorizationTest, StrayPartsAreRefused) {
  const std::string good = Header(kCredential);
  for (const std::string tail : {",", ", ", ",x", ", Credential", " trailing",
                                 ", Extra=1", ", signature=1", "=", "0", ";"}) {
    EXPECT_THAT(ParseAuthorization(good + tail),
                StatusIs(ErrorCode::kIncompleteSignature))
        << tail;
  }
  EXPECT_THAT(ParseAuthorization(good + ", Signature=" + kSignature),
              StatusIs(ErrorCode::kIncompleteSignature,
                       HasSubstr("'Signature' more than once")));
  EXPECT_THAT(ParseAuthorization(good + ", Credential"),
              StatusIs(ErrorCode::kIncompleteSignature,
                       HasSubstr("missing equal-sign")));
  EXPECT_THAT(ParseAuthorization("AWS4-HMAC-SHA256 ,," + good.substr(17)),
              StatusIs(ErrorCode::kIncompleteSignature));
}

TEST(ParseAuthorizationTest, BytesThatAreNotPrintableAreRefusedUnseen) {
  const std::string good = Header(kCredential);
  for (const char c : {'\0', '\n', '\r', '\t', '\x7F', '\x80', '\xFF'}) {
    std::string bad = good;
    bad[20] = c;
    EXPECT_THAT(ParseAuthorization(bad),
                StatusIs(ErrorCode::kIncompleteSignature,
                         HasSubstr("printable ASCII")));
  }
  EXPECT_THAT(ParseAuthorization(Header(std::string(5000, 'A'))),
              StatusIs(ErrorCode::kIncompleteSignature, HasSubstr("too long")));
}

TEST(ParseAuthorizationTest, TheCredentialHasFiveElements) {
  for (const char* credential :
       {"a", "a/b/c/d", "a/20150830/r/s/aws4_request/", "////////",
        "SE/CRET/20150830/us-east-1/kms/aws4_request"}) {
    EXPECT_THAT(ParseAuthorization(Header(credential)),
                StatusIs(ErrorCode::kIncompleteSignature,
                         "Credential must have exactly 5 slash-delimited "
                         "elements, e.g. keyid/date/region/service/term."))
        << credential;
  }
}

TEST(ParseAuthorizationTest, AScopeThatCannotBeRightIsRefused) {
  struct Case {
    const char* credential;
    ErrorCode code;
    const char* message;
  };
  const std::string long_id =
      std::string(129, 'A') + "/20150830/r/s/aws4_request";
  const std::string long_region =
      "id/20150830/eu-west-" + std::string(25, '1') + "/s/aws4_request";
  const Case cases[] = {
      {"/20150830/r/s/aws4_request", ErrorCode::kIncompleteSignature, "id"},
      {"a b/20150830/r/s/aws4_request", ErrorCode::kIncompleteSignature, "id"},
      {long_id.c_str(), ErrorCode::kIncompleteSignature, "id"},
      {"id/20150830/r/s/aws4_reques", ErrorCode::kInvalidSignature,
       "valid terminator: 'aws4_request'"},
      {"id/20150830/r/s/", ErrorCode::kInvalidSignature, "terminator"},
      {"id/2015083/r/s/aws4_request", ErrorCode::kInvalidSignature, "YYYYMMDD"},
      {"id/2015083x/r/s/aws4_request", ErrorCode::kInvalidSignature,
       "YYYYMMDD"},
      {"id/20150830//s/aws4_request", ErrorCode::kInvalidSignature, "region"},
      {"id/20150830/US/s/aws4_request", ErrorCode::kInvalidSignature, "region"},
      {"id/20150830/r_/s/aws4_request", ErrorCode::kInvalidSignature, "region"},
      {"id/20150830/local/s/aws4_request", ErrorCode::kInvalidSignature,
       "region"},
      {"id/20150830/eu-west/s/aws4_request", ErrorCode::kInvalidSignature,
       "region"},
      {"id/20150830/eu-west-1b/s/aws4_request", ErrorCode::kInvalidSignature,
       "region"},
      {"id/20150830/a-b-c-d-1/s/aws4_request", ErrorCode::kInvalidSignature,
       "region"},
      {long_region.c_str(), ErrorCode::kInvalidSignature, "region"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(ParseAuthorization(Header(c.credential)),
                StatusIs(c.code, HasSubstr(c.message)))
        << c.credential;
  }
}

// Somebody who swaps id and secret must not find the secret in a log.
TEST(ParseAuthorizationTest, MessagesRepeatNothingOfTheCredential) {
  for (const char* credential :
       {"wJalrXUtn/20150830/us-east-1/kms/x", "wJalrXUtn/a/b/c/d/e",
        "id/wJalrXUtn/r/s/aws4_request", "id/20150830/wJalrXUtn/s/aws4_request",
        "wJalrXUtn"}) {
    const auto result = ParseAuthorization(Header(credential));
    ASSERT_THAT(result, Not(IsOk()));
    EXPECT_THAT(result.error().message, Not(HasSubstr("wJalrXUtn")));
  }
}

TEST(ParseAuthorizationTest, SignedHeadersAreSortedUniqueLowerCaseNames) {
  for (const char* list : {"host", ":authority;x-amz-date", "a;b;c", "a;a-b",
                           "content-type;host;x-amz-date;x-amz-target"}) {
    EXPECT_THAT(ParseAuthorization(Header(kCredential, list)), IsOk()) << list;
  }
  for (const char* list :
       {";", ";host", "host;", "host;;x", "x;host", "host;host", "Host",
        "host;X-Amz-Date", "ho st", "host;x\"", "host;x/y", "host=1"}) {
    EXPECT_THAT(
        ParseAuthorization(Header(kCredential, list)),
        StatusIs(ErrorCode::kIncompleteSignature, HasSubstr("SignedHeaders")))
        << list;
  }
}

TEST(ParseAuthorizationTest, TheSignatureIs64LowerCaseHexDigits) {
  for (const std::string& signature :
       {std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'A'),
        std::string(63, 'a') + "g", std::string(63, 'a') + "F",
        std::string(63, '0') + " "}) {
    EXPECT_THAT(ParseAuthorization(Header(kCredential, "host", signature)),
                StatusIs(ErrorCode::kIncompleteSignature,
                         HasSubstr("64 lower-case hexadecimal digits")))
        << signature;
  }
}

TEST(ParseAuthorizationTest, NoPrefixOfAGoodHeaderIsAccepted) {
  const std::string good = Header(kCredential);
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_THAT(ParseAuthorization(good.substr(0, size)), Not(IsOk())) << size;
  }
}

TEST(AmzDateTest, ReadsAndWritesTheBasicFormat) {
  using std::chrono::sys_days;
  const auto day = sys_days(std::chrono::year(2015) / 8 / 30);
  const auto time = day + std::chrono::hours(12) + std::chrono::minutes(36);
  EXPECT_THAT(ParseAmzDate("20150830T123600Z"), testlib::IsOkAndHolds(time));
  EXPECT_EQ(FormatAmzDate(time).text(), "20150830T123600Z");
  EXPECT_EQ(FormatAmzDate(time).date(), "20150830");
  EXPECT_EQ(FormatAmzDate(time + std::chrono::microseconds(999'999)).text(),
            "20150830T123600Z");
  EXPECT_EQ(FormatAmzDate(day - std::chrono::microseconds(1)).text(),
            "20150829T235959Z");
  for (const char* text : {"19700101T000000Z", "20240229T235959Z",
                           "00010101T000000Z", "99991231T235959Z"}) {
    ASSERT_OK_AND_ASSIGN(const auto parsed, ParseAmzDate(text));
    EXPECT_EQ(FormatAmzDate(parsed).text(), text);
  }
}

TEST(AmzDateTest, RefusesOtherFormsAndDaysThatDoNotExist) {
  for (const char* text : {"",
                           "2015",
                           "20150830",
                           "20150830T123600",
                           "20150830T123600z",
                           "20150830t123600Z",
                           "2015-08-30T12:36:00Z",
                           "20150830T123600Z ",
                           " 20150830T123600Z",
                           "20150830T123600.0Z",
                           "+0150830T123600Z",
                           "20150230T000000Z",
                           "20230229T000000Z",
                           "20150030T000000Z",
                           "20151330T000000Z",
                           "20150800T000000Z",
                           "20150832T000000Z",
                           "20150830T240000Z",
                           "20150830T126000Z",
                           "20150830T123660Z",
                           "Sun, 30 Aug 2015 12:36:00 GMT"}) {
    EXPECT_THAT(ParseAmzDate(text), StatusIs(ErrorCode::kIncompleteSignature))
        << text;
  }
}

}  // namespace
}  // namespace base
