// SPDX-License-Identifier: Apache-2.0
#include "policy/values.h"

#include <algorithm>

#include "policy/text.h"

namespace policy {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Digits and other characters, taken off the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view Digits() {
    const auto* const end = std::ranges::find_if_not(rest_, IsDigit);
    const std::string_view digits =
        rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(digits.size());
    return digits;
  }

  // Exactly `count` digits of a number up to `high`.
  std::optional<int> Number(std::size_t count, int low, int high) {
    int value = 0;
    if (rest_.size() < count ||
        !std::all_of(rest_.begin(), rest_.begin() + count, IsDigit)) {
      return std::nullopt;
    }
    for (const char c : rest_.substr(0, count)) {
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return value >= low && value <= high ? std::optional(value) : std::nullopt;
  }

 private:
  std::string_view rest_;
};

// 5 of "5", "50" and "500" as tenths, hundredths, thousandths.
std::optional<std::int64_t> Nanoseconds(std::string_view digits) {
  if (digits.empty() || digits.size() > 9) {
    return std::nullopt;
  }
  std::int64_t value = 0;
  for (std::size_t i = 0; i < 9; ++i) {
    value = value * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  }
  return value;
}

// Of the Gregorian calendar, extended to both sides.
std::int64_t DaysSince1970(int year, int month, int day) {
  const std::int64_t shifted = month <= 2 ? year - 1 : year;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
  const std::int64_t year_of_era = shifted - era * 400;
  const std::int64_t day_of_year =
      (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

int DaysInMonth(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30,
                                         31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

// The seconds that a time zone designator is ahead of UTC.
std::optional<int> Zone(Scanner& in) {
  if (in.Take('Z')) {
    return 0;
  }
  const bool ahead = in.Take('+');
  if (!ahead && !in.Take('-')) {
    return std::nullopt;
  }
  const auto hours = in.Number(2, 0, 23);
  if (!hours || !in.Take(':')) {
    return std::nullopt;
  }
  const auto minutes = in.Number(2, 0, 59);
  if (!minutes) {
    return std::nullopt;
  }
  const int seconds = *hours * 3600 + *minutes * 60;
  return ahead ? seconds : -seconds;
}

// What follows the "T", added to the midnight in `out`.
bool AddTime(Scanner& in, Instant& out) {
  const auto hour = in.Number(2, 0, 23);
  if (!hour || !in.Take(':')) {
    return false;
  }
  const auto minute = in.Number(2, 0, 59);
  if (!minute) {
    return false;
  }
  int second = 0;
  if (in.Take(':')) {
    const auto given = in.Number(2, 0, 59);
    if (!given) {
      return false;
    }
    second = *given;
    if (in.Take('.')) {
      const auto nanoseconds = Nanoseconds(in.Digits());
      if (!nanoseconds) {
        return false;
      }
      out.nanoseconds = *nanoseconds;
    }
  }
  const auto zone = Zone(in);
  out.seconds += *hour * 3600 + *minute * 60 + second - zone.value_or(0);
  return zone.has_value();
}

std::optional<Instant> ParseDate(std::string_view text) {
  Scanner in(text);
  const auto year = in.Number(4, 0, 9999);
  if (!year) {
    return std::nullopt;
  }
  std::optional<int> month = 1;
  std::optional<int> day = 1;
  bool has_day = false;
  if (in.Take('-')) {
    month = in.Number(2, 1, 12);
    if (!month) {
      return std::nullopt;
    }
    if (in.Take('-')) {
      day = in.Number(2, 1, DaysInMonth(*year, *month));
      if (!day) {
        return std::nullopt;
      }
      has_day = true;
    }
  }
  Instant out{.seconds = DaysSince1970(*year, *month, *day) * 86400};
  if (has_day && in.Take('T') && !AddTime(in, out)) {
    return std::nullopt;
  }
  return in.done() ? std::optional(out) : std::nullopt;
}

std::optional<Instant> ParseEpoch(std::string_view text) {
  constexpr std::size_t kMostDigits = 15;
  Scanner in(text);
  const bool negative = in.Take('-');
  const std::string_view digits = in.Digits();
  if (digits.empty() || digits.size() > kMostDigits) {
    return std::nullopt;
  }
  Instant out;
  for (const char c : digits) {
    out.seconds = out.seconds * 10 + (c - '0');
  }
  if (in.Take('.')) {
    const auto nanoseconds = Nanoseconds(in.Digits());
    if (!nanoseconds) {
      return std::nullopt;
    }
    out.nanoseconds = *nanoseconds;
  }
  if (negative) {
    out.seconds = -out.seconds;
    if (out.nanoseconds != 0) {
      --out.seconds;
      out.nanoseconds = 1'000'000'000 - out.nanoseconds;
    }
  }
  return in.done() ? std::optional(out) : std::nullopt;
}

// A number without leading zeros.
std::optional<int> SmallNumber(std::string_view text, int high) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0') ||
      !std::ranges::all_of(text, IsDigit)) {
    return std::nullopt;
  }
  int value = 0;
  for (const char c : text) {
    value = value * 10 + (c - '0');
  }
  return value <= high ? std::optional(value) : std::nullopt;
}

bool ParseV4(std::string_view text, std::uint8_t* out) {
  for (int i = 0; i < 4; ++i) {
    const std::size_t dot = text.find('.');
    if ((dot == std::string_view::npos) != (i == 3)) {
      return false;
    }
    const auto part = SmallNumber(text.substr(0, dot), 255);
    if (!part) {
      return false;
    }
    out[i] = static_cast<std::uint8_t>(*part);
    text = i == 3 ? std::string_view() : text.substr(dot + 1);
  }
  return true;
}

std::optional<unsigned> HexGroup(std::string_view text) {
  if (text.empty() || text.size() > 4) {
    return std::nullopt;
  }
  unsigned value = 0;
  for (const char c : text) {
    const char lower = Folded(0, c);
    if (!IsDigit(lower) && (lower < 'a' || lower > 'f')) {
      return std::nullopt;
    }
    value = value << 4 | static_cast<unsigned>(
                             IsDigit(lower) ? lower - '0' : lower - 'a' + 10);
  }
  return value;
}

// The bytes of groups between colons; the last may be an IPv4 address. How many
// bytes, or -1. `text` without "::".
int ParseGroups(std::string_view text, std::uint8_t* out, int room) {
  int used = 0;
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    const bool last = colon == std::string_view::npos;
    if (last && group.find('.') != std::string_view::npos) {
      return used + 4 <= room && ParseV4(group, out + used) ? used + 4 : -1;
    }
    const auto value = HexGroup(group);
    if (!value || used + 2 > room || (!last && colon + 1 == text.size())) {
      return -1;
    }
    out[used++] = static_cast<std::uint8_t>(*value >> 8);
    out[used++] = static_cast<std::uint8_t>(*value & 0xFF);
    text = last ? std::string_view() : text.substr(colon + 1);
  }
  return used;
}

// RFC 4291 section 2.2.
bool ParseV6(std::string_view text, std::array<std::uint8_t, 16>& out) {
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    return ParseGroups(text, out.data(), 16) == 16;
  }
  const std::string_view head = text.substr(0, gap);
  const std::string_view tail = text.substr(gap + 2);
  // Only a whole address may end in an IPv4 address.
  if (tail.find("::") != std::string_view::npos ||
      head.find('.') != std::string_view::npos) {
    return false;
  }
  std::array<std::uint8_t, 16> end{};
  const int front = ParseGroups(head, out.data(), 14);
  const int back = front < 0 ? -1 : ParseGroups(tail, end.data(), 14 - front);
  if (back < 0) {
    return false;
  }
  std::copy(end.begin(), end.begin() + back, out.end() - back);
  return true;
}

}  // namespace

std::optional<Decimal> Decimal::Parse(std::string_view text) {
  Scanner in(text);
  Decimal out{.negative = in.Take('-'), .integer = in.Digits()};
  if (out.integer.empty()) {
    return std::nullopt;
  }
  if (in.Take('.')) {
    out.fraction = in.Digits();
    if (out.fraction.empty()) {
      return std::nullopt;
    }
  }
  if (!in.done()) {
    return std::nullopt;
  }
  while (out.integer.starts_with('0')) {
    out.integer.remove_prefix(1);
  }
  while (out.fraction.ends_with('0')) {
    out.fraction.remove_suffix(1);
  }
  out.negative = out.negative && !(out.integer.empty() && out.fraction.empty());
  return out;
}

std::strong_ordering Compare(const Decimal& a, const Decimal& b) {
  if (a.negative != b.negative) {
    return a.negative ? std::strong_ordering::less
                      : std::strong_ordering::greater;
  }
  const Decimal& low = a.negative ? b : a;
  const Decimal& high = a.negative ? a : b;
  if (low.integer.size() != high.integer.size()) {
    return low.integer.size() <=> high.integer.size();
  }
  const int integers = low.integer.compare(high.integer);
  // A shorter fraction is smaller where it is the start of the other one.
  const int order =
      integers != 0 ? integers : low.fraction.compare(high.fraction);
  return order <=> 0;
}

std::optional<Instant> Instant::Parse(std::string_view text) {
  const bool plain =
      text.find_first_not_of("0123456789.") == std::string_view::npos;
  const bool year =
      text.size() == 4 && text.find('.') == std::string_view::npos;
  if ((plain && !year) || text.starts_with('-')) {
    return ParseEpoch(text);
  }
  return ParseDate(text);
}

std::optional<bool> ParseBool(std::string_view text) {
  if (FoldsTo(text, "true")) {
    return true;
  }
  return FoldsTo(text, "false") ? std::optional(false) : std::nullopt;
}

bool IsBase64(std::string_view text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0) {
    return false;
  }
  const std::size_t padding = text.ends_with("==")  ? 2
                              : text.ends_with('=') ? 1
                                                    : 0;
  text.remove_suffix(padding);
  if (text.find_first_not_of(kAlphabet) != std::string_view::npos) {
    return false;
  }
  // Bits of the last character that stand for nothing are zero.
  const std::size_t last = padding == 0 ? 0 : kAlphabet.find(text.back());
  return last % (std::size_t{1} << 2 * padding) == 0;
}

std::optional<IpRange> IpRange::Parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  IpRange out;
  out.is_v6 = address.find(':') != std::string_view::npos;
  const bool good = out.is_v6 ? ParseV6(address, out.address)
                              : ParseV4(address, out.address.data());
  if (!good) {
    return std::nullopt;
  }
  const int bits = out.is_v6 ? 128 : 32;
  out.prefix = bits;
  if (slash != std::string_view::npos) {
    const auto prefix = SmallNumber(text.substr(slash + 1), bits);
    if (!prefix) {
      return std::nullopt;
    }
    out.prefix = *prefix;
  }
  return out;
}

bool IpRange::Contains(const IpRange& other) const {
  if (is_v6 != other.is_v6 || other.prefix < prefix) {
    return false;
  }
  const auto whole = static_cast<std::size_t>(prefix / 8);
  if (!std::equal(address.begin(), address.begin() + whole,
                  other.address.begin())) {
    return false;
  }
  const int left = prefix % 8;
  const int mask = 0xFF00 >> left & 0xFF;
  return left == 0 || ((address[whole] ^ other.address[whole]) & mask) == 0;
}

}  // namespace policy
