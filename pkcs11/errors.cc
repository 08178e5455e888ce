// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/errors.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace pkcs11 {
namespace {

using base::ErrorCode;

struct NamedRv {
  CK_RV rv;
  std::string_view name;
};
#define ROW(rv) \
  NamedRv { rv, #rv }

constexpr std::array kNames = {
    ROW(CKR_OK),
    ROW(CKR_HOST_MEMORY),
    ROW(CKR_SLOT_ID_INVALID),
    ROW(CKR_GENERAL_ERROR),
    ROW(CKR_FUNCTION_FAILED),
    ROW(CKR_ARGUMENTS_BAD),
    ROW(CKR_NO_EVENT),
    ROW(CKR_NEED_TO_CREATE_THREADS),
    ROW(CKR_CANT_LOCK),
    ROW(CKR_ATTRIBUTE_READ_ONLY),
    ROW(CKR_ATTRIBUTE_SENSITIVE),
    ROW(CKR_ATTRIBUTE_TYPE_INVALID),
    ROW(CKR_ATTRIBUTE_VALUE_INVALID),
    ROW(CKR_ACTION_PROHIBITED),
    ROW(CKR_DATA_INVALID),
    ROW(CKR_DATA_LEN_RANGE),
    ROW(CKR_DEVICE_ERROR),
    ROW(CKR_ENCRYPTED_DATA_INVALID),
    ROW(CKR_ENCRYPTED_DATA_LEN_RANGE),
    ROW(CKR_FUNCTION_NOT_PARALLEL),
    ROW(CKR_FUNCTION_NOT_SUPPORTED),
    ROW(CKR_KEY_HANDLE_INVALID),
    ROW(CKR_KEY_INDIGESTIBLE),
    ROW(CKR_KEY_NOT_WRAPPABLE),
    ROW(CKR_KEY_UNEXTRACTABLE),
    ROW(CKR_KEY_SIZE_RANGE),
    ROW(CKR_KEY_TYPE_INCONSISTENT),
    ROW(CKR_KEY_FUNCTION_NOT_PERMITTED),
    ROW(CKR_MECHANISM_INVALID),
    ROW(CKR_MECHANISM_PARAM_INVALID),
    ROW(CKR_OBJECT_HANDLE_INVALID),
    ROW(CKR_OPERATION_ACTIVE),
    ROW(CKR_OPERATION_CANCEL_FAILED),
    ROW(CKR_OPERATION_NOT_INITIALIZED),
    ROW(CKR_PIN_INCORRECT),
    ROW(CKR_SESSION_HANDLE_INVALID),
    ROW(CKR_SESSION_PARALLEL_NOT_SUPPORTED),
    ROW(CKR_SESSION_READ_ONLY),
    ROW(CKR_SIGNATURE_INVALID),
    ROW(CKR_SIGNATURE_LEN_RANGE),
    ROW(CKR_TEMPLATE_INCOMPLETE),
    ROW(CKR_TEMPLATE_INCONSISTENT),
    ROW(CKR_UNWRAPPING_KEY_HANDLE_INVALID),
    ROW(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT),
    ROW(CKR_USER_ALREADY_LOGGED_IN),
    ROW(CKR_USER_NOT_LOGGED_IN),
    ROW(CKR_USER_TYPE_INVALID),
    ROW(CKR_WRAPPED_KEY_INVALID),
    ROW(CKR_WRAPPED_KEY_LEN_RANGE),
    ROW(CKR_WRAPPING_KEY_HANDLE_INVALID),
    ROW(CKR_WRAPPING_KEY_TYPE_INCONSISTENT),
    ROW(CKR_CURVE_NOT_SUPPORTED),
    ROW(CKR_BUFFER_TOO_SMALL),
    ROW(CKR_CRYPTOKI_NOT_INITIALIZED),
    ROW(CKR_CRYPTOKI_ALREADY_INITIALIZED),
    ROW(CKR_FUNCTION_REJECTED),
    ROW(CKR_TOKEN_RESOURCE_EXCEEDED),
};
#undef ROW

}  // namespace

// No default: the compiler names an enumerator that has no case. Long for the
// number of codes alone.
CK_RV RvOf(ErrorCode code) {  // NOLINT(readability-function-size)
  using enum ErrorCode;
  switch (code) {
    case kAccessDenied:
    case kNotAuthorized:
      return CKR_FUNCTION_REJECTED;
    case kMissingAuthentication:
    case kIncompleteSignature:
    case kInvalidSignature:
    case kUnrecognizedClient:
    case kExpiredToken:
    case kInvalidIdentityToken:
    case kExpiredIdentityToken:
      return CKR_USER_NOT_LOGGED_IN;
    case kDisabled:
    case kInvalidState:
    case kInvalidKeyUsage:
      return CKR_KEY_FUNCTION_NOT_PERMITTED;
    case kNotFound:
      return CKR_KEY_HANDLE_INVALID;
    case kInvalidCiphertext:
    case kIncorrectKey:
      return CKR_ENCRYPTED_DATA_INVALID;
    case kSignatureMismatch:
    case kMacMismatch:
      return CKR_SIGNATURE_INVALID;
    case kThrottled:
    case kLimitExceeded:
      return CKR_TOKEN_RESOURCE_EXCEEDED;
    case kInvalidArgument:
      return CKR_FUNCTION_FAILED;
    case kUnknownOperation:
    case kUnsupportedOperation:
      return CKR_FUNCTION_NOT_SUPPORTED;
    case kTag:
    case kInvalidAliasName:
      return CKR_ATTRIBUTE_VALUE_INVALID;
    case kValidation:
    case kSerialization:
    case kDryRun:
    case kInvalidGrantToken:
    case kInvalidGrantId:
    case kInvalidImportToken:
    case kExpiredImportToken:
    case kAlreadyExists:
    case kInvalidArn:
    case kInvalidMarker:
    case kIncorrectKeyMaterial:
    case kMalformedPolicy:
    case kPackedPolicyTooLarge:
    case kConflict:
    case kCustomKeyStoreNotFound:
    case kCustomKeyStoreNameInUse:
    case kCustomKeyStoreInvalidState:
    case kCustomKeyStoreHasKeys:
    case kCloudHsmClusterNotFound:
    case kCloudHsmClusterInUse:
    case kCloudHsmClusterNotRelated:
    case kIncorrectTrustAnchor:
    case kXksKeyAlreadyInUse:
    case kXksKeyInvalidConfiguration:
    case kXksKeyNotFound:
    case kXksProxyUriInUse:
    case kXksProxyUnreachable:
    case kXksProxyCredentialRefused:
    case kXksProxyInvalidResponse:
    case kXksProxyInvalidConfiguration:
    case kXksProxyUriEndpointInUse:
    case kXksProxyVpcServiceNotFound:
    case kXksProxyVpcServiceInUse:
      return CKR_FUNCTION_FAILED;
    case kKeyUnavailable:
    case kHsmUnavailable:
    case kTimeout:
    case kAuditUnavailable:
    case kStoreUnavailable:
    case kBusy:
    case kCorrupt:
    case kIo:
    case kInternal:
      return CKR_DEVICE_ERROR;
  }
  return CKR_GENERAL_ERROR;
}

CK_RV RvOfObjectChange(ErrorCode code) {
  const CK_RV rv = RvOf(code);
  switch (rv) {
    case CKR_FUNCTION_REJECTED:
      return CKR_ACTION_PROHIBITED;
    case CKR_KEY_HANDLE_INVALID:
      return CKR_OBJECT_HANDLE_INVALID;
    case CKR_KEY_FUNCTION_NOT_PERMITTED:
      return CKR_ACTION_PROHIBITED;
    default:
      return rv;
  }
}

std::string RvName(CK_RV rv) {
  for (const NamedRv& row : kNames) {
    if (row.rv == rv) {
      return std::string(row.name);
    }
  }
  return fmt::format("CKR {:#x}", rv);
}

}  // namespace pkcs11
