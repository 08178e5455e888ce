// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "kms/xks/wire.h"
#include "tests/testlib/status.h"

namespace kms::xks {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testlib::StatusIs;

nlohmann::json Body() {
  return {{"requestMetadata",
           {{"awsPrincipalArn", "arn:aws:iam::111122223333:user/Alice"},
            {"kmsOperation", "Encrypt"},
            {"kmsKeyArn", "arn:aws:kms:us-east-1:111122223333:key/k"},
            {"kmsRequestId", "4112f4d6"}}},
          {"plaintext", "cGxhaW50ZXh0"},
          {"encryptionAlgorithm", "AES_GCM"}};
}

TEST(XksTarget, NamesPrefixOperationAndKey) {
  struct Row {
    std::string_view target;
    std::string_view prefix;
    Operation operation;
    std::string_view key;
  };
  for (const Row& row : {
           Row{"/kms/xks/v1/health", "", Operation::kHealth, ""},
           Row{"/a/b/kms/xks/v1/health", "/a/b", Operation::kHealth, ""},
           Row{"/kms/xks/v1/keys/k-1._/metadata", "", Operation::kMetadata,
               "k-1._"},
           Row{"/a/kms/xks/v1/keys/K/encrypt", "/a", Operation::kEncrypt, "K"},
           Row{"/a/kms/xks/v1/keys/K/decrypt", "/a", Operation::kDecrypt, "K"},
       }) {
    const auto route = ParseTarget(row.target);
    ASSERT_TRUE(route.has_value()) << row.target;
    EXPECT_EQ(route->prefix, row.prefix);
    EXPECT_EQ(route->operation, row.operation);
    EXPECT_EQ(route->key_id, row.key);
  }
}

TEST(XksTarget, IsNothingElse) {
  const std::string long_key = "/kms/xks/v1/keys/" + std::string(129, 'k');
  for (const std::string& target :
       {std::string(), std::string("/"), std::string("/kms/xks/v1/"),
        std::string("/kms/xks/v2/health"), std::string("/kms/xks/v1/health/"),
        std::string("/kms/xks/v1/keys/health"),
        std::string("/kms/xks/v1/keys//encrypt"),
        std::string("/kms/xks/v1/keys/k/health"),
        std::string("/kms/xks/v1/keys/k/encrypt?a=b"),
        std::string("/kms/xks/v1/keys/k%2e/encrypt"),
        std::string("/kms/xks/v1/keys/k/m/encrypt"), long_key + "/encrypt"}) {
    EXPECT_FALSE(ParseTarget(target).has_value()) << target;
  }
}

TEST(XksBody, IsReadWhole) {
  nlohmann::json body = Body();
  body["requestMetadata"]["kmsViaService"] = "ebs";
  body["requestMetadata"]["awsSourceVpc"] = "vpc-1";
  body["requestMetadata"]["awsSourceVpce"] = "vpce-1";
  body["additionalAuthenticatedData"] = "YWFk";
  body["ciphertextDataIntegrityValueAlgorithm"] = "SHA_256";
  Input input;
  ASSERT_OK(ReadBody(Operation::kEncrypt, body.dump(), input));
  EXPECT_EQ(input.metadata.kms_request_id, "4112f4d6");
  EXPECT_EQ(input.metadata.via_service, "ebs");
  EXPECT_EQ(input.metadata.source_vpc, "vpc-1");
  EXPECT_EQ(input.metadata.source_vpce, "vpce-1");
  EXPECT_EQ(base::AsText(input.aad), "aad");
  EXPECT_EQ(input.plaintext.RevealText(), "plaintext");
  EXPECT_TRUE(input.want_integrity);
}

// Of health not even who asks is said; of metadata not for which KMS key.
TEST(XksBody, NeedsOfTheMetadataWhatItsOperationHas) {
  Input input;
  const std::string least =
      R"({"requestMetadata":{"kmsRequestId":"1","kmsOperation":"2"}})";
  EXPECT_OK(ReadBody(Operation::kHealth, least, input));
  EXPECT_THAT(ReadBody(Operation::kMetadata, least, input),
              StatusIs(ErrorCode::kValidation, HasSubstr("awsPrincipalArn")));
  nlohmann::json body = Body();
  body["requestMetadata"].erase("kmsKeyArn");
  EXPECT_OK(ReadBody(Operation::kMetadata, body.dump(), input));
  EXPECT_THAT(ReadBody(Operation::kEncrypt, body.dump(), input),
              StatusIs(ErrorCode::kValidation, HasSubstr("kmsKeyArn")));
}

TEST(XksBody, TellsWhoAskedThoughTheRestIsWrong) {
  nlohmann::json body = Body();
  body["plaintext"] = "?";
  Input input;
  EXPECT_THAT(ReadBody(Operation::kEncrypt, body.dump(), input),
              StatusIs(ErrorCode::kValidation));
  EXPECT_EQ(input.metadata.kms_operation, "Encrypt");
}

// An algorithm of no name is none, and does not ask for less.
TEST(XksBody, TakesNoEmptyWords) {
  for (const char* const name :
       {"encryptionAlgorithm", "ciphertextDataIntegrityValueAlgorithm"}) {
    nlohmann::json body = Body();
    body[name] = "";
    Input input;
    EXPECT_THAT(ReadBody(Operation::kEncrypt, body.dump(), input),
                StatusIs(ErrorCode::kValidation, HasSubstr(name)));
  }
  nlohmann::json body = Body();
  body["requestMetadata"]["awsPrincipalArn"] = "";
  Input input;
  EXPECT_THAT(ReadBody(Operation::kEncrypt, body.dump(), input),
              StatusIs(ErrorCode::kValidation, HasSubstr("awsPrincipalArn")));
}

TEST(XksBody, RefusesTextsThatAreTooLong) {
  nlohmann::json body = Body();
  body["requestMetadata"]["kmsRequestId"] = std::string(2049, 'x');
  Input input;
  EXPECT_THAT(ReadBody(Operation::kEncrypt, body.dump(), input),
              StatusIs(ErrorCode::kValidation));
}

// XKS proxy API v1.0.3, "Errors": statuses and names.
TEST(XksErrors, LeaveWithTheirStatusAndName) {
  for (const auto& [code, status, name] :
       {std::tuple{ErrorCode::kValidation, 400U, "ValidationException"},
        std::tuple{ErrorCode::kSerialization, 400U, "ValidationException"},
        std::tuple{ErrorCode::kDisabled, 400U, "InvalidStateException"},
        std::tuple{ErrorCode::kInvalidState, 400U, "InvalidStateException"},
        std::tuple{ErrorCode::kInvalidCiphertext, 400U,
                   "InvalidCiphertextException"},
        std::tuple{ErrorCode::kInvalidKeyUsage, 400U,
                   "InvalidKeyUsageException"},
        std::tuple{ErrorCode::kInvalidSignature, 401U,
                   "AuthenticationFailedException"},
        std::tuple{ErrorCode::kMissingAuthentication, 401U,
                   "AuthenticationFailedException"},
        std::tuple{ErrorCode::kIncompleteSignature, 401U,
                   "AuthenticationFailedException"},
        std::tuple{ErrorCode::kAccessDenied, 403U, "AccessDeniedException"},
        std::tuple{ErrorCode::kNotFound, 404U, "KeyNotFoundException"},
        std::tuple{ErrorCode::kUnknownOperation, 404U,
                   "InvalidUriPathException"},
        std::tuple{ErrorCode::kThrottled, 429U, "ThrottlingException"},
        std::tuple{ErrorCode::kUnsupportedOperation, 501U,
                   "UnsupportedOperationException"},
        std::tuple{ErrorCode::kTimeout, 503U, "DependencyTimeoutException"},
        std::tuple{ErrorCode::kHsmUnavailable, 500U, "InternalException"},
        std::tuple{ErrorCode::kAuditUnavailable, 500U, "InternalException"},
        std::tuple{ErrorCode::kKeyUnavailable, 500U, "InternalException"},
        std::tuple{ErrorCode::kCorrupt, 500U, "InternalException"}}) {
    EXPECT_EQ(ErrorRowOf(code).status, status);
    EXPECT_EQ(ErrorRowOf(code).name, name);
  }
}

TEST(XksErrors, SayNothingOfWhatIsInside) {
  base::WipingString out;
  WriteError({ErrorCode::kHsmUnavailable, "slot 3 is gone"}, out);
  EXPECT_EQ(out, R"({"errorName":"InternalException"})");
}

TEST(XksErrors, SayItInPrintableAsciiAndNotTooLong) {
  base::WipingString out;
  WriteError({ErrorCode::kValidation, "a\nb\xc3" + std::string(600, 'x')}, out);
  const auto body = nlohmann::json::parse(out);
  const std::string message = body["errorMessage"];
  EXPECT_EQ(message.size(), 511U);
  EXPECT_TRUE(message.starts_with("a?b?x"));
}

}  // namespace
}  // namespace kms::xks
