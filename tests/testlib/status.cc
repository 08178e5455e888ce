// SPDX-License-Identifier: Apache-2.0
#include "tests/testlib/status.h"

#include <array>
#include <cstddef>

namespace testlib {
namespace {

using enum base::ErrorCode;

struct Row {
  base::ErrorCode code;
  std::string_view name;
};

constexpr auto kRows = std::to_array<Row>({
    {kValidation, "kValidation"},
    {kSerialization, "kSerialization"},
    {kUnknownOperation, "kUnknownOperation"},
    {kInvalidArgument, "kInvalidArgument"},
    {kThrottled, "kThrottled"},
    {kDryRun, "kDryRun"},
    {kMissingAuthentication, "kMissingAuthentication"},
    {kIncompleteSignature, "kIncompleteSignature"},
    {kInvalidSignature, "kInvalidSignature"},
    {kUnrecognizedClient, "kUnrecognizedClient"},
    {kExpiredToken, "kExpiredToken"},
    {kInvalidIdentityToken, "kInvalidIdentityToken"},
    {kExpiredIdentityToken, "kExpiredIdentityToken"},
    {kAccessDenied, "kAccessDenied"},
    {kNotAuthorized, "kNotAuthorized"},
    {kInvalidGrantToken, "kInvalidGrantToken"},
    {kInvalidGrantId, "kInvalidGrantId"},
    {kInvalidImportToken, "kInvalidImportToken"},
    {kExpiredImportToken, "kExpiredImportToken"},
    {kNotFound, "kNotFound"},
    {kAlreadyExists, "kAlreadyExists"},
    {kInvalidArn, "kInvalidArn"},
    {kInvalidAliasName, "kInvalidAliasName"},
    {kInvalidMarker, "kInvalidMarker"},
    {kDisabled, "kDisabled"},
    {kInvalidState, "kInvalidState"},
    {kInvalidKeyUsage, "kInvalidKeyUsage"},
    {kInvalidCiphertext, "kInvalidCiphertext"},
    {kIncorrectKey, "kIncorrectKey"},
    {kIncorrectKeyMaterial, "kIncorrectKeyMaterial"},
    {kSignatureMismatch, "kSignatureMismatch"},
    {kMacMismatch, "kMacMismatch"},
    {kLimitExceeded, "kLimitExceeded"},
    {kMalformedPolicy, "kMalformedPolicy"},
    {kPackedPolicyTooLarge, "kPackedPolicyTooLarge"},
    {kTag, "kTag"},
    {kUnsupportedOperation, "kUnsupportedOperation"},
    {kConflict, "kConflict"},
    {kCustomKeyStoreNotFound, "kCustomKeyStoreNotFound"},
    {kCustomKeyStoreNameInUse, "kCustomKeyStoreNameInUse"},
    {kCustomKeyStoreInvalidState, "kCustomKeyStoreInvalidState"},
    {kCustomKeyStoreHasKeys, "kCustomKeyStoreHasKeys"},
    {kCloudHsmClusterNotFound, "kCloudHsmClusterNotFound"},
    {kCloudHsmClusterInUse, "kCloudHsmClusterInUse"},
    {kCloudHsmClusterNotRelated, "kCloudHsmClusterNotRelated"},
    {kIncorrectTrustAnchor, "kIncorrectTrustAnchor"},
    {kXksKeyAlreadyInUse, "kXksKeyAlreadyInUse"},
    {kXksKeyInvalidConfiguration, "kXksKeyInvalidConfiguration"},
    {kXksKeyNotFound, "kXksKeyNotFound"},
    {kXksProxyUriInUse, "kXksProxyUriInUse"},
    {kXksProxyUnreachable, "kXksProxyUnreachable"},
    {kXksProxyCredentialRefused, "kXksProxyCredentialRefused"},
    {kXksProxyInvalidResponse, "kXksProxyInvalidResponse"},
    {kXksProxyInvalidConfiguration, "kXksProxyInvalidConfiguration"},
    {kXksProxyUriEndpointInUse, "kXksProxyUriEndpointInUse"},
    {kXksProxyVpcServiceNotFound, "kXksProxyVpcServiceNotFound"},
    {kXksProxyVpcServiceInUse, "kXksProxyVpcServiceInUse"},
    {kKeyUnavailable, "kKeyUnavailable"},
    {kHsmUnavailable, "kHsmUnavailable"},
    {kTimeout, "kTimeout"},
    {kAuditUnavailable, "kAuditUnavailable"},
    {kStoreUnavailable, "kStoreUnavailable"},
    {kBusy, "kBusy"},
    {kCorrupt, "kCorrupt"},
    {kIo, "kIo"},
    {kInternal, "kInternal"},
});

static_assert(kRows.size() == static_cast<std::size_t>(kInternal) + 1,
              "every code has its row");

}  // namespace

std::string_view CodeName(base::ErrorCode code) {
  for (const Row& row : kRows) {
    if (row.code == code) {
      return row.name;
    }
  }
  return "an unknown code";
}

std::string Describe(const base::Error& error) {
  return std::string(CodeName(error.code)) + ": " + error.message + " (" +
         error.file + ":" + std::to_string(error.line) + ")";
}

}  // namespace testlib
