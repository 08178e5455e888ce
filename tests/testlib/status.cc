// SPDX-License-Identifier: Apache-2.0
#include "tests/testlib/status.h"

namespace testlib {

std::string_view CodeName(base::ErrorCode code) {
  using enum base::ErrorCode;
  switch (code) {
    case kValidation:
      return "kValidation";
    case kSerialization:
      return "kSerialization";
    case kUnknownOperation:
      return "kUnknownOperation";
    case kInvalidArgument:
      return "kInvalidArgument";
    case kThrottled:
      return "kThrottled";
    case kDryRun:
      return "kDryRun";
    case kMissingAuthentication:
      return "kMissingAuthentication";
    case kIncompleteSignature:
      return "kIncompleteSignature";
    case kInvalidSignature:
      return "kInvalidSignature";
    case kUnrecognizedClient:
      return "kUnrecognizedClient";
    case kExpiredToken:
      return "kExpiredToken";
    case kAccessDenied:
      return "kAccessDenied";
    case kNotAuthorized:
      return "kNotAuthorized";
    case kInvalidGrantToken:
      return "kInvalidGrantToken";
    case kNotFound:
      return "kNotFound";
    case kAlreadyExists:
      return "kAlreadyExists";
    case kInvalidArn:
      return "kInvalidArn";
    case kInvalidAliasName:
      return "kInvalidAliasName";
    case kInvalidMarker:
      return "kInvalidMarker";
    case kDisabled:
      return "kDisabled";
    case kInvalidState:
      return "kInvalidState";
    case kInvalidKeyUsage:
      return "kInvalidKeyUsage";
    case kInvalidCiphertext:
      return "kInvalidCiphertext";
    case kIncorrectKey:
      return "kIncorrectKey";
    case kLimitExceeded:
      return "kLimitExceeded";
    case kMalformedPolicy:
      return "kMalformedPolicy";
    case kTag:
      return "kTag";
    case kUnsupportedOperation:
      return "kUnsupportedOperation";
    case kConflict:
      return "kConflict";
    case kKeyUnavailable:
      return "kKeyUnavailable";
    case kHsmUnavailable:
      return "kHsmUnavailable";
    case kTimeout:
      return "kTimeout";
    case kAuditUnavailable:
      return "kAuditUnavailable";
    case kStoreUnavailable:
      return "kStoreUnavailable";
    case kBusy:
      return "kBusy";
    case kCorrupt:
      return "kCorrupt";
    case kIo:
      return "kIo";
    case kInternal:
      return "kInternal";
  }
  return "an unknown code";
}

std::string Describe(const base::Error& error) {
  return std::string(CodeName(error.code)) + ": " + error.message + " (" +
         error.file + ":" + std::to_string(error.line) + ")";
}

}  // namespace testlib
