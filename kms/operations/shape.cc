// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "base/bytes.h"

namespace kms::operations {
namespace {

using base::Json;

// So many broken constraints are reported and counted, as AWS does.
constexpr std::size_t kMostReported = 10;

// Where a value stands in the request; printed only when something is wrong.
struct Path {
  const Path* parent = nullptr;
  std::string_view name;
  std::size_t index = 0;  // Of a list item, from 1; 0 for a member.
};

// AWS prints paths in lowerCamel, and list items as tags.1.member.tagKey.
std::string PathText(const Path& path) {
  std::string text = path.parent == nullptr ? "" : PathText(*path.parent) + ".";
  if (path.index != 0) {
    return text + std::to_string(path.index) + ".member";
  }
  const std::size_t start = text.size();
  text.append(path.name);
  if (text[start] >= 'A' && text[start] <= 'Z') {
    text[start] = static_cast<char>(text[start] - 'A' + 'a');
  }
  return text;
}

struct Checker {
  std::vector<std::string> broken;  // One sentence for each broken constraint.
  std::vector<NamedBlob>* blobs;

  base::Status Check(const Shape& shape, const Json& value, const Path& path);
  base::Status CheckMembers(std::span<const Member> members, const Json& object,
                            const Path* parent);
  base::Status CheckString(const Shape& shape, const Json& value,
                           const Path& path);
  base::Status CheckBlob(const Shape& shape, const Json& value,
                         const Path& path);
  base::Status CheckInteger(const Shape& shape, const Json& value,
                            const Path& path);
  base::Status CheckMap(const Json& value, const Path& path);
  static base::Status CheckConditions(const Json& value, const Path& path);
  base::Status CheckList(const Shape& shape, const Json& value,
                         const Path& path);

  // `shown` is empty where the value is not echoed: blobs, secrets.
  void Break(const std::string& shown, const Path& path,
             const std::string& rule) {
    if (broken.size() == kMostReported) {
      return;
    }
    broken.push_back(
        fmt::format("Value {}at '{}' failed to satisfy constraint: Member must "
                    "{}",
                    shown.empty() ? "" : shown + " ", PathText(path), rule));
  }

  // `shown` makes the text to show; only a broken constraint needs it.
  template <typename Shown>
  void CheckLength(const Shape& shape, std::size_t length, Shown shown,
                   const Path& path) {
    const auto size = static_cast<std::int64_t>(length);
    if (shape.min != kUnbounded && size < shape.min) {
      Break(shown(), path,
            fmt::format("have length greater than or equal to {}", shape.min));
    }
    if (shape.max != kUnbounded && size > shape.max) {
      Break(shown(), path,
            fmt::format("have length less than or equal to {}", shape.max));
    }
  }
};

base::Error WrongType(const Path& path, std::string_view expected) {
  return {base::ErrorCode::kSerialization,
          fmt::format("'{}' must be {}", PathText(path), expected)};
}

std::size_t CharacterCount(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(utf8, [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

// A value as messages show it. They go to the log, which a secret must not.
std::string Shown(const Shape& shape, std::string_view text) {
  return shape.audited ? fmt::format("'{}'", text) : "";
}

std::string NotShown() { return {}; }

base::Status Checker::CheckString(const Shape& shape, const Json& value,
                                  const Path& path) {
  if (!value.is_string()) {
    return WrongType(path, "a string");
  }
  const std::string_view text = base::TextOf(value);
  if (!shape.values.empty()) {
    if (std::ranges::find(shape.values, text) == shape.values.end()) {
      Break(Shown(shape, text), path,
            fmt::format("satisfy enum value set: [{}]",
                        fmt::join(shape.values, ", ")));
    }
    return {};
  }
  if (shape.min != kUnbounded || shape.max != kUnbounded) {
    CheckLength(
        shape, CharacterCount(text),
        [&shape, text] { return Shown(shape, text); }, path);
  }
  if (shape.pattern != nullptr && !shape.pattern->matches(text)) {
    Break(Shown(shape, text), path,
          fmt::format("satisfy regular expression pattern: {}",
                      shape.pattern->text));
  }
  return {};
}

base::Status Checker::CheckBlob(const Shape& shape, const Json& value,
                                const Path& path) {
  if (!value.is_string()) {
    return WrongType(path, "a string of base64");
  }
  auto bytes = base::Base64DecodeSecret(base::TextOf(value));
  if (!bytes) {
    return base::Error{
        base::ErrorCode::kSerialization,
        fmt::format("'{}' is {}", PathText(path), bytes.error().message)};
  }
  CheckLength(shape, bytes->size(), NotShown, path);
  if (path.parent == nullptr) {
    blobs->push_back({path.name, *std::move(bytes)});
  }
  return {};
}

base::Status Checker::CheckInteger(const Shape& shape, const Json& value,
                                   const Path& path) {
  if (!value.is_number_integer() ||
      (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX)) {
    return WrongType(path, "an integer");
  }
  const auto number = value.get<std::int64_t>();
  if (shape.min != kUnbounded && number < shape.min) {
    Break(Shown(shape, std::to_string(number)), path,
          fmt::format("have value greater than or equal to {}", shape.min));
  }
  if (shape.max != kUnbounded && number > shape.max) {
    Break(Shown(shape, std::to_string(number)), path,
          fmt::format("have value less than or equal to {}", shape.max));
  }
  return {};
}

base::Status Checker::CheckMap(const Json& value, const Path& path) {
  if (!value.is_object()) {
    return WrongType(path, "an object whose values are strings");
  }
  for (const Json& item : value) {
    if (!item.is_string()) {
      return WrongType(path, "an object whose values are strings");
    }
  }
  return {};
}

base::Status Checker::CheckConditions(const Json& value, const Path& path) {
  const auto is_string = [](const Json& item) { return item.is_string(); };
  const bool good =
      value.is_object() && std::ranges::all_of(value, [&](const Json& item) {
        return item.is_string() ||
               (item.is_array() && std::ranges::all_of(item, is_string));
      });
  return good ? base::Status()
              : WrongType(path,
                          "an object whose values are strings or lists of "
                          "strings");
}

base::Status Checker::CheckList(const Shape& shape, const Json& value,
                                const Path& path) {
  if (!value.is_array()) {
    return WrongType(path, "a list");
  }
  CheckLength(shape, value.size(), NotShown, path);
  if (shape.max != kUnbounded &&
      value.size() > static_cast<std::size_t>(shape.max)) {
    return {};  // Its items are not looked at, however many they are.
  }
  std::size_t index = 0;
  for (const Json& item : value) {
    const Path item_path = {&path, "", ++index};
    RETURN_IF_ERROR(Check(*shape.item, item, item_path));
  }
  return {};
}

base::Status Checker::Check(const Shape& shape, const Json& value,
                            const Path& path) {
  switch (shape.type) {
    case Type::kString:
      return CheckString(shape, value, path);
    case Type::kBlob:
      return CheckBlob(shape, value, path);
    case Type::kInteger:
      return CheckInteger(shape, value, path);
    case Type::kBoolean:
      return value.is_boolean() ? base::Status()
                                : WrongType(path, "true or false");
    case Type::kStringMap:
      return CheckMap(value, path);
    case Type::kList:
      return CheckList(shape, value, path);
    case Type::kStructure:
      return value.is_object() ? CheckMembers(shape.members, value, &path)
                               : WrongType(path, "an object");
    case Type::kTimestamp:
      return value.is_number() ? base::Status()
                               : WrongType(path, "a number of seconds");
    case Type::kConditions:
      return CheckConditions(value, path);
  }
  return WrongType(path, "something else");
}

base::Status Checker::CheckMembers(std::span<const Member> members,
                                   const Json& object, const Path* parent) {
  for (const Member& member : members) {
    const Path path = {parent, member.name};
    const auto it = object.find(member.name);
    if (it != object.end() && !it->is_null()) {
      RETURN_IF_ERROR(Check(*member.shape, *it, path));
    } else if (member.required) {
      Break("null", path, "not be null");
    }
  }
  return {};
}

}  // namespace

base::Status CheckInput(std::span<const Member> members, const Json& input,
                        std::vector<NamedBlob>& blobs) {
  if (!input.is_object()) {
    return base::Error{base::ErrorCode::kSerialization,
                       "the request body must be a JSON object"};
  }
  Checker checker{{}, &blobs};
  RETURN_IF_ERROR(checker.CheckMembers(members, input, nullptr));
  if (checker.broken.empty()) {
    return {};
  }
  return base::Error{
      base::ErrorCode::kValidation,
      fmt::format("{} validation error{} detected: {}", checker.broken.size(),
                  checker.broken.size() == 1 ? "" : "s",
                  fmt::join(checker.broken, "; "))};
}

}  // namespace kms::operations
