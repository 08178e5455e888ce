// SPDX-License-Identifier: Apache-2.0
#include "base/json_scanner.h"

#include <array>

#include "base/utf8.h"

namespace base {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsDigit(int c) { return c >= '0' && c <= '9'; }

// Whether a byte of a string stands for itself.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0x20; c < 0x80; ++c) {
    table[c] = c != '"' && c != '\\';
  }
  return table;
}();

// More than a std::string keeps inside the object, where nothing is wiped.
constexpr std::size_t kLeastCapacity = 32;

int HexValue(int c) {
  return IsDigit(c)             ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

// The character after a backslash, and what both stand for.
struct Escape {
  char letter;
  char meaning;
};
constexpr std::array<Escape, 8> kEscapes = {{{'"', '"'},
                                             {'\\', '\\'},
                                             {'/', '/'},
                                             {'b', '\b'},
                                             {'f', '\f'},
                                             {'n', '\n'},
                                             {'r', '\r'},
                                             {'t', '\t'}}};

void AppendUtf8(std::uint32_t code, WipingString& out) {
  const auto tail = [&](unsigned shift) {
    out.push_back(static_cast<char>(0x80 | (code >> shift & 0x3F)));
  };
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | code >> 12));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xF0 | code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

// How many bytes at the front of `text`, which is not UTF-8, might still have
// become a code point.
std::size_t BegunUtf8(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size()) {
    const WipingString begun(text.substr(0, size + 1));
    if (Utf8Length(WipingString(begun).append(3, '\x80')) == 0 &&
        Utf8Length(WipingString(begun).append(3, '\xBF')) == 0) {
      break;
    }
    ++size;
  }
  return size;
}

}  // namespace

int JsonScanner::Get() {
  const std::size_t at = at_++;
  return at < text_.size() ? static_cast<unsigned char>(text_[at]) : -1;
}

JsonToken JsonScanner::Next() {
  while (at_ < text_.size() && IsSpace(text_[at_])) {
    ++at_;
  }
  const int first = Get();
  switch (first) {
    case -1:
      return JsonToken::kEnd;
    case '{':
      return JsonToken::kBeginObject;
    case '}':
      return JsonToken::kEndObject;
    case '[':
      return JsonToken::kBeginArray;
    case ']':
      return JsonToken::kEndArray;
    case ':':
      return JsonToken::kColon;
    case ',':
      return JsonToken::kComma;
    case '"':
      return ReadString();
    case 't':
      return ReadRest("rue", JsonToken::kTrue);
    case 'f':
      return ReadRest("alse", JsonToken::kFalse);
    case 'n':
      return ReadRest("ull", JsonToken::kNull);
    default:
      return first == '-' || IsDigit(first) ? ReadNumber(first)
                                            : JsonToken::kBad;
  }
}

JsonToken JsonScanner::ReadRest(std::string_view rest, JsonToken token) {
  for (const char c : rest) {
    if (Get() != c) {
      return JsonToken::kBad;
    }
  }
  return token;
}

JsonToken JsonScanner::ReadNumber(int first) {
  const std::size_t begin = at_ - 1;
  int c = first == '-' ? Get() : first;
  // Reads digits, of which there must be one.
  const auto read_digits = [&] {
    const bool there = IsDigit(c);
    while (IsDigit(c)) {
      c = Get();
    }
    return there;
  };
  if (c == '0') {
    c = Get();
  } else if (!read_digits()) {
    return JsonToken::kBad;
  }
  if (c == '.') {
    c = Get();
    if (!read_digits()) {
      return JsonToken::kBad;
    }
  }
  if (c == 'e' || c == 'E') {
    c = Get();
    if (c == '+' || c == '-') {
      c = Get();
    }
    if (!read_digits()) {
      return JsonToken::kBad;
    }
  }
  --at_;  // What ends it belongs to the next token.
  number_ = text_.substr(begin, at_ - begin);
  return JsonToken::kNumber;
}

JsonToken JsonScanner::ReadString() {
  string_.clear();
  string_.reserve(kLeastCapacity);
  while (true) {
    const std::size_t run = at_;
    while (at_ < text_.size() &&
           kPlain[static_cast<unsigned char>(text_[at_])]) {
      ++at_;
    }
    string_.append(text_.substr(run, at_ - run));
    const int c = Get();
    if (c == '"') {
      return JsonToken::kString;
    }
    const bool good = c == '\\' ? ReadEscape() : c >= 0x80 && ReadUtf8();
    if (!good) {
      return JsonToken::kBad;
    }
  }
}

bool JsonScanner::ReadEscape() {
  const int letter = Get();
  if (letter == 'u') {
    return ReadUnicodeEscape();
  }
  for (const Escape& escape : kEscapes) {
    if (escape.letter == letter) {
      string_.push_back(escape.meaning);
      return true;
    }
  }
  return false;
}

// Two of them stand for a code point above U+FFFF.
bool JsonScanner::ReadUnicodeEscape() {
  const auto is_high = [](int unit) { return unit >> 10 == 0xD800 >> 10; };
  const auto is_low = [](int unit) { return unit >> 10 == 0xDC00 >> 10; };
  const int unit = ReadFourDigits();
  if (unit < 0 || is_low(unit)) {
    return false;
  }
  auto code = static_cast<std::uint32_t>(unit);
  if (is_high(unit)) {
    const int low = Get() == '\\' && Get() == 'u' ? ReadFourDigits() : -1;
    if (!is_low(low)) {
      return false;
    }
    code =
        0x10000 + ((code & 0x3FF) << 10 | (static_cast<unsigned>(low) & 0x3FF));
  }
  AppendUtf8(code, string_);
  return true;
}

int JsonScanner::ReadFourDigits() {
  int unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = HexValue(Get());
    if (digit < 0) {
      return -1;
    }
    unit = unit << 4 | digit;
  }
  return unit;
}

// Reads the code point whose first byte has just been read.
bool JsonScanner::ReadUtf8() {
  const std::string_view rest = text_.substr(at_ - 1);
  const std::size_t size = Utf8Length(rest);
  if (size == 0) {
    at_ += BegunUtf8(rest);  // Behind the byte that does not belong there.
    return false;
  }
  string_.append(rest.substr(0, size));
  at_ += size - 1;
  return true;
}

}  // namespace base
