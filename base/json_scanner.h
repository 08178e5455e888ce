// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_JSON_SCANNER_H_
#define BASE_JSON_SCANNER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/wiping.h"

namespace base {

enum class JsonToken : std::uint8_t {
  kBeginObject,
  kEndObject,
  kBeginArray,
  kEndArray,
  kColon,
  kComma,
  kString,
  kNumber,
  kTrue,
  kFalse,
  kNull,
  kEnd,
  kBad,  // None of RFC 8259.
};

// A JsonScanner takes one JSON text apart. Strings are copied run by run, and
// only into memory that is wiped: they may be plaintext. Not synchronised;
// borrows the text.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : text_(text) {}

  JsonToken Next();

  // How many bytes have been read. Looking beyond the end counts as one.
  std::size_t position() const { return at_; }

  // What a kString says; it is taken out.
  WipingString TakeString() { return std::move(string_); }
  // How a kNumber is written.
  std::string_view number() const { return number_; }

 private:
  int Get();  // The next byte; -1 at the end.
  JsonToken ReadRest(std::string_view rest, JsonToken token);
  JsonToken ReadNumber(int first);
  JsonToken ReadString();
  bool ReadEscape();
  bool ReadUnicodeEscape();
  int ReadFourDigits();
  bool ReadUtf8();

  std::string_view text_;
  std::size_t at_ = 0;
  WipingString string_;
  std::string_view number_;
};

}  // namespace base

#endif  // BASE_JSON_SCANNER_H_
