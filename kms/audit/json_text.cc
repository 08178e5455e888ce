// SPDX-License-Identifier: Apache-2.0
#include "kms/audit/json_text.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>

namespace kms::audit {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// What stands for each ASCII byte: 0 is itself, 'u' the \u00XX form, any other
// character follows a backslash. Bytes from 0x80 are marked for the UTF-8
// check.
constexpr char kPlain = 0;
constexpr char kUtf8 = 1;
constexpr std::array<char, 256> kEscapes = [] {
  std::array<char, 256> table{};
  for (std::size_t i = 0; i < 0x20; ++i) {
    table[i] = 'u';
  }
  for (std::size_t i = 0x80; i < 256; ++i) {
    table[i] = kUtf8;
  }
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  table['"'] = '"';
  table['\\'] = '\\';
  table[0x7f] = 'u';
  return table;
}();

// Unicode 15, table 3-7: which second bytes may follow which first bytes.
struct Utf8Row {
  std::uint8_t first_low, first_high;
  std::uint8_t second_low, second_high;
  std::uint8_t size;
};
constexpr std::array<Utf8Row, 8> kUtf8Rows = {{
    {0xC2, 0xDF, 0x80, 0xBF, 2},
    {0xE0, 0xE0, 0xA0, 0xBF, 3},
    {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3},
    {0xEE, 0xEF, 0x80, 0xBF, 3},
    {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4},
    {0xF4, 0xF4, 0x80, 0x8F, 4},
}};

struct Utf8Part {
  std::size_t size;  // Bytes that belong together, at least 1.
  bool whole;        // They are one code point.
};

Utf8Part TakeUtf8(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint8_t>(text[i]);
  };
  for (const Utf8Row& row : kUtf8Rows) {
    if (byte(0) < row.first_low || byte(0) > row.first_high) {
      continue;
    }
    std::size_t size = 1;
    for (; size < row.size && size < text.size(); ++size) {
      const std::uint8_t low = size == 1 ? row.second_low : 0x80;
      const std::uint8_t high = size == 1 ? row.second_high : 0xBF;
      if (byte(size) < low || byte(size) > high) {
        break;
      }
    }
    return {size, size == row.size};
  }
  return {1, false};
}

void AppendEscape(char byte, char escape, TextBuffer& out) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  out.Add('\\');
  out.Add(escape);
  if (escape == 'u') {
    const auto value = static_cast<std::uint8_t>(byte);
    out.Add("00");
    out.Add(kHex[value >> 4]);
    out.Add(kHex[value & 15]);
  }
}

// Whether none of the 8 bytes needs an escape or a look at its UTF-8. May also
// say no for the sake of a neighbour: then they are looked at one by one.
bool AllPlain(std::uint64_t bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = kOnes * 0x80;
  // Has its highest bit set, below the first high bit of x, where x is zero.
  const auto zeros = [](std::uint64_t x) { return (x - kOnes) & ~x; };
  const std::uint64_t special = bytes | (bytes + kOnes)  // From 0x7f on.
                                | (bytes - kOnes * 0x20) |
                                zeros(bytes ^ kOnes * '"') |
                                zeros(bytes ^ kOnes * '\\');
  return (special & kHighs) == 0;
}

template <typename Word>
Word LoadAt(std::string_view text, std::size_t at) {
  Word word = 0;
  std::memcpy(&word, text.data() + at, sizeof(word));
  return word;
}

// As most texts are. The last eight bytes, or the last four of fewer than
// eight, may overlap those before.
bool IsPlain(std::string_view text) {
  const std::size_t size = text.size();
  if (size >= 8) {
    for (std::size_t i = 0; i + 8 < size; i += 8) {
      if (!AllPlain(LoadAt<std::uint64_t>(text, i))) {
        return false;
      }
    }
    return AllPlain(LoadAt<std::uint64_t>(text, size - 8));
  }
  if (size >= 4) {
    const std::uint64_t front = LoadAt<std::uint32_t>(text, 0);
    return AllPlain(front << 32 | LoadAt<std::uint32_t>(text, size - 4));
  }
  return std::all_of(text.begin(), text.end(), [](char c) {
    return kEscapes[static_cast<std::uint8_t>(c)] == kPlain;
  });
}

void AppendEscaped(std::string_view text, TextBuffer& out) {
  std::size_t plain = 0;  // Where the run of bytes to copy as they are began.
  std::size_t i = 0;
  while (i < text.size()) {
    const char escape = kEscapes[static_cast<std::uint8_t>(text[i])];
    if (escape == kPlain) {
      ++i;
      continue;
    }
    Utf8Part part{1, false};
    if (escape == kUtf8) {
      part = TakeUtf8(text.substr(i));
      if (part.whole) {
        i += part.size;
        continue;
      }
    }
    out.Add(text.substr(plain, i - plain));
    if (escape == kUtf8) {
      out.Add(kReplacement);
    } else {
      AppendEscape(text[i], escape, out);
    }
    i += part.size;
    plain = i;
  }
  out.Add(text.substr(plain));
}

struct Digits {
  std::array<char, 24> text;
  std::size_t size;

  std::string_view view() const { return {text.data(), size}; }
};

template <typename T>
Digits DigitsOf(T value) {
  Digits digits{};
  char* const begin = digits.text.data();
  const char* const end =
      std::to_chars(begin, begin + digits.text.size(), value).ptr;
  digits.size = static_cast<std::size_t>(end - begin);
  return digits;
}

using TimeText = std::array<char, 20>;

TimeText TimeTextOf(base::WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto days = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(seconds - days);
  TimeText text = {'0', '0', '0', '0', '-', '0', '0', '-', '0', '0',
                   'T', '0', '0', ':', '0', '0', ':', '0', '0', 'Z'};
  const auto put = [&](std::size_t last, std::size_t digits, unsigned value) {
    for (std::size_t i = 0; i < digits; ++i, value /= 10) {
      text[last - i] = static_cast<char>('0' + value % 10);
    }
  };
  put(3, 4, static_cast<unsigned>(static_cast<int>(date.year())));
  put(6, 2, static_cast<unsigned>(date.month()));
  put(9, 2, static_cast<unsigned>(date.day()));
  put(12, 2, static_cast<unsigned>(clock.hours().count()));
  put(15, 2, static_cast<unsigned>(clock.minutes().count()));
  put(18, 2, static_cast<unsigned>(clock.seconds().count()));
  return text;
}

}  // namespace

void AppendJsonString(std::string_view text, TextBuffer& out) {
  out.Add('"');
  if (IsPlain(text)) {
    out.Add(text);
  } else {
    AppendEscaped(text, out);
  }
  out.Add('"');
}

void AppendDecimal(std::uint64_t value, TextBuffer& out) {
  out.Add(DigitsOf(value).view());
}

void AppendDecimal(std::int64_t value, TextBuffer& out) {
  out.Add(DigitsOf(value).view());
}

void AppendDecimal(std::uint64_t value, std::string& out) {
  out.append(DigitsOf(value).view());
}

void AppendTime(base::WallTime time, TextBuffer& out) {
  const TimeText text = TimeTextOf(time);
  out.Add({text.data(), text.size()});
}

void AppendTime(base::WallTime time, std::string& out) {
  const TimeText text = TimeTextOf(time);
  out.append(text.data(), text.size());
}

std::optional<base::WallTime> ParseTime(const std::string& text) {
  std::tm parts{};
  const char* end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (end == nullptr || *end != '\0') {
    return std::nullopt;
  }
  return base::WallTime(std::chrono::seconds(timegm(&parts)));
}

}  // namespace kms::audit
