// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_VALUES_H_
#define POLICY_VALUES_H_

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

// The typed values of conditions. IAM User Guide, "IAM JSON policy elements:
// Condition operators". Parsing is strict: what is not wholly a value is none.
namespace policy {

// A Decimal is an exact number: an optional minus, digits, and optionally a
// point and digits. It views the text that it was parsed from.
struct Decimal {
  bool negative = false;      // Never of zero.
  std::string_view integer;   // Without leading zeros.
  std::string_view fraction;  // Without trailing zeros.

  static std::optional<Decimal> Parse(std::string_view text);
};
std::strong_ordering Compare(const Decimal& a, const Decimal& b);

// An Instant is a point in time: a date of the W3C profile of ISO 8601
// ("2024", "2024-01", "2024-01-31", "2024-01-31T20:15Z",
// "2024-01-31T20:15:30.5+01:00"), or the seconds since 1970, with or without a
// fraction. Four digits are a year.
struct Instant {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;  // 0 to 999,999,999.

  static std::optional<Instant> Parse(std::string_view text);
  auto operator<=>(const Instant&) const = default;
};

// "true" or "false", in any case.
std::optional<bool> ParseBool(std::string_view text);

// Whether `text` is base64 of RFC 4648 section 4 as base::Base64Decode takes
// it. Each value has one spelling, so that bytes are equal where such texts
// are.
bool IsBase64(std::string_view text);

// An IpRange is an address of either family with the length of its prefix; a
// bare address is a range of one.
struct IpRange {
  bool is_v6 = false;
  std::array<std::uint8_t, 16> address{};  // IPv4 uses the first four.
  int prefix = 0;                          // Bits.

  static std::optional<IpRange> Parse(std::string_view text);
  // The families never contain each other, not even as ::ffff:1.2.3.4: the
  // server writes such peers as IPv4.
  bool Contains(const IpRange& other) const;
};

}  // namespace policy

#endif  // POLICY_VALUES_H_
