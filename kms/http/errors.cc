// SPDX-License-Identifier: Apache-2.0
#include "kms/http/errors.h"

#include <array>
#include <cstddef>

#include "base/json.h"
#include "kms/http/xml.h"

namespace kms::http {
namespace {

using base::ErrorCode;

constexpr std::string_view kInternal =
    "An internal error occurred. The server's log tells more under this "
    "request's id. You can retry the request.";
constexpr std::string_view kNoKeyStore =
    "The key store cannot be reached at the moment. You can retry the "
    "request.";
constexpr std::string_view kLate =
    "The key store did not answer in time. You can retry the request.";

// In the order of ErrorCode. IAM and STS have no names for what only happens to
// keys, grants and ciphertexts: InvalidInput is IAM's for whatever is not
// right.
constexpr std::array kErrors = {
    AwsError{ErrorCode::kValidation,
             {"ValidationException", 400},
             {"ValidationError", 400},
             {}},
    AwsError{ErrorCode::kSerialization,
             {"SerializationException", 400},
             {"MalformedInput", 400},
             {}},
    AwsError{ErrorCode::kUnknownOperation,
             {"UnknownOperationException", 400},
             {"InvalidAction", 400},
             {}},
    AwsError{ErrorCode::kInvalidArgument,
             {"KMSInternalException", 500},
             {"InternalFailure", 500},
             kInternal},
    AwsError{ErrorCode::kThrottled,
             {"ThrottlingException", 400},
             {"Throttling", 400},
             {}},
    AwsError{ErrorCode::kDryRun,
             {"DryRunOperationException", 400},
             {"DryRunOperation", 400},
             {}},
    AwsError{ErrorCode::kMissingAuthentication,
             {"MissingAuthenticationTokenException", 400},
             {"MissingAuthenticationToken", 403},
             {}},
    AwsError{ErrorCode::kIncompleteSignature,
             {"IncompleteSignatureException", 400},
             {"IncompleteSignature", 400},
             {}},
    AwsError{ErrorCode::kInvalidSignature,
             {"InvalidSignatureException", 400},
             {"SignatureDoesNotMatch", 403},
             {}},
    AwsError{ErrorCode::kUnrecognizedClient,
             {"UnrecognizedClientException", 400},
             {"InvalidClientTokenId", 403},
             {}},
    AwsError{ErrorCode::kExpiredToken,
             {"ExpiredTokenException", 400},
             {"ExpiredToken", 403},
             {}},
    AwsError{ErrorCode::kInvalidIdentityToken,
             {"InvalidIdentityTokenException", 400},
             {"InvalidIdentityToken", 400},
             {}},
    AwsError{ErrorCode::kExpiredIdentityToken,
             {"ExpiredTokenException", 400},
             {"ExpiredTokenException", 400},
             {}},
    AwsError{ErrorCode::kAccessDenied,
             {"AccessDeniedException", 400},
             {"AccessDenied", 403},
             {}},
    AwsError{ErrorCode::kNotAuthorized,
             {"NotAuthorizedException", 400},
             {"UnmodifiableEntity", 400},
             {}},
    AwsError{ErrorCode::kInvalidGrantToken,
             {"InvalidGrantTokenException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kInvalidGrantId,
             {"InvalidGrantIdException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kInvalidImportToken,
             {"InvalidImportTokenException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kExpiredImportToken,
             {"ExpiredImportTokenException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kNotFound,
             {"NotFoundException", 400},
             {"NoSuchEntity", 404},
             {}},
    AwsError{ErrorCode::kAlreadyExists,
             {"AlreadyExistsException", 400},
             {"EntityAlreadyExists", 409},
             {}},
    AwsError{ErrorCode::kInvalidArn,
             {"InvalidArnException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kInvalidAliasName,
             {"InvalidAliasNameException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kInvalidMarker,
             {"InvalidMarkerException", 400},
             {"ValidationError", 400},
             {}},
    AwsError{ErrorCode::kDisabled,
             {"DisabledException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kInvalidState,
             {"KMSInvalidStateException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kInvalidKeyUsage,
             {"InvalidKeyUsageException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kInvalidCiphertext,
             {"InvalidCiphertextException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kIncorrectKey,
             {"IncorrectKeyException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kIncorrectKeyMaterial,
             {"IncorrectKeyMaterialException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kSignatureMismatch,
             {"KMSInvalidSignatureException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kMacMismatch,
             {"KMSInvalidMacException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kLimitExceeded,
             {"LimitExceededException", 400},
             {"LimitExceeded", 409},
             {}},
    AwsError{ErrorCode::kMalformedPolicy,
             {"MalformedPolicyDocumentException", 400},
             {"MalformedPolicyDocument", 400},
             {}},
    AwsError{ErrorCode::kPackedPolicyTooLarge,
             {"PackedPolicyTooLargeException", 400},
             {"PackedPolicyTooLarge", 400},
             {}},
    AwsError{ErrorCode::kTag, {"TagException", 400}, {"InvalidInput", 400}, {}},
    AwsError{ErrorCode::kUnsupportedOperation,
             {"UnsupportedOperationException", 400},
             {"InvalidAction", 400},
             {}},
    AwsError{ErrorCode::kConflict,
             {"ConflictException", 400},
             {"DeleteConflict", 409},
             {}},
    AwsError{ErrorCode::kCustomKeyStoreNotFound,
             {"CustomKeyStoreNotFoundException", 400},
             {"NoSuchEntity", 404},
             {}},
    AwsError{ErrorCode::kCustomKeyStoreNameInUse,
             {"CustomKeyStoreNameInUseException", 400},
             {"EntityAlreadyExists", 409},
             {}},
    AwsError{ErrorCode::kCustomKeyStoreInvalidState,
             {"CustomKeyStoreInvalidStateException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kCustomKeyStoreHasKeys,
             {"CustomKeyStoreHasCMKsException", 400},
             {"DeleteConflict", 409},
             {}},
    AwsError{ErrorCode::kCloudHsmClusterNotFound,
             {"CloudHsmClusterNotFoundException", 400},
             {"NoSuchEntity", 404},
             {}},
    AwsError{ErrorCode::kCloudHsmClusterInUse,
             {"CloudHsmClusterInUseException", 400},
             {"EntityAlreadyExists", 409},
             {}},
    AwsError{ErrorCode::kCloudHsmClusterNotRelated,
             {"CloudHsmClusterNotRelatedException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kIncorrectTrustAnchor,
             {"IncorrectTrustAnchorException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kXksKeyAlreadyInUse,
             {"XksKeyAlreadyInUseException", 400},
             {"EntityAlreadyExists", 409},
             {}},
    AwsError{ErrorCode::kXksKeyInvalidConfiguration,
             {"XksKeyInvalidConfigurationException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kXksKeyNotFound,
             {"XksKeyNotFoundException", 400},
             {"NoSuchEntity", 404},
             {}},
    AwsError{ErrorCode::kXksProxyUriInUse,
             {"XksProxyUriInUseException", 400},
             {"EntityAlreadyExists", 409},
             {}},
    AwsError{ErrorCode::kXksProxyUnreachable,
             {"XksProxyUriUnreachableException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kXksProxyCredentialRefused,
             {"XksProxyIncorrectAuthenticationCredentialException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kXksProxyInvalidResponse,
             {"XksProxyInvalidResponseException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kXksProxyInvalidConfiguration,
             {"XksProxyInvalidConfigurationException", 400},
             {"InvalidInput", 400},
             {}},
    AwsError{ErrorCode::kXksProxyUriEndpointInUse,
             {"XksProxyUriEndpointInUseException", 400},
             {"EntityAlreadyExists", 409},
             {}},
    AwsError{ErrorCode::kXksProxyVpcServiceNotFound,
             {"XksProxyVpcEndpointServiceNotFoundException", 400},
             {"NoSuchEntity", 404},
             {}},
    AwsError{ErrorCode::kXksProxyVpcServiceInUse,
             {"XksProxyVpcEndpointServiceInUseException", 400},
             {"EntityAlreadyExists", 409},
             {}},
    AwsError{ErrorCode::kKeyUnavailable,
             {"KeyUnavailableException", 500},
             {"ServiceUnavailable", 503},
             {}},
    AwsError{ErrorCode::kHsmUnavailable,
             {"KeyUnavailableException", 500},
             {"ServiceUnavailable", 503},
             kNoKeyStore},
    AwsError{ErrorCode::kTimeout,
             {"DependencyTimeoutException", 500},
             {"ServiceUnavailable", 503},
             kLate},
    AwsError{ErrorCode::kAuditUnavailable,
             {"KMSInternalException", 500},
             {"ServiceFailure", 500},
             kInternal},
    AwsError{ErrorCode::kStoreUnavailable,
             {"KMSInternalException", 500},
             {"ServiceFailure", 500},
             kInternal},
    AwsError{ErrorCode::kBusy,
             {"KMSInternalException", 500},
             {"ServiceFailure", 500},
             kInternal},
    AwsError{ErrorCode::kCorrupt,
             {"KMSInternalException", 500},
             {"InternalFailure", 500},
             kInternal},
    AwsError{ErrorCode::kIo,
             {"KMSInternalException", 500},
             {"InternalFailure", 500},
             kInternal},
    AwsError{ErrorCode::kInternal,
             {"KMSInternalException", 500},
             {"InternalFailure", 500},
             kInternal},
};

constexpr bool IsInOrder() {
  for (std::size_t i = 0; i < kErrors.size(); ++i) {
    if (static_cast<std::size_t>(kErrors[i].code) != i) {
      return false;
    }
  }
  return kErrors.back().code == ErrorCode::kInternal;  // The last of them.
}
static_assert(IsInOrder());

}  // namespace

const AwsError& AwsErrorOf(ErrorCode code) {
  const auto index = static_cast<std::size_t>(code);
  return index < kErrors.size() ? kErrors[index] : kErrors.back();
}

void AppendErrorBody(const base::Error& error, base::WipingString& out) {
  const AwsError& aws = AwsErrorOf(error.code);
  const std::string_view message =
      aws.fixed_message.empty() ? error.message : aws.fixed_message;
  out.append("{\"__type\":\"").append(aws.json.name).append("\"");
  if (!message.empty()) {
    out.append(error.code == ErrorCode::kAccessDenied ? ",\"Message\":\""
                                                      : ",\"message\":\"");
    base::AppendJsonEscaped(message, out);
    out.append("\"");
  }
  out.append("}");
}

void AppendQueryError(const base::Error& error, std::string_view xmlns,
                      std::string_view request_id, base::WipingString& out) {
  const AwsError& aws = AwsErrorOf(error.code);
  const std::string_view fixed = aws.fixed_message;
  out.append("<ErrorResponse xmlns=\"").append(xmlns).append("\"><Error>");
  AppendXmlElement("Type", aws.query.status < 500 ? "Sender" : "Receiver", out);
  AppendXmlElement("Code", aws.query.name, out);
  AppendXmlElement("Message", fixed.empty() ? error.message : fixed, out);
  out.append("</Error>");
  AppendXmlElement("RequestId", request_id, out);
  out.append("</ErrorResponse>");
}

}  // namespace kms::http
