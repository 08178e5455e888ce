// SPDX-License-Identifier: Apache-2.0
#include "kms/key_id.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"

namespace kms {
namespace {

constexpr std::string_view kMultiRegionPrefix = "mrk-";

// At least the characters of an ARN that are the same in each.
constexpr std::size_t kArnFrame = 24;

bool IsLowerHex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

int HexValue(char digit) {
  return digit <= '9' ? digit - '0' : digit - 'a' + 10;
}

// Takes the text up to the next colon off `rest`; all of it if there is none.
std::string_view NextPart(std::string_view& rest) {
  const std::size_t colon = rest.find(':');
  const std::string_view part = rest.substr(0, colon);
  rest = colon == std::string_view::npos ? std::string_view()
                                         : rest.substr(colon + 1);
  return part;
}

base::Error InvalidArn(std::string_view text) {
  return {base::ErrorCode::kInvalidArn,
          "Invalid ARN '" + std::string(text) +
              "'. Expected arn:aws:kms:<region>:<account>:key/<key id> or "
              "arn:aws:kms:<region>:<account>:alias/<name>."};
}

bool IsAccount(std::string_view text) {
  return text.size() == 12 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<KeyIdBytes> ParseKeyId(std::string_view text) {
  KeyIdBytes id;
  const bool dashed = !text.starts_with(kMultiRegionPrefix);
  if (!dashed) {
    id.kind = KeyIdKind::kMultiRegion;
    text.remove_prefix(kMultiRegionPrefix.size());
  }
  if (text.size() != (dashed ? 36U : 32U)) {
    return std::nullopt;
  }
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (dashed && (i == 8 || i == 13 || i == 18 || i == 23)) {
      if (text[i] != '-') {
        return std::nullopt;
      }
      continue;
    }
    if (!IsLowerHex(text[i])) {
      return std::nullopt;
    }
    std::uint8_t& byte = id.bytes[digits / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | HexValue(text[i]));
    ++digits;
  }
  return id;
}

std::string KeyIdText(const KeyIdBytes& id) {
  if (id.kind == KeyIdKind::kMultiRegion) {
    return std::string(kMultiRegionPrefix) + base::HexEncode(id.bytes);
  }
  return base::UuidText(base::Uuid{id.bytes});
}

bool IsMultiRegionKeyId(std::string_view id) {
  return id.starts_with(kMultiRegionPrefix);
}

std::string KeyRowId(std::string_view id, std::string_view region) {
  std::string row_id(id);
  if (IsMultiRegionKeyId(id)) {
    row_id.append("/").append(region);
  }
  return row_id;
}

std::string_view KeyIdOfRow(std::string_view row_id) {
  return row_id.substr(0, row_id.find('/'));
}

base::Result<KeyReference> ParseKeyReference(std::string_view text) {
  KeyReference reference;
  if (!text.starts_with("arn:")) {
    reference.is_alias = text.starts_with("alias/");
    reference.name = text;
    return reference;
  }
  std::string_view rest = text;
  NextPart(rest);  // "arn"
  const std::string_view partition = NextPart(rest);
  const std::string_view service = NextPart(rest);
  reference.is_arn = true;
  reference.region = NextPart(rest);
  reference.account = NextPart(rest);
  if (partition != "aws" || service != "kms" || reference.region.empty() ||
      !IsAccount(reference.account)) {
    return InvalidArn(text);
  }
  if (rest.starts_with("key/")) {
    reference.name = rest.substr(4);
    return reference;
  }
  if (rest.starts_with("alias/")) {
    reference.is_alias = true;
    reference.name = rest;
    return reference;
  }
  return InvalidArn(text);
}

std::string KeyArn(std::string_view region, std::string_view account,
                   std::string_view id) {
  std::string arn;
  arn.reserve(kArnFrame + region.size() + account.size() + id.size());
  arn.append("arn:aws:kms:").append(region);
  arn.append(":").append(account).append(":key/").append(id);
  return arn;
}

std::string AliasArn(std::string_view region, std::string_view account,
                     std::string_view name) {
  std::string arn;
  arn.reserve(kArnFrame + region.size() + account.size() + name.size());
  arn.append("arn:aws:kms:").append(region);
  arn.append(":").append(account).append(":").append(name);
  return arn;
}

}  // namespace kms
