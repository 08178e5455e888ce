// SPDX-License-Identifier: Apache-2.0
#include "kms/identity/base64url.h"

#include <algorithm>
#include <string>

namespace kms::identity {

base::Result<base::Bytes> Base64UrlDecode(std::string_view text) {
  const base::Error bad = {base::ErrorCode::kInvalidArgument,
                           "not base64url without padding"};
  if (text.find_first_of("+/=") != std::string_view::npos) {
    return bad;
  }
  std::string standard(text);
  std::ranges::replace(standard, '-', '+');
  std::ranges::replace(standard, '_', '/');
  standard.append((4 - standard.size() % 4) % 4, '=');
  auto bytes = base::Base64Decode(standard);
  return bytes ? std::move(bytes) : bad;
}

}  // namespace kms::identity
