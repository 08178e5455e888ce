// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_JSON_H_
#define POLICY_JSON_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace policy {

// One value of a JsonText. Numbers and Booleans keep their spelling, because
// the IAM policy language reads a JSON scalar as the string that was written.
struct JsonNode {
  enum class Kind : std::uint8_t {
    kNull,
    kBoolean,
    kNumber,
    kString,
    kArray,
    kObject
  };
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  Kind kind = Kind::kNull;
  std::string_view key;   // Of a member of an object, unescaped.
  std::string_view text;  // Unescaped string; raw text of everything else.
  std::uint32_t first = kNone;  // First child of an array or object.
  std::uint32_t next = kNone;   // Next sibling.
  std::uint32_t size = 0;       // Number of children.

  bool is_string() const { return kind == Kind::kString; }
  bool is_array() const { return kind == Kind::kArray; }
  bool is_object() const { return kind == Kind::kObject; }
  // What may stand where the policy language wants a string in a condition.
  bool is_scalar() const {
    return kind == Kind::kBoolean || kind == Kind::kNumber ||
           kind == Kind::kString;
  }
};

// A JsonText is a parsed JSON text of RFC 8259 that views the bytes that it was
// parsed from, which must outlive it. It takes what base::ParseJson takes (no
// duplicate keys, nesting up to 32, UTF-8, no byte order mark), and is here
// because a case of `claviger policy evaluate` must be read in microseconds.
// Immutable; safe to read from any thread.
class JsonText {
 public:
  // nullopt if `text` is refused; `base::ParseJson` finds the words for it.
  static std::optional<JsonText> Parse(std::string_view text);

  JsonText(JsonText&&) = default;
  JsonText& operator=(JsonText&&) = default;

  const JsonNode& root() const { return nodes_.front(); }

  // The member `key` of an object; nullptr if there is none.
  const JsonNode* Find(const JsonNode& object, std::string_view key) const;

  // Whether `is` holds for the key of any value in the whole text, or for any
  // string.
  template <typename Predicate>
  bool AnyText(Predicate is) const {
    return std::ranges::any_of(nodes_, [&is](const JsonNode& node) {
      return is(node.key) || (node.is_string() && is(node.text));
    });
  }

  // Calls `visit` with each child in turn until it returns false; whether all
  // returned true.
  template <typename Visit>
  bool AllOf(const JsonNode& parent, Visit visit) const {
    for (std::uint32_t i = parent.first; i != JsonNode::kNone;
         i = nodes_[i].next) {
      if (!visit(nodes_[i])) {
        return false;
      }
    }
    return true;
  }

 private:
  friend class JsonParser;
  JsonText() = default;

  std::vector<JsonNode> nodes_;
  // Holds the strings that had escapes. Reserved once and never grown, so that
  // views of it stay valid; on the heap, so that moving this object is safe.
  std::vector<char> unescaped_;
};

}  // namespace policy

#endif  // POLICY_JSON_H_
