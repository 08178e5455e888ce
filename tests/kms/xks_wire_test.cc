// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

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

std::string Base64Of(std::size_t size) {
  return base::Base64Encode(base::Bytes(size, 'x'));
}

nlohmann::json DecryptBody() {
  nlohmann::json body = Body();
  body.erase("plaintext");
  body["ciphertext"] = "Y2lwaGVydGV4dA==";
  body["initializationVector"] = "aXYgb2YgMTIuLi4u";
  body["authenticationTag"] = "dGFnIG9mIDE2Li4uLi4uLg==";
  return body;
}

nlohmann::json BodyOf(Operation operation) {
  return operation == Operation::kDecrypt ? DecryptBody() : Body();
}

// XKS proxy API v1.0.3: what a body has beside requestMetadata.
struct Member {
  Operation operation;
  const char* name;
  bool required;
  bool is_base64;  // Otherwise a word of which there is one.
};
constexpr std::array kMembers = {
    Member{Operation::kEncrypt, "plaintext", true, true},
    Member{Operation::kEncrypt, "encryptionAlgorithm", true, false},
    Member{Operation::kEncrypt, "additionalAuthenticatedData", false, true},
    Member{Operation::kEncrypt, "ciphertextDataIntegrityValueAlgorithm", false,
           false},
    Member{Operation::kDecrypt, "ciphertext", true, true},
    Member{Operation::kDecrypt, "encryptionAlgorithm", true, false},
    Member{Operation::kDecrypt, "initializationVector", true, true},
    Member{Operation::kDecrypt, "authenticationTag", true, true},
    Member{Operation::kDecrypt, "ciphertextMetadata", false, true},
    Member{Operation::kDecrypt, "additionalAuthenticatedData", false, true},
};

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

TEST(XksBody, OfDecryptIsReadWhole) {
  nlohmann::json body = DecryptBody();
  body["additionalAuthenticatedData"] = "YWFk";
  body["ciphertextMetadata"] = "bWV0YQ==";
  Input input;
  ASSERT_OK(ReadBody(Operation::kDecrypt, body.dump(), input));
  EXPECT_EQ(base::AsText(input.aad), "aad");
  EXPECT_EQ(base::AsText(input.sealed.ciphertext), "ciphertext");
  EXPECT_EQ(base::AsText(input.sealed.iv), "iv of 12....");
  EXPECT_EQ(base::AsText(input.sealed.tag), "tag of 16.......");
  EXPECT_EQ(base::AsText(input.sealed.metadata), "meta");
}

TEST(XksBody, NeedsWhatItsOperationRequires) {
  for (const Member& member : kMembers) {
    nlohmann::json without = BodyOf(member.operation);
    without.erase(member.name);
    nlohmann::json null = without;
    null[member.name] = nullptr;
    for (const nlohmann::json& body : {without, null}) {
      Input input;
      const auto status = ReadBody(member.operation, body.dump(), input);
      if (member.required) {
        EXPECT_THAT(status,
                    StatusIs(ErrorCode::kValidation, HasSubstr(member.name)));
      } else {
        EXPECT_OK(status);
      }
    }
  }
}

TEST(XksBody, TakesNothingButStringsInTheirForm) {
  for (const Member& member : kMembers) {
    std::vector<nlohmann::json> wrong = {
        7, true, nlohmann::json::array({"YQ=="}), {{"a", "YQ=="}}};
    if (member.is_base64) {
      wrong.insert(wrong.end(), {"=x", "a", "YQ", "-_-_", "YQ==\n", " YQ=="});
    } else {
      wrong.insert(wrong.end(), {"", "AES_CBC", "aes_gcm", "MD5", "sha_256"});
    }
    for (const nlohmann::json& value : wrong) {
      nlohmann::json body = BodyOf(member.operation);
      body[member.name] = value;
      Input input;
      EXPECT_THAT(ReadBody(member.operation, body.dump(), input),
                  StatusIs(ErrorCode::kValidation, HasSubstr(member.name)))
          << value;
    }
  }
}

// An implementation may take no more than it likes of what has no size of its
// own; another size of what has one is wrong.
TEST(XksBody, TakesSizesThatCanBe) {
  struct Row {
    Operation operation;
    const char* name;
    std::vector<std::size_t> good;
    std::vector<std::size_t> bad;
    ErrorCode code;
  };
  for (const Row& row : {
           Row{Operation::kEncrypt,
               "plaintext",
               {0, 4300, 8192},
               {8193, 40000},
               ErrorCode::kUnsupportedOperation},
           Row{Operation::kEncrypt,
               "additionalAuthenticatedData",
               {0, 8192, 16384},
               {16385, 40000},
               ErrorCode::kUnsupportedOperation},
           Row{Operation::kDecrypt,
               "ciphertext",
               {0, 4300, 8192},
               {8193, 40000},
               ErrorCode::kUnsupportedOperation},
           Row{Operation::kDecrypt,
               "additionalAuthenticatedData",
               {0, 8192, 16384},
               {16385, 40000},
               ErrorCode::kUnsupportedOperation},
           Row{Operation::kDecrypt,
               "initializationVector",
               {12, 16},
               {0, 11, 13, 15, 17, 2049, 40000},
               ErrorCode::kValidation},
           Row{Operation::kDecrypt,
               "authenticationTag",
               {16},
               {0, 12, 15, 17, 2049, 40000},
               ErrorCode::kValidation},
           Row{Operation::kDecrypt,
               "ciphertextMetadata",
               {0, 20},
               {21, 2049, 40000},
               ErrorCode::kValidation},
       }) {
    const auto read = [&](std::size_t size) {
      nlohmann::json body = BodyOf(row.operation);
      body[row.name] = Base64Of(size);
      Input input;
      return ReadBody(row.operation, body.dump(), input);
    };
    for (const std::size_t size : row.good) {
      EXPECT_OK(read(size)) << row.name << " of " << size;
    }
    for (const std::size_t size : row.bad) {
      EXPECT_THAT(read(size), StatusIs(row.code, HasSubstr(row.name))) << size;
    }
  }
}

TEST(XksBody, TakesNoMetadataThatAreNone) {
  for (const Operation operation : {Operation::kHealth, Operation::kMetadata,
                                    Operation::kEncrypt, Operation::kDecrypt}) {
    nlohmann::json body = BodyOf(operation);
    for (const nlohmann::json& value :
         {nlohmann::json(), nlohmann::json("x"), nlohmann::json(7),
          nlohmann::json::array({body["requestMetadata"]})}) {
      body["requestMetadata"] = value;
      Input input;
      EXPECT_THAT(
          ReadBody(operation, body.dump(), input),
          StatusIs(ErrorCode::kValidation, HasSubstr("requestMetadata")));
    }
    body.erase("requestMetadata");
    Input input;
    EXPECT_THAT(ReadBody(operation, body.dump(), input),
                StatusIs(ErrorCode::kValidation));
  }
}

TEST(XksBody, TakesOnlyStringsOfMetadataThatAreNotTooLong) {
  for (const Operation operation : {Operation::kEncrypt, Operation::kDecrypt}) {
    for (const auto& [name, required] :
         {std::pair{"awsPrincipalArn", true}, std::pair{"kmsOperation", true},
          std::pair{"kmsKeyArn", true}, std::pair{"kmsRequestId", true},
          std::pair{"kmsViaService", false}, std::pair{"awsSourceVpc", false},
          std::pair{"awsSourceVpce", false}}) {
      const auto read = [&, name = name](const nlohmann::json& value) {
        nlohmann::json body = BodyOf(operation);
        body["requestMetadata"][name] = value;
        Input input;
        return ReadBody(operation, body.dump(), input);
      };
      const auto is_wrong = StatusIs(ErrorCode::kValidation, HasSubstr(name));
      EXPECT_OK(read(std::string(2048, 'x')));
      EXPECT_THAT(read(std::string(2049, 'x')), is_wrong);
      EXPECT_THAT(read(7), is_wrong);
      EXPECT_THAT(read(nlohmann::json::array({"x"})), is_wrong);
      for (const nlohmann::json& none :
           {nlohmann::json(), nlohmann::json("")}) {
        if (required) {
          EXPECT_THAT(read(none), is_wrong) << none;
        } else {
          EXPECT_OK(read(none));
        }
      }
    }
  }
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
