// SPDX-License-Identifier: Apache-2.0
#include "kms/client/errors.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "base/json.h"

namespace kms::client {
namespace {

using base::Error;
using base::ErrorCode;

struct Row {
  std::string_view type;
  ErrorCode code;
};

// Every error of the KMS model of August 2026, then sorted in: those that AWS
// sends without modelling them.
constexpr auto kCodes = std::to_array<Row>({
    {"AccessDeniedException", ErrorCode::kAccessDenied},
    {"AlreadyExistsException", ErrorCode::kAlreadyExists},
    {"CloudHsmClusterInUseException", ErrorCode::kConflict},
    {"CloudHsmClusterInvalidConfigurationException", ErrorCode::kInvalidState},
    {"CloudHsmClusterNotActiveException", ErrorCode::kInvalidState},
    {"CloudHsmClusterNotFoundException", ErrorCode::kNotFound},
    {"CloudHsmClusterNotRelatedException", ErrorCode::kConflict},
    {"ConflictException", ErrorCode::kConflict},
    {"CustomKeyStoreHasCMKsException", ErrorCode::kConflict},
    {"CustomKeyStoreInvalidStateException", ErrorCode::kInvalidState},
    {"CustomKeyStoreNameInUseException", ErrorCode::kAlreadyExists},
    {"CustomKeyStoreNotFoundException", ErrorCode::kNotFound},
    {"DependencyTimeoutException", ErrorCode::kTimeout},
    {"DisabledException", ErrorCode::kDisabled},
    {"DryRunOperationException", ErrorCode::kDryRun},
    {"ExpiredImportTokenException", ErrorCode::kExpiredImportToken},
    {"ExpiredTokenException", ErrorCode::kExpiredToken},
    {"IncompleteSignatureException", ErrorCode::kIncompleteSignature},
    {"IncorrectKeyException", ErrorCode::kIncorrectKey},
    {"IncorrectKeyMaterialException", ErrorCode::kIncorrectKeyMaterial},
    {"IncorrectTrustAnchorException", ErrorCode::kValidation},
    {"InvalidAliasNameException", ErrorCode::kInvalidAliasName},
    {"InvalidArnException", ErrorCode::kInvalidArn},
    {"InvalidCiphertextException", ErrorCode::kInvalidCiphertext},
    {"InvalidGrantIdException", ErrorCode::kInvalidGrantId},
    {"InvalidGrantTokenException", ErrorCode::kInvalidGrantToken},
    {"InvalidIdentityTokenException", ErrorCode::kInvalidIdentityToken},
    {"InvalidImportTokenException", ErrorCode::kInvalidImportToken},
    {"InvalidKeyUsageException", ErrorCode::kInvalidKeyUsage},
    {"InvalidMarkerException", ErrorCode::kInvalidMarker},
    {"InvalidSignatureException", ErrorCode::kInvalidSignature},
    {"KMSInternalException", ErrorCode::kInternal},
    // What was to be verified does not verify. Not kInvalidSignature, which
    // says that the *request's* signature is wrong.
    {"KMSInvalidMacException", ErrorCode::kMacMismatch},
    {"KMSInvalidSignatureException", ErrorCode::kSignatureMismatch},
    {"KMSInvalidStateException", ErrorCode::kInvalidState},
    {"KeyUnavailableException", ErrorCode::kKeyUnavailable},
    {"LimitExceededException", ErrorCode::kLimitExceeded},
    {"MalformedPolicyDocumentException", ErrorCode::kMalformedPolicy},
    {"MissingAuthenticationTokenException", ErrorCode::kMissingAuthentication},
    {"NotAuthorizedException", ErrorCode::kNotAuthorized},
    {"NotFoundException", ErrorCode::kNotFound},
    {"SerializationException", ErrorCode::kSerialization},
    {"TagException", ErrorCode::kTag},
    {"ThrottlingException", ErrorCode::kThrottled},
    {"UnknownOperationException", ErrorCode::kUnknownOperation},
    {"UnrecognizedClientException", ErrorCode::kUnrecognizedClient},
    {"UnsupportedOperationException", ErrorCode::kUnsupportedOperation},
    {"ValidationException", ErrorCode::kValidation},
    {"XksKeyAlreadyInUseException", ErrorCode::kAlreadyExists},
    {"XksKeyInvalidConfigurationException", ErrorCode::kInvalidState},
    {"XksKeyNotFoundException", ErrorCode::kNotFound},
    {"XksProxyIncorrectAuthenticationCredentialException",
     ErrorCode::kInvalidState},
    {"XksProxyInvalidConfigurationException", ErrorCode::kInvalidState},
    {"XksProxyInvalidResponseException", ErrorCode::kKeyUnavailable},
    {"XksProxyUriEndpointInUseException", ErrorCode::kAlreadyExists},
    {"XksProxyUriInUseException", ErrorCode::kAlreadyExists},
    {"XksProxyUriUnreachableException", ErrorCode::kKeyUnavailable},
    {"XksProxyVpcEndpointServiceInUseException", ErrorCode::kAlreadyExists},
    {"XksProxyVpcEndpointServiceInvalidConfigurationException",
     ErrorCode::kInvalidState},
    {"XksProxyVpcEndpointServiceNotFoundException", ErrorCode::kNotFound},
});
static_assert(std::ranges::is_sorted(kCodes, {}, &Row::type));

constexpr auto kRepeatable = std::to_array<std::string_view>({
    "Claviger.Explain",
    "Claviger.GetCertificates",
    "Claviger.ListPkcs11Objects",
    "Claviger.ReplayPolicy",
    "Claviger.SimulatePolicy",
    "Claviger.Status",
    "Claviger.WhoCan",
    "Decrypt",
    "DeriveSharedSecret",
    "DescribeCustomKeyStores",
    "DescribeKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "GenerateRandom",
    "GetKeyLastUsage",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "GetParametersForImport",
    "GetPublicKey",
    "ListAliases",
    "ListGrants",
    "ListKeyPolicies",
    "ListKeyRotations",
    "ListKeys",
    "ListResourceTags",
    "ListRetirableGrants",
    "ReEncrypt",
    "Sign",
    "Verify",
    "VerifyMac",
});
static_assert(std::ranges::is_sorted(kRepeatable));

// The text of member `name` of an object, if it has one.
std::string_view Member(const base::Json& object, const char* name) {
  const auto found = object.find(base::WipingString(name));
  return found != object.end() && found->is_string() ? base::TextOf(*found)
                                                     : std::string_view();
}

Error WithoutType(const Response& response) {
  const bool gateway = response.status >= 502 && response.status <= 504;
  return Error{gateway ? ErrorCode::kHsmUnavailable : ErrorCode::kInternal,
               "the server answered with HTTP status " +
                   std::to_string(response.status) + " and no AWS error type"};
}

}  // namespace

std::optional<ErrorCode> CodeOfAwsType(std::string_view type) {
  const auto* const row =
      std::ranges::lower_bound(kCodes, type, {}, &Row::type);
  if (row == kCodes.end() || row->type != type) {
    return std::nullopt;
  }
  return row->code;
}

Error ErrorOf(const Response& response) {
  const base::Result<base::Json> body = base::ParseJson(response.body);
  if (!body.has_value() || !body->is_object()) {
    return WithoutType(response);
  }
  std::string_view type = Member(*body, "__type");
  // AWS's older services write "namespace#Type".
  type.remove_prefix(type.find('#') + 1);
  if (type.empty()) {
    return WithoutType(response);
  }
  std::string_view message = Member(*body, "message");
  if (message.empty()) {
    message = Member(*body, "Message");
  }
  std::string text(type);
  if (!message.empty()) {
    text.append(": ").append(message);
  }
  return Error{CodeOfAwsType(type).value_or(ErrorCode::kInternal),
               std::move(text)};
}

bool IsRepeatable(std::string_view operation) {
  return std::ranges::binary_search(kRepeatable, operation);
}

}  // namespace kms::client
