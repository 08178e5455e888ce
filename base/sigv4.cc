// SPDX-License-Identifier: Apache-2.0
#include "base/sigv4.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "base/region.h"

namespace base {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::size_t kMaxHeaderSize = 4096;
constexpr std::size_t kMaxIdSize = 128;  // AWS IAM: 16 to 128 characters.

Error Incomplete(std::string message) {
  return {ErrorCode::kIncompleteSignature, std::move(message)};
}

Error Invalid(std::string message) {
  return {ErrorCode::kInvalidSignature, std::move(message)};
}

// What a character may be part of; one bit each.
enum CharClass : std::uint8_t {
  kDigit = 1,
  kLowerHex = 2,
  kHeaderName = 4,
  kGraphic = 8,  // Visible ASCII.
  kPrintable = 16,
};

constexpr std::array<std::uint8_t, 256> MakeCharClasses() {
  std::array<std::uint8_t, 256> classes{};
  const auto add = [&](std::string_view characters, unsigned bits) {
    for (const char c : characters) {
      classes[static_cast<unsigned char>(c)] |= static_cast<std::uint8_t>(bits);
    }
  };
  for (int c = 0x21; c < 0x7F; ++c) {
    classes[c] = kGraphic | kPrintable;
  }
  add(" ", kPrintable);
  add("0123456789", kDigit | kLowerHex | kHeaderName);
  add("abcdef", kLowerHex);
  add("abcdefghijklmnopqrstuvwxyz-", kHeaderName);
  // RFC 9110 5.6.2, and the colon of HTTP/2's pseudo-headers.
  add("!#$%&'*+.^_`|~:", kHeaderName);
  return classes;
}

constexpr std::array<std::uint8_t, 256> kCharClasses = MakeCharClasses();

// Whether every character of `text` is of class `wanted`. No early exit: this
// runs over each request's header, and such a loop is twice as fast.
bool All(std::string_view text, CharClass wanted) {
  unsigned common = wanted;
  for (const char c : text) {
    common &= kCharClasses[static_cast<unsigned char>(c)];
  }
  return common != 0;
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t first = std::min(text.find_first_not_of(' '), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

// Takes the algorithm, and the blank after it, off the front of `value`.
Status TakeAlgorithm(std::string_view& value) {
  const std::string_view algorithm = CutAt(value, ' ');
  if (algorithm == kAlgorithm) {
    return {};
  }
  if (algorithm.starts_with("AWS4-")) {
    return Incomplete("Unsupported AWS 'algorithm' (only AWS4-HMAC-SHA256).");
  }
  return Error{ErrorCode::kMissingAuthentication,
               "Request is missing Authentication Token"};
}

struct Parameter {
  std::string_view name;
  std::string_view SigV4Authorization::*field;
};

constexpr std::array<Parameter, 3> kParameters = {{
    {"Credential", &SigV4Authorization::credential},
    {"Signature", &SigV4Authorization::signature},
    {"SignedHeaders", &SigV4Authorization::signed_headers},
}};

// Stores one "Name=value" of the header.
Status ReadParameter(std::string_view text, SigV4Authorization& out) {
  text = Trimmed(text);
  if (text.find('=') == std::string_view::npos) {
    return Incomplete(
        "The Authorization header has a part that is not a valid key=value "
        "pair (missing equal-sign).");
  }
  const std::string_view name = CutAt(text, '=');
  const auto* const parameter =
      std::find_if(kParameters.begin(), kParameters.end(),
                   [&](const Parameter& p) { return p.name == name; });
  if (parameter == kParameters.end()) {
    return Incomplete(
        "The Authorization header has a parameter other than 'Credential', "
        "'SignedHeaders' and 'Signature'.");
  }
  std::string_view& field = out.*parameter->field;
  if (!field.empty()) {
    return Incomplete("The Authorization header has '" + std::string(name) +
                      "' more than once.");
  }
  field = text;
  return {};
}

Status RequireAllParameters(const SigV4Authorization& authorization) {
  std::string missing;
  for (const Parameter& parameter : kParameters) {
    if ((authorization.*parameter.field).empty()) {
      missing += "Authorization header requires '";
      missing += parameter.name;
      missing += "' parameter. ";
    }
  }
  if (!missing.empty()) {
    return Incomplete(missing + "Authorization=AWS4-HMAC-SHA256");
  }
  return {};
}

// Splits the credential into its five elements and checks what can be checked
// without knowing the server's services or the time.
Status ReadCredential(SigV4Authorization& out) {
  std::string_view rest = out.credential;
  if (std::count(rest.begin(), rest.end(), '/') != 4) {
    return Incomplete(
        "Credential must have exactly 5 slash-delimited elements, e.g. "
        "keyid/date/region/service/term.");
  }
  out.access_key_id = CutAt(rest, '/');
  out.scope = rest;
  out.date = CutAt(rest, '/');
  out.region = CutAt(rest, '/');
  out.service = CutAt(rest, '/');
  if (out.access_key_id.empty() || out.access_key_id.size() > kMaxIdSize ||
      !All(out.credential, kGraphic)) {
    return Incomplete("Credential does not begin with an access key id.");
  }
  if (rest != "aws4_request") {
    return Invalid(
        "Credential should be scoped with a valid terminator: 'aws4_request'.");
  }
  if (out.date.size() != 8 || !All(out.date, kDigit)) {
    return Invalid(
        "Credential should be scoped to a date in the form YYYYMMDD.");
  }
  if (!IsRegionName(out.region)) {
    return Invalid("Credential should be scoped to a valid region.");
  }
  return {};
}

Status CheckSignedHeaders(std::string_view list) {
  if (list.ends_with(';')) {
    return Incomplete("SignedHeaders must not end with a semicolon.");
  }
  std::string_view before;
  for (std::string_view rest = list; !rest.empty();) {
    const std::string_view name = CutAt(rest, ';');
    if (name.empty() || !All(name, kHeaderName)) {
      return Incomplete(
          "SignedHeaders must be lower-case header names, separated by "
          "semicolons.");
    }
    if (name <= before) {
      return Incomplete("SignedHeaders must be sorted and without duplicates.");
    }
    before = name;
  }
  return {};
}

}  // namespace

std::string_view CutAt(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view head = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return head;
}

bool IsSigned(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    if (CutAt(list, ';') == name) {
      return true;
    }
  }
  return false;
}

bool IsHeader(std::string_view name, std::string_view lower) {
  return name.size() == lower.size() &&
         std::equal(name.begin(), name.end(), lower.begin(),
                    [](char c, char l) {
                      return (c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) == l;
                    });
}

Result<SigV4Authorization> ParseAuthorization(std::string_view value) {
  if (value.size() > kMaxHeaderSize || !All(value, kPrintable)) {
    return Incomplete(
        "The Authorization header is too long or holds characters other than "
        "printable ASCII.");
  }
  value = Trimmed(value);
  RETURN_IF_ERROR(TakeAlgorithm(value));
  if (value.ends_with(',')) {
    return Incomplete("The Authorization header must not end with a comma.");
  }
  SigV4Authorization authorization;
  while (!value.empty()) {
    RETURN_IF_ERROR(ReadParameter(CutAt(value, ','), authorization));
  }
  RETURN_IF_ERROR(RequireAllParameters(authorization));
  RETURN_IF_ERROR(ReadCredential(authorization));
  RETURN_IF_ERROR(CheckSignedHeaders(authorization.signed_headers));
  if (authorization.signature.size() != 64 ||
      !All(authorization.signature, kLowerHex)) {
    return Incomplete("Signature must be 64 lower-case hexadecimal digits.");
  }
  return authorization;
}

}  // namespace base
