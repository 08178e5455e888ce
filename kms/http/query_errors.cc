// SPDX-License-Identifier: Apache-2.0
#include "kms/http/query_errors.h"

#include <array>
#include <cstddef>

#include "kms/http/errors.h"
#include "kms/http/xml.h"

namespace kms::http {
namespace {

using base::ErrorCode;

// In the order of ErrorCode. IAM and STS have no names for what only happens to
// keys, grants and ciphertexts: InvalidInput is IAM's for whatever is not
// right.
constexpr std::array kErrors = {
    QueryError{ErrorCode::kValidation, "ValidationError", 400},
    QueryError{ErrorCode::kSerialization, "MalformedInput", 400},
    QueryError{ErrorCode::kUnknownOperation, "InvalidAction", 400},
    QueryError{ErrorCode::kInvalidArgument, "InternalFailure", 500},
    QueryError{ErrorCode::kThrottled, "Throttling", 400},
    QueryError{ErrorCode::kDryRun, "DryRunOperation", 400},
    QueryError{ErrorCode::kMissingAuthentication, "MissingAuthenticationToken",
               403},
    QueryError{ErrorCode::kIncompleteSignature, "IncompleteSignature", 400},
    QueryError{ErrorCode::kInvalidSignature, "SignatureDoesNotMatch", 403},
    QueryError{ErrorCode::kUnrecognizedClient, "InvalidClientTokenId", 403},
    QueryError{ErrorCode::kExpiredToken, "ExpiredToken", 403},
    QueryError{ErrorCode::kInvalidIdentityToken, "InvalidIdentityToken", 400},
    QueryError{ErrorCode::kAccessDenied, "AccessDenied", 403},
    QueryError{ErrorCode::kNotAuthorized, "UnmodifiableEntity", 400},
    QueryError{ErrorCode::kInvalidGrantToken, "InvalidInput", 400},
    QueryError{ErrorCode::kInvalidGrantId, "InvalidInput", 400},
    QueryError{ErrorCode::kInvalidImportToken, "InvalidInput", 400},
    QueryError{ErrorCode::kExpiredImportToken, "InvalidInput", 400},
    QueryError{ErrorCode::kNotFound, "NoSuchEntity", 404},
    QueryError{ErrorCode::kAlreadyExists, "EntityAlreadyExists", 409},
    QueryError{ErrorCode::kInvalidArn, "InvalidInput", 400},
    QueryError{ErrorCode::kInvalidAliasName, "InvalidInput", 400},
    QueryError{ErrorCode::kInvalidMarker, "ValidationError", 400},
    QueryError{ErrorCode::kDisabled, "InvalidInput", 400},
    QueryError{ErrorCode::kInvalidState, "InvalidInput", 400},
    QueryError{ErrorCode::kInvalidKeyUsage, "InvalidInput", 400},
    QueryError{ErrorCode::kInvalidCiphertext, "InvalidInput", 400},
    QueryError{ErrorCode::kIncorrectKey, "InvalidInput", 400},
    QueryError{ErrorCode::kIncorrectKeyMaterial, "InvalidInput", 400},
    QueryError{ErrorCode::kSignatureMismatch, "InvalidInput", 400},
    QueryError{ErrorCode::kMacMismatch, "InvalidInput", 400},
    QueryError{ErrorCode::kLimitExceeded, "LimitExceeded", 409},
    QueryError{ErrorCode::kMalformedPolicy, "MalformedPolicyDocument", 400},
    QueryError{ErrorCode::kPackedPolicyTooLarge, "PackedPolicyTooLarge", 400},
    QueryError{ErrorCode::kTag, "InvalidInput", 400},
    QueryError{ErrorCode::kUnsupportedOperation, "InvalidAction", 400},
    QueryError{ErrorCode::kConflict, "DeleteConflict", 409},
    QueryError{ErrorCode::kKeyUnavailable, "ServiceUnavailable", 503},
    QueryError{ErrorCode::kHsmUnavailable, "ServiceUnavailable", 503},
    QueryError{ErrorCode::kTimeout, "ServiceUnavailable", 503},
    QueryError{ErrorCode::kAuditUnavailable, "ServiceFailure", 500},
    QueryError{ErrorCode::kStoreUnavailable, "ServiceFailure", 500},
    QueryError{ErrorCode::kBusy, "ServiceFailure", 500},
    QueryError{ErrorCode::kCorrupt, "InternalFailure", 500},
    QueryError{ErrorCode::kIo, "InternalFailure", 500},
    QueryError{ErrorCode::kInternal, "InternalFailure", 500},
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

const QueryError& QueryErrorOf(ErrorCode code) {
  const auto index = static_cast<std::size_t>(code);
  return index < kErrors.size() ? kErrors[index] : kErrors.back();
}

void AppendQueryError(const base::Error& error, std::string_view xmlns,
                      std::string_view request_id, base::WipingString& out) {
  const QueryError& row = QueryErrorOf(error.code);
  const std::string_view fixed = AwsErrorOf(error.code).fixed_message;
  out.append("<ErrorResponse xmlns=\"").append(xmlns).append("\"><Error>");
  AppendXmlElement("Type", row.status < 500 ? "Sender" : "Receiver", out);
  AppendXmlElement("Code", row.name, out);
  AppendXmlElement("Message", fixed.empty() ? error.message : fixed, out);
  out.append("</Error>");
  AppendXmlElement("RequestId", request_id, out);
  out.append("</ErrorResponse>");
}

}  // namespace kms::http
