// SPDX-License-Identifier: Apache-2.0
#include "tools/config/token_uri.h"

#include <algorithm>
#include <array>

namespace tools::config {
namespace {

constexpr std::string_view kScheme = "pkcs11:";
// RFC 7512 section 2.3: what says which token it is.
constexpr std::array<std::string_view, 4> kOfTokens = {"manufacturer", "model",
                                                       "serial", "token"};

bool IsHexadecimal(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
         (c >= 'A' && c <= 'F');
}

// Every % begins the two digits of a byte.
bool IsEncoded(std::string_view text) {
  for (std::size_t at = text.find('%'); at != std::string_view::npos;
       at = text.find('%', at + 1)) {
    if (text.size() - at < 3 || !IsHexadecimal(text[at + 1]) ||
        !IsHexadecimal(text[at + 2])) {
      return false;
    }
  }
  return true;
}

std::string FaultOfAttribute(std::string_view attribute) {
  const std::size_t equals = attribute.find('=');
  const std::string_view name = attribute.substr(0, equals);
  if (name == "pin-value" || name == "pin-source") {
    return "must not say what the PIN is: write that to the file that pin_file "
           "names, which only its owner can read, and change it if it was here";
  }
  if (std::ranges::find(kOfTokens, name) == kOfTokens.end()) {
    return "has the attribute '" + std::string(name) +
           "'; a token is named by token, serial, model and manufacturer";
  }
  if (equals == std::string_view::npos || !IsEncoded(attribute)) {
    return "has no good value of '" + std::string(name) +
           "': it is name=value, and other characters than letters, digits "
           "and ._- are %xx";
  }
  return "";
}

}  // namespace

std::string FaultOfTokenUri(std::string_view text) {
  if (!text.starts_with(kScheme)) {
    return "must be a URI of a token, such as \"pkcs11:token=main\" (RFC "
           "7512)";
  }
  std::string_view rest = text.substr(kScheme.size());
  while (!rest.empty()) {
    const std::size_t end = rest.find_first_of(";?&");
    std::string fault = FaultOfAttribute(rest.substr(0, end));
    if (!fault.empty()) {
      return fault;
    }
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return "";
}

}  // namespace tools::config
