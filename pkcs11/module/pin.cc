// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/pin.h"

#include <string>
#include <utility>

namespace pkcs11::module {
namespace {

constexpr char kSeparator = ':';

// What stands before the next separator, which is taken off `text` with it.
std::string_view TakePart(std::string_view& text) {
  const std::size_t end = text.find(kSeparator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

}  // namespace

std::optional<base::SigV4Credentials> ReadPin(std::string_view user_name,
                                              std::string_view pin,
                                              std::string_view configured) {
  if (pin.size() > kMaxPinBytes) {
    return std::nullopt;
  }
  std::string_view id = user_name.empty() ? configured : user_name;
  // With the id in the configuration, a PIN that names it all the same.
  const bool names_it =
      id.empty() || (pin.starts_with(id) && pin.size() > id.size() &&
                     pin[id.size()] == kSeparator);
  if (names_it) {
    id = TakePart(pin);
  }
  const std::string_view secret = TakePart(pin);
  if (id.empty() || secret.empty()) {
    return std::nullopt;
  }
  return base::SigV4Credentials{std::string(id), base::Secret::CopyOf(secret),
                                std::string(pin)};
}

}  // namespace pkcs11::module
