// SPDX-License-Identifier: Apache-2.0
#include "hsm/status_codes.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace hsm {
namespace {

using enum base::ErrorCode;

struct StatusRow {
  std::uint8_t number;
  base::ErrorCode code;
};

constexpr std::array kStatuses = {
    StatusRow{1, kInternal},
    StatusRow{2, kInvalidArgument},
    StatusRow{3, kNotFound},
    StatusRow{4, kInvalidCiphertext},
    StatusRow{5, kUnsupportedOperation},
    StatusRow{6, kHsmUnavailable},
    StatusRow{7, kCorrupt},
    StatusRow{8, kTimeout},
    StatusRow{9, kThrottled},
    StatusRow{10, kAccessDenied},
    StatusRow{11, kBusy},
    StatusRow{12, kIo},
    StatusRow{13, kAlreadyExists},
    StatusRow{14, kInvalidState},
    StatusRow{15, kInvalidKeyUsage},
    StatusRow{16, kIncorrectKey},
    StatusRow{17, kLimitExceeded},
    StatusRow{18, kKeyUnavailable},
    StatusRow{19, kDisabled},
    StatusRow{20, kConflict},
    // Codes of the layers above, so that the table is total.
    StatusRow{64, kValidation},
    StatusRow{65, kSerialization},
    StatusRow{66, kUnknownOperation},
    StatusRow{67, kDryRun},
    StatusRow{68, kMissingAuthentication},
    StatusRow{69, kIncompleteSignature},
    StatusRow{70, kInvalidSignature},
    StatusRow{71, kUnrecognizedClient},
    StatusRow{72, kExpiredToken},
    StatusRow{73, kNotAuthorized},
    StatusRow{74, kInvalidGrantToken},
    StatusRow{75, kInvalidArn},
    StatusRow{76, kInvalidAliasName},
    StatusRow{77, kInvalidMarker},
    StatusRow{78, kMalformedPolicy},
    StatusRow{79, kTag},
    StatusRow{80, kAuditUnavailable},
    StatusRow{81, kStoreUnavailable},
    StatusRow{84, kInvalidGrantId},
    StatusRow{85, kInvalidImportToken},
    StatusRow{86, kExpiredImportToken},
    StatusRow{87, kIncorrectKeyMaterial},
    StatusRow{90, kSignatureMismatch},
    StatusRow{91, kMacMismatch},
    StatusRow{92, kInvalidIdentityToken},
    StatusRow{93, kPackedPolicyTooLarge},
    StatusRow{94, kExpiredIdentityToken},
    StatusRow{95, kCustomKeyStoreNotFound},
    StatusRow{96, kCustomKeyStoreNameInUse},
    StatusRow{97, kCustomKeyStoreInvalidState},
    StatusRow{98, kCustomKeyStoreHasKeys},
    StatusRow{99, kCloudHsmClusterNotFound},
    StatusRow{100, kXksKeyAlreadyInUse},
    StatusRow{101, kXksKeyInvalidConfiguration},
    StatusRow{102, kXksKeyNotFound},
    StatusRow{103, kXksProxyUriInUse},
    StatusRow{104, kXksProxyUnreachable},
    StatusRow{105, kXksProxyCredentialRefused},
    StatusRow{106, kXksProxyInvalidResponse},
    StatusRow{107, kXksProxyInvalidConfiguration},
    StatusRow{108, kXksProxyVpcServiceNotFound},
    StatusRow{109, kCloudHsmClusterInUse},
    StatusRow{110, kCloudHsmClusterNotRelated},
    StatusRow{111, kIncorrectTrustAnchor},
    StatusRow{112, kXksProxyUriEndpointInUse},
    StatusRow{113, kXksProxyVpcServiceInUse},
};
static_assert(std::ranges::is_sorted(kStatuses, {}, &StatusRow::number));

// Every ErrorCode, kInternal being the last, has exactly one row.
static_assert([] {
  std::array<int, static_cast<std::size_t>(kInternal) + 1> seen{};
  for (const StatusRow& row : kStatuses) {
    ++seen[static_cast<std::size_t>(row.code)];
  }
  return std::ranges::all_of(seen, [](int n) { return n == 1; });
}());

}  // namespace

std::uint8_t StatusNumber(base::ErrorCode code) {
  return std::ranges::find(kStatuses, code, &StatusRow::code)->number;
}

std::optional<base::ErrorCode> ErrorOfStatus(std::uint8_t number) {
  const auto row = std::ranges::find(kStatuses, number, &StatusRow::number);
  if (row == kStatuses.end()) {
    return std::nullopt;
  }
  return row->code;
}

}  // namespace hsm
