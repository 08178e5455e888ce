// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/shapes.h"

#include <algorithm>

#include "base/region.h"

namespace kms::operations::shapes {
namespace {

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9');
}

// Whether every character is in U+0020..U+00FF or one of `also`. In UTF-8 the
// upper half of Latin-1 is C2 or C3 and one more byte.
bool IsLatin1(std::string_view text, std::string_view also) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 && also.find(text[i]) == std::string_view::npos) {
      return false;
    }
    if (c < 0x80) {
      continue;
    }
    const bool pair = (c == 0xC2 || c == 0xC3) && i + 1 < text.size();
    if (!pair) {
      return false;
    }
    ++i;
  }
  return true;
}

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes "prefix" off the front of `rest`, if it is there.
bool TakePrefix(std::string_view& rest, std::string_view prefix) {
  const bool there = rest.starts_with(prefix);
  rest.remove_prefix(there ? prefix.size() : 0);
  return there;
}

// Takes the characters that are `of` off the front; how many.
template <typename Predicate>
std::size_t TakeWhile(std::string_view& rest, Predicate of) {
  const auto end = std::ranges::find_if_not(rest, of);
  const auto count = static_cast<std::size_t>(end - rest.begin());
  rest.remove_prefix(count);
  return count;
}

}  // namespace

bool IsCloudHsmClusterId(std::string_view value) {
  if (!TakePrefix(value, "cluster-")) {
    return false;
  }
  return value.size() >= 11 && value.size() <= 16 &&
         std::ranges::all_of(value, [](char c) {
           return IsAlphanumeric(c) && !(IsDigit(c) && (c < '2' || c > '7'));
         });
}

bool IsKeyMaterialId(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return IsDigit(c) || (c >= 'a' && c <= 'f');
  });
}

bool IsKeyMaterialDescription(std::string_view value) {
  constexpr std::string_view kAlso = ":/_.- \t\n\v\f\r";
  return !value.empty() && std::ranges::all_of(value, [&](char c) {
    return IsAlphanumeric(c) || kAlso.find(c) != std::string_view::npos;
  });
}

bool IsRegion(std::string_view value) {
  return base::TakeRegionName(value) && value.empty();
}

bool IsXksAccessKeyId(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7');
  });
}

bool IsXksSecretAccessKey(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return IsAlphanumeric(c) || c == '/' || c == '+' || c == '=';
  });
}

bool IsXksUriEndpoint(std::string_view value) {
  return TakePrefix(value, "https://") && !value.empty() &&
         std::ranges::all_of(value, [](char c) {
           return IsAlphanumeric(c) || c == '.' || c == '-';
         });
}

bool IsXksUriPath(std::string_view value) {
  constexpr std::string_view kTail = "/kms/xks/v";
  const std::size_t tail = value.rfind(kTail);
  if (tail == std::string_view::npos) {
    return false;
  }
  const std::string_view version = value.substr(tail + kTail.size());
  const std::string_view prefix = value.substr(0, tail);
  const bool prefix_good =
      prefix.empty() || (prefix.size() > 1 && prefix[0] == '/' &&
                         std::ranges::all_of(prefix, [](char c) {
                           return IsAlphanumeric(c) || c == '/' || c == '_' ||
                                  c == '-';
                         }));
  return prefix_good && !version.empty() && version.size() <= 2 &&
         std::ranges::all_of(version, IsDigit);
}

bool IsXksServiceName(std::string_view value) {
  if (!TakePrefix(value, "com") && !TakePrefix(value, "eu")) {
    return false;
  }
  return TakePrefix(value, ".amazonaws.vpce.") && base::TakeRegionName(value) &&
         TakePrefix(value, ".vpce-svc-") && !value.empty() &&
         std::ranges::all_of(value,
                             [](char c) { return IsLower(c) || IsDigit(c); });
}

bool IsAccountId(std::string_view value) {
  return value.size() == 12 && std::ranges::all_of(value, IsDigit);
}

bool IsAliasName(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return IsAlphanumeric(c) || c == ':' || c == '/' || c == '_' || c == '-';
  });
}

bool IsGrantSourceArn(std::string_view value) {
  const auto lower_or_dash = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  constexpr std::string_view kStart = "arn:aws";
  if (!value.starts_with(kStart)) {
    return false;
  }
  std::string_view rest = value.substr(kStart.size());
  std::array<std::string_view, 4> parts;  // Partition's end ... account.
  for (std::string_view& part : parts) {
    const std::size_t colon = rest.find(':');
    if (colon == std::string_view::npos) {
      return false;
    }
    part = rest.substr(0, colon);
    rest.remove_prefix(colon + 1);
  }
  return std::ranges::all_of(parts[0], lower_or_dash) && !parts[1].empty() &&
         std::ranges::all_of(parts[1], lower_or_dash) &&
         std::ranges::all_of(parts[2], lower_or_dash) &&
         parts[3].size() == 12 && std::ranges::all_of(parts[3], digit) &&
         !rest.empty() && rest.find_first_of("\r\n") == std::string_view::npos;
}

bool IsMarker(std::string_view value) { return IsLatin1(value, ""); }

bool IsPolicyName(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return IsAlphanumeric(c) || c == '_';
  });
}

bool IsPolicy(std::string_view value) {
  return !value.empty() && IsLatin1(value, "\t\n\r");
}

bool IsPrincipalId(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return IsAlphanumeric(c) ||
           std::string_view("_+=,.@:/-").find(c) != std::string_view::npos;
  });
}

bool IsServicePrincipal(std::string_view value) {
  std::size_t labels = 0;
  for (std::string_view rest = value;; ++labels) {
    const std::size_t dot = rest.find('.');
    const std::string_view label = rest.substr(0, dot);
    const bool right = !label.empty() && std::ranges::all_of(label, [](char c) {
      return IsAlphanumeric(c) || c == '-';
    });
    if (!right) {
      return false;
    }
    if (dot == std::string_view::npos) {
      return labels + 1 >= 3;
    }
    rest.remove_prefix(dot + 1);
  }
}

bool IsXksKeyId(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return IsAlphanumeric(c) || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace kms::operations::shapes
