// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/custom_key_stores/outcomes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

namespace kms::operations {
namespace {

using base::Error;
using base::ErrorCode;
using hsm::XksOutcome;

// XKS proxy API specification, "Errors", and AWS KMS Developer Guide,
// "Troubleshooting external key stores". Health has nothing to do with a key: a
// proxy that answers it with a key's error says what cannot be. In the order of
// XksOutcome from kValidation on.
constexpr std::array kRows = {
    XksOutcomeRow{
        XksOutcome::kValidation, ErrorCode::kXksProxyInvalidResponse,
        ErrorCode::kCustomKeyStoreInvalidState, "XKS_PROXY_INVALID_RESPONSE",
        "The external key store proxy takes the request for malformed. Check "
        "that it speaks version 1 of the XKS proxy API."},
    XksOutcomeRow{XksOutcome::kInvalidState,
                  ErrorCode::kXksProxyInvalidConfiguration,
                  ErrorCode::kXksKeyInvalidConfiguration,
                  "XKS_PROXY_INVALID_CONFIGURATION",
                  "The external key, or the key store of the proxy, is not "
                  "enabled in the external key manager. Enable it there."},
    XksOutcomeRow{
        XksOutcome::kInvalidCiphertext, ErrorCode::kXksProxyInvalidResponse,
        ErrorCode::kCustomKeyStoreInvalidState, "XKS_PROXY_INVALID_RESPONSE",
        "The external key store proxy cannot open the ciphertext with this "
        "encryption context: one of the two is not what it was, or the "
        "external key is another."},
    XksOutcomeRow{
        XksOutcome::kInvalidKeyUsage, ErrorCode::kXksProxyInvalidResponse,
        ErrorCode::kXksKeyInvalidConfiguration, "XKS_PROXY_INVALID_RESPONSE",
        "The external key may not be used for this operation. Permit it in the "
        "external key manager."},
    XksOutcomeRow{
        XksOutcome::kAuthenticationFailed,
        ErrorCode::kXksProxyCredentialRefused,
        ErrorCode::kCustomKeyStoreInvalidState, "INVALID_CREDENTIALS",
        "The external key store proxy does not accept the credential of this "
        "custom key store. Give both the same one."},
    XksOutcomeRow{
        XksOutcome::kAccessDenied, ErrorCode::kXksProxyInvalidConfiguration,
        ErrorCode::kCustomKeyStoreInvalidState, "XKS_PROXY_ACCESS_DENIED",
        "The external key store proxy denied the operation. Look at its "
        "authorization policy."},
    XksOutcomeRow{
        XksOutcome::kKeyNotFound, ErrorCode::kXksProxyInvalidResponse,
        ErrorCode::kXksKeyNotFound, "XKS_PROXY_INVALID_RESPONSE",
        "The external key store proxy does not find the external key. Check "
        "its id, and that it is behind this proxy's path."},
    XksOutcomeRow{XksOutcome::kInvalidUriPath,
                  ErrorCode::kXksProxyInvalidConfiguration,
                  ErrorCode::kCustomKeyStoreInvalidState,
                  "XKS_PROXY_INVALID_CONFIGURATION",
                  "The external key store proxy does not know the path. Check "
                  "XksProxyUriPath."},
    XksOutcomeRow{
        XksOutcome::kThrottling, ErrorCode::kXksProxyUnreachable,
        ErrorCode::kCustomKeyStoreInvalidState, "XKS_PROXY_NOT_REACHABLE",
        "The external key store proxy refuses more requests for now. Retry, "
        "less often."},
    XksOutcomeRow{
        XksOutcome::kUnsupportedOperation, ErrorCode::kXksProxyInvalidResponse,
        ErrorCode::kUnsupportedOperation, "XKS_PROXY_INVALID_RESPONSE",
        "The external key store proxy does not support the operation."},
    XksOutcomeRow{
        XksOutcome::kDependencyTimeout, ErrorCode::kXksProxyUnreachable,
        ErrorCode::kCustomKeyStoreInvalidState, "XKS_PROXY_TIMED_OUT",
        "The external key manager did not answer its proxy in time. Retry."},
    XksOutcomeRow{
        XksOutcome::kInternal, ErrorCode::kXksProxyInvalidResponse,
        ErrorCode::kCustomKeyStoreInvalidState, "XKS_PROXY_INVALID_RESPONSE",
        "The external key store proxy reports an internal error. Its own log "
        "tells more."},
    XksOutcomeRow{
        XksOutcome::kMalformed, ErrorCode::kXksProxyInvalidResponse,
        ErrorCode::kCustomKeyStoreInvalidState, "XKS_PROXY_INVALID_RESPONSE",
        "The answer of the external key store proxy is not one that the XKS "
        "proxy API allows."},
    XksOutcomeRow{
        XksOutcome::kNotReachable, ErrorCode::kXksProxyUnreachable,
        ErrorCode::kCustomKeyStoreInvalidState, "XKS_PROXY_NOT_REACHABLE",
        "The external key store proxy, or every key manager behind it, cannot "
        "be reached. Check XksProxyUriEndpoint and the way there."},
    XksOutcomeRow{XksOutcome::kTls, ErrorCode::kXksProxyUnreachable,
                  ErrorCode::kCustomKeyStoreInvalidState,
                  "XKS_PROXY_INVALID_TLS_CONFIGURATION",
                  "No TLS connection to the external key store proxy can be "
                  "trusted. Check its certificate, its name and its issuer."},
    XksOutcomeRow{
        XksOutcome::kTimedOut, ErrorCode::kXksProxyUnreachable,
        ErrorCode::kCustomKeyStoreInvalidState, "XKS_PROXY_TIMED_OUT",
        "The external key store proxy did not answer in time. Retry."},
    XksOutcomeRow{XksOutcome::kForbidden,
                  ErrorCode::kXksProxyInvalidConfiguration,
                  ErrorCode::kCustomKeyStoreInvalidState,
                  "XKS_PROXY_INVALID_CONFIGURATION",
                  "XksProxyUriEndpoint leads to an address that this server "
                  "may not ask. Its operator can allow it."},
};

// What is none of these stays as it is until somebody mends it.
constexpr std::array kOwnTroubles = {
    OwnTroubleRow{ErrorCode::kHsmUnavailable, "NETWORK_ERRORS", true},
    OwnTroubleRow{ErrorCode::kTimeout, "NETWORK_ERRORS", true},
    OwnTroubleRow{ErrorCode::kIo, "NETWORK_ERRORS", true},
    OwnTroubleRow{ErrorCode::kBusy, "XKS_PROXY_TIMED_OUT", true},
    OwnTroubleRow{ErrorCode::kXksProxyInvalidConfiguration,
                  "XKS_PROXY_INVALID_CONFIGURATION", false},
    OwnTroubleRow{ErrorCode::kThrottled, kConnectionInternalError, true},
    OwnTroubleRow{ErrorCode::kStoreUnavailable, kConnectionInternalError, true},
};
constexpr OwnTroubleRow kOtherTrouble = {ErrorCode::kInternal,
                                         kConnectionInternalError, false};

constexpr std::size_t IndexOf(XksOutcome outcome) {
  return static_cast<std::size_t>(outcome) -
         static_cast<std::size_t>(XksOutcome::kValidation);
}

static_assert([] {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (IndexOf(kRows[i].outcome) != i) {
      return false;
    }
  }
  return kRows.back().outcome == XksOutcome::kForbidden;  // The last of them.
}());

Error Wrong(std::string text) {
  return {ErrorCode::kXksKeyInvalidConfiguration, std::move(text)};
}

bool Names(const std::vector<std::string>& usages, std::string_view usage) {
  return std::ranges::find(usages, usage) != usages.end();
}

// A few characters of what a stranger has sent.
std::string Shown(std::string_view text) {
  std::string shown(text.substr(0, 32));
  std::ranges::replace_if(
      shown, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return shown;
}

}  // namespace

const XksOutcomeRow& RowOf(XksOutcome outcome) {
  const std::size_t index = IndexOf(outcome);
  return kRows[index < kRows.size() ? index : IndexOf(XksOutcome::kInternal)];
}

const OwnTroubleRow& OwnTroubleOf(ErrorCode code) {
  const auto* const row =
      std::ranges::find(kOwnTroubles, code, &OwnTroubleRow::code);
  return row == kOwnTroubles.end() ? kOtherTrouble : *row;
}

Error StoreErrorOf(XksOutcome outcome) {
  const XksOutcomeRow& row = RowOf(outcome);
  return {row.of_store, std::string(row.text)};
}

Error KeyErrorOf(XksOutcome outcome) {
  const XksOutcomeRow& row = RowOf(outcome);
  return {row.of_key, std::string(row.text)};
}

Error UseErrorOf(XksOutcome outcome) {
  return {ErrorCode::kInvalidState, std::string(RowOf(outcome).text)};
}

XksOutcome JudgeHealth(const hsm::XksReply& reply) {
  if (reply.outcome != XksOutcome::kOk) {
    return reply.outcome;
  }
  if (reply.managers.empty()) {
    return XksOutcome::kMalformed;
  }
  const bool serves = std::ranges::any_of(
      reply.managers, [](const hsm::ExternalManagerHealth& manager) {
        return manager.status == "ACTIVE" || manager.status == "DEGRADED";
      });
  return serves ? XksOutcome::kOk : XksOutcome::kNotReachable;
}

base::Status JudgeKey(const hsm::XksReply& reply) {
  if (reply.key_spec != "AES_256") {
    return Wrong(
        fmt::format("The external key has the key spec {}; it must be AES_256.",
                    Shown(reply.key_spec)));
  }
  if (reply.key_status != "ENABLED") {
    return Wrong(
        fmt::format("The external key has the status {}; it must be ENABLED.",
                    Shown(reply.key_status)));
  }
  if (!Names(reply.key_usages, "ENCRYPT") ||
      !Names(reply.key_usages, "DECRYPT")) {
    return Wrong(
        "The external key must have the key usages ENCRYPT and "
        "DECRYPT.");
  }
  return {};
}

}  // namespace kms::operations
