// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kms/client/errors.h"
#include "tests/testlib/status.h"

namespace kms::client {
namespace {

using base::Error;
using base::ErrorCode;

Error ErrorOfBody(std::string_view body, int status = 400) {
  Response response;
  response.status = status;
  response.body = body;
  return ErrorOf(response);
}

TEST(ClientErrorsTest, NamesTheTypeAndTheMessage) {
  const Error error = ErrorOfBody(
      R"({"__type":"NotFoundException","message":"Alias a is not found."})");
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_EQ(error.message, "NotFoundException: Alias a is not found.");
}

TEST(ClientErrorsTest, TakesTheCapitalSpellingOfMessage) {
  const Error error =
      ErrorOfBody(R"({"__type":"AccessDeniedException","Message":"no"})");
  EXPECT_EQ(error.code, ErrorCode::kAccessDenied);
  EXPECT_EQ(error.message, "AccessDeniedException: no");
}

TEST(ClientErrorsTest, TakesATypeWithoutMessage) {
  const Error error = ErrorOfBody(R"({"__type":"InvalidCiphertextException"})");
  EXPECT_EQ(error.code, ErrorCode::kInvalidCiphertext);
  EXPECT_EQ(error.message, "InvalidCiphertextException");
}

TEST(ClientErrorsTest, TakesATypeWithNamespace) {
  EXPECT_EQ(ErrorOfBody(R"({"__type":"com.amazon#TagException"})").code,
            ErrorCode::kTag);
}

TEST(ClientErrorsTest, NamesATypeThatItDoesNotKnow) {
  const Error error =
      ErrorOfBody(R"({"__type":"FutureException","message":"new"})");
  EXPECT_EQ(error.code, ErrorCode::kInternal);
  EXPECT_EQ(error.message, "FutureException: new");
}

TEST(ClientErrorsTest, NamesTheStatusWhereThereIsNoType) {
  for (const char* body :
       {"", "<html>", "[]", "{}", R"({"__type":7})", R"({"__type":""})"}) {
    for (const int status : {502, 503, 504}) {
      EXPECT_EQ(ErrorOfBody(body, status).code, ErrorCode::kHsmUnavailable);
    }
    for (const int status : {201, 400, 404, 413, 500}) {
      const Error error = ErrorOfBody(body, status);
      EXPECT_EQ(error.code, ErrorCode::kInternal);
      EXPECT_THAT(error.message, testing::HasSubstr(std::to_string(status)));
    }
  }
}

TEST(ClientErrorsTest, SomeCodesOfTheTable) {
  EXPECT_EQ(CodeOfAwsType("ThrottlingException"), ErrorCode::kThrottled);
  EXPECT_EQ(CodeOfAwsType("KMSInvalidStateException"),
            ErrorCode::kInvalidState);
  EXPECT_EQ(CodeOfAwsType("InvalidSignatureException"),
            ErrorCode::kInvalidSignature);
  EXPECT_EQ(CodeOfAwsType("XksProxyVpcEndpointServiceNotFoundException"),
            ErrorCode::kNotFound);
  EXPECT_EQ(CodeOfAwsType(""), std::nullopt);
  EXPECT_EQ(CodeOfAwsType("notfoundexception"), std::nullopt);
}

TEST(ClientErrorsTest, OnlyWhatChangesNothingIsRepeatable) {
  for (const char* operation :
       {"Claviger.Explain", "Claviger.Status", "Decrypt", "Encrypt",
        "GenerateDataKey", "Sign", "VerifyMac", "ListKeys"}) {
    EXPECT_TRUE(IsRepeatable(operation)) << operation;
  }
  for (const char* operation :
       {"CreateKey", "CreateGrant", "ScheduleKeyDeletion", "RetireGrant",
        "ImportKeyMaterial", "RotateKeyOnDemand", "TagResource", "", "decrypt",
        "Unknown"}) {
    EXPECT_FALSE(IsRepeatable(operation)) << operation;
  }
}

// Every error shape of the KMS model of August 2026, and those that AWS sends
// without modelling them.
constexpr const char* kAllTypes[] = {
    "AccessDeniedException",
    "AlreadyExistsException",
    "CloudHsmClusterInUseException",
    "CloudHsmClusterInvalidConfigurationException",
    "CloudHsmClusterNotActiveException",
    "CloudHsmClusterNotFoundException",
    "CloudHsmClusterNotRelatedException",
    "ConflictException",
    "CustomKeyStoreHasCMKsException",
    "CustomKeyStoreInvalidStateException",
    "CustomKeyStoreNameInUseException",
    "CustomKeyStoreNotFoundException",
    "DependencyTimeoutException",
    "DisabledException",
    "DryRunOperationException",
    "ExpiredImportTokenException",
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "IncorrectKeyException",
    "IncorrectKeyMaterialException",
    "IncorrectTrustAnchorException",
    "InvalidAliasNameException",
    "InvalidArnException",
    "InvalidCiphertextException",
    "InvalidGrantIdException",
    "InvalidGrantTokenException",
    "InvalidImportTokenException",
    "InvalidKeyUsageException",
    "InvalidMarkerException",
    "InvalidSignatureException",
    "KMSInternalException",
    "KMSInvalidMacException",
    "KMSInvalidSignatureException",
    "KMSInvalidStateException",
    "KeyUnavailableException",
    "LimitExceededException",
    "MalformedPolicyDocumentException",
    "MissingAuthenticationTokenException",
    "NotAuthorizedException",
    "NotFoundException",
    "SerializationException",
    "TagException",
    "ThrottlingException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "UnsupportedOperationException",
    "ValidationException",
    "XksKeyAlreadyInUseException",
    "XksKeyInvalidConfigurationException",
    "XksKeyNotFoundException",
    "XksProxyIncorrectAuthenticationCredentialException",
    "XksProxyInvalidConfigurationException",
    "XksProxyInvalidResponseException",
    "XksProxyUriEndpointInUseException",
    "XksProxyUriInUseException",
    "XksProxyUriUnreachableException",
    "XksProxyVpcEndpointServiceInUseException",
    "XksProxyVpcEndpointServiceInvalidConfigurationException",
    "XksProxyVpcEndpointServiceNotFoundException",
};

TEST(ClientErrorsTest, KnowsEveryTypeOfTheModel) {
  for (const char* type : kAllTypes) {
    EXPECT_TRUE(CodeOfAwsType(type).has_value()) << type;
  }
}

}  // namespace
}  // namespace kms::client
