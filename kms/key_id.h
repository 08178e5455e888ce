// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_KEY_ID_H_
#define KMS_KEY_ID_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kms {

// What a KeyId is, beside its 16 bytes; the number is the ciphertext's "kind".
enum class KeyIdKind : std::uint8_t { kUuid = 1, kMultiRegion = 2 };

// The 16 bytes of a key id, and which of the two spellings it has:
// 8-4-4-4-12 hexadecimal digits, or "mrk-" and 32 of them (lower case).
struct KeyIdBytes {
  KeyIdKind kind = KeyIdKind::kUuid;
  std::array<std::uint8_t, 16> bytes{};
};
std::optional<KeyIdBytes> ParseKeyId(std::string_view text);
std::string KeyIdText(const KeyIdBytes& id);

// What the store knows a key by. The keys of one multi-Region key id are a row
// in each of their Regions: "<key id>/<region>". Of any other key it is the id.
std::string KeyRowId(std::string_view id, std::string_view region);
std::string_view KeyIdOfRow(std::string_view row_id);

// Whether `id` has the spelling of a multi-Region key's.
bool IsMultiRegionKeyId(std::string_view id);

// What a client wrote where a key is meant (AWS KMS API Reference, KeyId).
struct KeyReference {
  bool is_alias = false;
  bool is_arn = false;
  std::string_view region;   // Of the ARN; empty otherwise.
  std::string_view account;  // Of the ARN; empty otherwise.
  std::string_view name;     // The key id as written, or "alias/...".
};

// Splits `text`. Fails with kInvalidArn for something that begins like an ARN
// but is not the ARN of a key or alias.
base::Result<KeyReference> ParseKeyReference(std::string_view text);

std::string KeyArn(std::string_view region, std::string_view account,
                   std::string_view id);
std::string AliasArn(std::string_view region, std::string_view account,
                     std::string_view name);

}  // namespace kms

#endif  // KMS_KEY_ID_H_
