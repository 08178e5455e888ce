// SPDX-License-Identifier: Apache-2.0
#include "policy/json.h"

#include <algorithm>
#include <array>

#include "policy/text.h"

namespace policy {
namespace {

constexpr int kMaxDepth = 32;  // As base::ParseJson.

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// What a string may hold as it stands, and that without a look at its
// neighbours: ASCII but for control characters, quotes and backslashes.
constexpr std::array<bool, 256> MakePlain() {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x80; ++c) {
    plain[c] = c != '"' && c != '\\';
  }
  return plain;
}
constexpr std::array<bool, 256> kPlain = MakePlain();

int HexValue(char c) {
  if (IsDigit(c)) {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

// Reads one text by recursive descent; the depth is bounded.
class JsonParser {
 public:
  explicit JsonParser(std::string_view text) : text_(text), rest_(text) {}

  std::optional<JsonText> Parse() {
    out_.nodes_.reserve(16 + text_.size() / 12);
    SkipSpace();
    if (!Value({}, 0)) {
      return std::nullopt;
    }
    SkipSpace();
    if (!rest_.empty()) {
      return std::nullopt;
    }
    return std::move(out_);
  }

 private:
  using Kind = JsonNode::Kind;

  void SkipSpace() {
    std::size_t i = 0;
    while (i < rest_.size() && (rest_[i] == ' ' || rest_[i] == '\n' ||
                                rest_[i] == '\r' || rest_[i] == '\t')) {
      ++i;
    }
    rest_.remove_prefix(i);
  }

  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  std::uint32_t AddNode(Kind kind, std::string_view key) {
    out_.nodes_.push_back({.kind = kind, .key = key});
    return static_cast<std::uint32_t>(out_.nodes_.size() - 1);
  }

  bool Value(std::string_view key, int depth) {
    if (rest_.empty()) {
      return false;
    }
    switch (rest_.front()) {
      case '{':
        return Container(Kind::kObject, key, depth);
      case '[':
        return Container(Kind::kArray, key, depth);
      case '"': {
        const auto text = String();
        if (text) {
          out_.nodes_[AddNode(Kind::kString, key)].text = *text;
        }
        return text.has_value();
      }
      case 't':
        return Word("true", Kind::kBoolean, key);
      case 'f':
        return Word("false", Kind::kBoolean, key);
      case 'n':
        return Word("null", Kind::kNull, key);
      default:
        return Number(key);
    }
  }

  bool Word(std::string_view word, Kind kind, std::string_view key) {
    if (!rest_.starts_with(word)) {
      return false;
    }
    out_.nodes_[AddNode(kind, key)].text = rest_.substr(0, word.size());
    rest_.remove_prefix(word.size());
    return true;
  }

  bool Digits() {
    const std::size_t before = rest_.size();
    while (!rest_.empty() && IsDigit(rest_.front())) {
      rest_.remove_prefix(1);
    }
    return rest_.size() != before;
  }

  bool Number(std::string_view key) {
    const std::string_view start = rest_;
    Take('-');
    if (!Take('0') && !Digits()) {
      return false;
    }
    if (Take('.') && !Digits()) {
      return false;
    }
    if (Take('e') || Take('E')) {
      if (!Take('+')) {
        Take('-');
      }
      if (!Digits()) {
        return false;
      }
    }
    out_.nodes_[AddNode(Kind::kNumber, key)].text =
        start.substr(0, start.size() - rest_.size());
    return true;
  }

  bool Container(Kind kind, std::string_view key, int depth) {
    if (depth == kMaxDepth) {
      return false;
    }
    const std::string_view start = rest_;
    const char close = kind == Kind::kObject ? '}' : ']';
    rest_.remove_prefix(1);
    const std::uint32_t self = AddNode(kind, key);
    SkipSpace();
    std::uint32_t last = JsonNode::kNone;
    bool more = !Take(close);
    while (more) {
      if (!Child(kind, depth)) {
        return false;
      }
      Link(self, last);
      SkipSpace();
      more = Take(',');
      if (!more && !Take(close)) {
        return false;
      }
      SkipSpace();
    }
    out_.nodes_[self].text = start.substr(0, start.size() - rest_.size());
    return kind == Kind::kArray || HasUniqueKeys(self);
  }

  // Leaves the child's index in child_.
  bool Child(Kind kind, int depth) {
    std::string_view key;
    if (kind == Kind::kObject) {
      const auto name = String();
      if (!name) {
        return false;
      }
      key = *name;
      SkipSpace();
      if (!Take(':')) {
        return false;
      }
      SkipSpace();
    }
    const auto child = static_cast<std::uint32_t>(out_.nodes_.size());
    const bool good = Value(key, depth + 1);
    child_ = child;
    return good;
  }

  void Link(std::uint32_t parent, std::uint32_t& last) {
    (last == JsonNode::kNone ? out_.nodes_[parent].first
                             : out_.nodes_[last].next) = child_;
    last = child_;
    ++out_.nodes_[parent].size;
  }

  bool HasUniqueKeys(std::uint32_t object) const {
    constexpr std::uint32_t kFew = 16;
    const JsonNode& node = out_.nodes_[object];
    return node.size <= kFew ? FewKeysDiffer(node) : ManyKeysDiffer(node);
  }

  bool FewKeysDiffer(const JsonNode& object) const {
    const auto& nodes = out_.nodes_;
    for (std::uint32_t i = object.first; i != JsonNode::kNone;
         i = nodes[i].next) {
      for (std::uint32_t j = nodes[i].next; j != JsonNode::kNone;
           j = nodes[j].next) {
        if (nodes[i].key == nodes[j].key) {
          return false;
        }
      }
    }
    return true;
  }

  bool ManyKeysDiffer(const JsonNode& object) const {
    std::vector<std::string_view> keys;
    keys.reserve(object.size);
    out_.AllOf(object, [&](const JsonNode& member) {
      keys.push_back(member.key);
      return true;
    });
    std::ranges::sort(keys);
    return std::ranges::adjacent_find(keys) == keys.end();
  }

  std::optional<std::string_view> String() {
    if (!Take('"')) {
      return std::nullopt;
    }
    std::size_t i = 0;
    while (i < rest_.size() && kPlain[static_cast<unsigned char>(rest_[i])]) {
      ++i;
    }
    if (i < rest_.size() && rest_[i] == '"') {
      const std::string_view whole = rest_.substr(0, i);
      rest_.remove_prefix(i + 1);
      return whole;
    }
    return SlowString();
  }

  // With escapes, or with characters beyond ASCII.
  std::optional<std::string_view> SlowString() {
    // What a string's escapes stand for is never longer than they are.
    out_.unescaped_.reserve(text_.size());
    const std::size_t start = out_.unescaped_.size();
    while (!rest_.empty() && rest_.front() != '"') {
      const bool good = rest_.front() == '\\' ? Escape() : Character();
      if (!good) {
        return std::nullopt;
      }
    }
    if (!Take('"')) {
      return std::nullopt;
    }
    return std::string_view(out_.unescaped_.data() + start,
                            out_.unescaped_.size() - start);
  }

  bool Character() {
    const std::size_t length = Utf8Length(rest_);
    if (length == 0 || static_cast<unsigned char>(rest_.front()) < 0x20) {
      return false;
    }
    out_.unescaped_.insert(out_.unescaped_.end(), rest_.begin(),
                           rest_.begin() + static_cast<std::ptrdiff_t>(length));
    rest_.remove_prefix(length);
    return true;
  }

  bool Escape() {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    rest_.remove_prefix(1);
    if (Take('u')) {
      return UnicodeEscape();
    }
    const std::size_t at =
        rest_.empty() ? std::string_view::npos : kNames.find(rest_.front());
    if (at == std::string_view::npos) {
      return false;
    }
    out_.unescaped_.push_back(kMeanings[at]);
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<std::uint32_t> FourHexDigits() {
    if (rest_.size() < 4) {
      return std::nullopt;
    }
    std::uint32_t value = 0;
    for (const char c : rest_.substr(0, 4)) {
      const int digit = HexValue(c);
      if (digit < 0) {
        return std::nullopt;
      }
      value = value << 4 | static_cast<std::uint32_t>(digit);
    }
    rest_.remove_prefix(4);
    return value;
  }

  bool UnicodeEscape() {
    const auto first = FourHexDigits();
    if (!first || (*first >= 0xDC00 && *first <= 0xDFFF)) {
      return false;
    }
    if (*first < 0xD800 || *first > 0xDBFF) {
      AppendUtf8(*first);
      return true;
    }
    if (!rest_.starts_with("\\u")) {
      return false;
    }
    rest_.remove_prefix(2);
    const auto second = FourHexDigits();
    if (!second || *second < 0xDC00 || *second > 0xDFFF) {
      return false;
    }
    AppendUtf8(0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00));
    return true;
  }

  void AppendUtf8(std::uint32_t code) {
    const auto push = [&](std::uint32_t byte) {
      out_.unescaped_.push_back(static_cast<char>(byte));
    };
    if (code < 0x80) {
      push(code);
      return;
    }
    if (code < 0x800) {
      push(0xC0 | code >> 6);
    } else {
      if (code < 0x10000) {
        push(0xE0 | code >> 12);
      } else {
        push(0xF0 | code >> 18);
        push(0x80 | (code >> 12 & 0x3F));
      }
      push(0x80 | (code >> 6 & 0x3F));
    }
    push(0x80 | (code & 0x3F));
  }

  std::string_view text_;
  std::string_view rest_;
  std::uint32_t child_ = 0;
  JsonText out_;
};

std::optional<JsonText> JsonText::Parse(std::string_view text) {
  return JsonParser(text).Parse();
}

const JsonNode* JsonText::Find(const JsonNode& object,
                               std::string_view key) const {
  if (!object.is_object()) {
    return nullptr;
  }
  for (std::uint32_t i = object.first; i != JsonNode::kNone;
       i = nodes_[i].next) {
    if (nodes_[i].key == key) {
      return &nodes_[i];
    }
  }
  return nullptr;
}

}  // namespace policy
