// SPDX-License-Identifier: Apache-2.0
#include "base/sigv4_time.h"

#include <algorithm>

namespace base {
namespace {

void PutDigits(unsigned value, char* first, std::size_t count) {
  for (std::size_t i = count; i-- > 0; value /= 10) {
    first[i] = static_cast<char>('0' + value % 10);
  }
}

unsigned TakeDigits(std::string_view text, std::size_t first,
                    std::size_t count) {
  unsigned value = 0;
  for (const char c : text.substr(first, count)) {
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

// Whether `text` is eight digits, 'T', six digits, 'Z'.
bool HasForm(std::string_view text) {
  constexpr std::string_view kForm = "00000000T000000Z";
  return std::equal(text.begin(), text.end(), kForm.begin(), kForm.end(),
                    [](char c, char form) {
                      return form == '0' ? c >= '0' && c <= '9' : c == form;
                    });
}

Error NotAmzDate() {
  return {ErrorCode::kIncompleteSignature,
          "Date must be in ISO-8601 'basic format' (YYYYMMDD'T'HHMMSS'Z')."};
}

}  // namespace

AmzDate FormatAmzDate(WallTime time) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(second - day);
  AmzDate out{{"00000000T000000"}};
  char* const digits = out.digits.data();
  PutDigits(static_cast<unsigned>(static_cast<int>(date.year())), digits, 4);
  PutDigits(static_cast<unsigned>(date.month()), digits + 4, 2);
  PutDigits(static_cast<unsigned>(date.day()), digits + 6, 2);
  PutDigits(static_cast<unsigned>(clock.hours().count()), digits + 9, 2);
  PutDigits(static_cast<unsigned>(clock.minutes().count()), digits + 11, 2);
  PutDigits(static_cast<unsigned>(clock.seconds().count()), digits + 13, 2);
  out.digits[15] = 'Z';
  return out;
}

Result<std::chrono::sys_seconds> ParseAmzDate(std::string_view text) {
  if (!HasForm(text)) {
    return NotAmzDate();
  }
  const std::chrono::year_month_day date(
      std::chrono::year(static_cast<int>(TakeDigits(text, 0, 4))),
      std::chrono::month(TakeDigits(text, 4, 2)),
      std::chrono::day(TakeDigits(text, 6, 2)));
  const unsigned hour = TakeDigits(text, 9, 2);
  const unsigned minute = TakeDigits(text, 11, 2);
  const unsigned second = TakeDigits(text, 13, 2);
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) {
    return NotAmzDate();
  }
  return std::chrono::sys_days(date) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second);
}

}  // namespace base
