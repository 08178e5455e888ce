// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json_scanner.h"
#include "base/utf8.h"

namespace base {
namespace {

constexpr std::size_t kMaxDepth = 32;

// Whether `text` is a T, which `out` then is.
template <typename T>
bool ReadInteger(std::string_view text, Json& out) {
  const char* const end = text.data() + text.size();
  T value = 0;
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end) {
    return false;
  }
  out = value;
  return true;
}

// A Parser makes a Json of one text. What is refused beyond RFC 8259 is refused
// while it is read.
class Parser {
 public:
  explicit Parser(std::string_view text) : scanner_(text) {}

  Result<Json> Parse() {
    Json root;
    if (!ReadValue(scanner_.Next(), root) ||
        !Require(scanner_.Next() == JsonToken::kEnd)) {
      return Error{ErrorCode::kSerialization, std::move(problem_)};
    }
    return root;
  }

 private:
  bool ReadValue(JsonToken token, Json& out) {
    switch (token) {
      case JsonToken::kBeginObject:
        return Nested(&Parser::ReadObject, out);
      case JsonToken::kBeginArray:
        return Nested(&Parser::ReadArray, out);
      case JsonToken::kString:
        out = scanner_.TakeString();
        return true;
      case JsonToken::kNumber:
        return ReadNumber(out);
      case JsonToken::kTrue:
      case JsonToken::kFalse:
        out = token == JsonToken::kTrue;
        return true;
      case JsonToken::kNull:
        return true;  // As it was made.
      default:
        return Require(false);
    }
  }

  bool Nested(bool (Parser::*read)(Json& out), Json& out) {
    if (depth_ == kMaxDepth) {
      return Fail("nested deeper than " + std::to_string(kMaxDepth));
    }
    ++depth_;
    const bool good = (this->*read)(out);
    --depth_;
    return good;
  }

  bool ReadObject(Json& out) {
    out = Json::object();
    JsonToken token = scanner_.Next();
    while (token != JsonToken::kEndObject) {
      if (!Require(token == JsonToken::kString)) {
        return false;
      }
      const auto [member, added] = out.emplace(scanner_.TakeString(), nullptr);
      if (!added) {
        return Fail("an object names a key twice");
      }
      if (!Require(scanner_.Next() == JsonToken::kColon) ||
          !ReadValue(scanner_.Next(), *member) ||
          !ReadSeparator(JsonToken::kEndObject, token)) {
        return false;
      }
    }
    return true;
  }

  bool ReadArray(Json& out) {
    out = Json::array();
    JsonToken token = scanner_.Next();
    while (token != JsonToken::kEndArray) {
      out.push_back(nullptr);
      if (!ReadValue(token, out.back()) ||
          !ReadSeparator(JsonToken::kEndArray, token)) {
        return false;
      }
    }
    return true;
  }

  // Reads the comma after a value and the token after that, which may not be
  // `end`; or `end` itself.
  bool ReadSeparator(JsonToken end, JsonToken& token) {
    token = scanner_.Next();
    if (token == JsonToken::kComma) {
      token = scanner_.Next();
      return Require(token != end);
    }
    return Require(token == end);
  }

  // What is no integer that fits is rare enough for nlohmann's own reader.
  bool ReadNumber(Json& out) {
    const std::string_view text = scanner_.number();
    if (text.front() == '-' ? ReadInteger<std::int64_t>(text, out)
                            : ReadInteger<std::uint64_t>(text, out)) {
      return true;
    }
    out = Json::parse(text.begin(), text.end(), nullptr, false);
    return Require(!out.is_discarded());  // As 1e400 is.
  }

  bool Require(bool good) {
    return good ||
           Fail("not JSON at byte " + std::to_string(scanner_.position()));
  }

  bool Fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  JsonScanner scanner_;
  std::size_t depth_ = 0;
  std::string problem_;
};

void AppendControl(unsigned char c, WipingString& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default:
      out.append("\\u00");
      out.push_back(kHex[c >> 4]);
      out.push_back(kHex[c & 0x0F]);
  }
}

bool IsPlain(unsigned char c) {
  return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

}  // namespace

Result<Json> ParseJson(std::string_view text) {
  // Nowhere in a JSON text, so it is told before anything else.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    return Error{ErrorCode::kSerialization,
                 "not JSON at byte " + std::to_string(nul + 1)};
  }
  return Parser(text).Parse();
}

std::string_view TextOf(const Json& value) {
  return value.get_ref<const Json::string_t&>();
}

void AppendJsonEscaped(std::string_view text, WipingString& out) {
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() &&
           IsPlain(static_cast<unsigned char>(text[plain]))) {
      ++plain;
    }
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) {
      return;
    }
    const auto c = static_cast<unsigned char>(text.front());
    std::size_t used = 1;
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(c));
    } else if (c < 0x20 || c == 0x7F) {
      AppendControl(c, out);
    } else if (used = Utf8Length(text); used > 0) {
      out.append(text.substr(0, used));
    } else {
      out.append("\xEF\xBF\xBD");
      used = 1;
    }
    text.remove_prefix(used);
  }
}

}  // namespace base
