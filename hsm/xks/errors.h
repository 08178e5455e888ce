// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_XKS_ERRORS_H_
#define HSM_XKS_ERRORS_H_

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "hsm/messages.h"

namespace hsm::xks {

// An error of the XKS proxy API.
struct ErrorRow {
  std::string_view name;
  long status;  // Of HTTP.
  XksOutcome outcome;
};

// XKS proxy API specification 1.0.3, "Errors".
inline constexpr std::array<ErrorRow, 12> kErrors = {{
    {"AccessDeniedException", 403, XksOutcome::kAccessDenied},
    {"AuthenticationFailedException", 401, XksOutcome::kAuthenticationFailed},
    {"DependencyTimeoutException", 503, XksOutcome::kDependencyTimeout},
    {"InternalException", 500, XksOutcome::kInternal},
    {"InvalidCiphertextException", 400, XksOutcome::kInvalidCiphertext},
    {"InvalidKeyUsageException", 400, XksOutcome::kInvalidKeyUsage},
    {"InvalidStateException", 400, XksOutcome::kInvalidState},
    {"InvalidUriPathException", 404, XksOutcome::kInvalidUriPath},
    {"KeyNotFoundException", 404, XksOutcome::kKeyNotFound},
    {"ThrottlingException", 429, XksOutcome::kThrottling},
    {"UnsupportedOperationException", 501, XksOutcome::kUnsupportedOperation},
    {"ValidationException", 400, XksOutcome::kValidation},
}};

// What `name` in a reply of this status means; nothing if there is no such
// error, or it has another status.
std::optional<XksOutcome> OutcomeOf(std::string_view name, long status);

// What may go into a log: at most 512 characters, those that are not printable
// ASCII replaced.
std::string Printable(std::string_view text);

// Why there is no reply: `code` is a CURLcode other than CURLE_OK, `connected`
// whether there was a connection, `message` what libcurl says.
XksOutcome OutcomeOfCurl(int code, bool connected, std::string_view message);

}  // namespace hsm::xks

#endif  // HSM_XKS_ERRORS_H_
