// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/utf8.h"

namespace base {
namespace {

constexpr std::size_t kMaxDepth = 32;

// Builds a Json from the parser's events, so that duplicate keys and depth can
// be refused while they are read.
// The names are those that nlohmann's SAX interface asks for.
// NOLINTBEGIN(readability-identifier-naming)
class Builder {
 public:
  bool null() { return Add(Json(nullptr)); }
  bool boolean(bool value) { return Add(Json(value)); }
  bool number_integer(std::int64_t value) { return Add(Json(value)); }
  bool number_unsigned(std::uint64_t value) { return Add(Json(value)); }
  // A template, because nlohmann's readers of binary formats, which are
  // compiled but never run, pass another string type than its JSON reader.
  template <typename Text>
  bool number_float(double value, const Text&) {
    return Add(Json(value));
  }
  bool string(WipingString& value) { return Add(Json(std::move(value))); }
  bool binary(Json::binary_t&) { return false; }

  bool start_object(std::size_t) { return Open(Json::object()); }
  bool end_object() { return Close(); }
  bool start_array(std::size_t) { return Open(Json::array()); }
  bool end_array() { return Close(); }

  bool key(WipingString& value) {
    const auto [it, added] = open_.back()->emplace(std::move(value), nullptr);
    if (!added) {
      problem_ = "an object names a key twice";
      return false;
    }
    slot_ = &it.value();
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) {
    problem_ = "not JSON at byte " + std::to_string(position);
    return false;
  }
  // NOLINTEND(readability-identifier-naming)

  Json TakeRoot() { return std::move(root_); }
  std::string problem() const {
    return problem_.empty() ? "not JSON" : problem_;
  }

 private:
  bool Add(Json value) {
    Place(std::move(value));
    return true;
  }

  bool Open(Json container) {
    if (open_.size() == kMaxDepth) {
      problem_ = "nested deeper than " + std::to_string(kMaxDepth);
      return false;
    }
    open_.push_back(Place(std::move(container)));
    return true;
  }

  bool Close() {
    open_.pop_back();
    return true;
  }

  // A container's address is stable while it is open: nothing is added to its
  // parent until it closes.
  Json* Place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) {
      open_.back()->push_back(std::move(value));
      return &open_.back()->back();
    }
    *slot_ = std::move(value);
    return slot_;
  }

  Json root_;
  Json* slot_ = nullptr;  // Where the value of the last key goes.
  std::vector<Json*> open_;
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
  // nlohmann passes over a byte order mark; RFC 8259 section 8.1 has none.
  if (text.starts_with("\xEF\xBB\xBF")) {
    return Error{ErrorCode::kSerialization, "not JSON at byte 1"};
  }
  // It takes a NUL for the end of the text, whatever follows.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    return Error{ErrorCode::kSerialization,
                 "not JSON at byte " + std::to_string(nul + 1)};
  }
  Builder builder;
  if (!Json::sax_parse(text.begin(), text.end(), &builder)) {
    return Error{ErrorCode::kSerialization, builder.problem()};
  }
  return builder.TakeRoot();
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
