// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/query_input.h"

#include <fmt/format.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/sigv4.h"
#include "kms/form.h"

namespace kms::operations {
namespace {

using base::Json;

constexpr std::string_view kItem = ".member.";

base::Error Wrong(std::string_view name, std::string_view expected) {
  return {base::ErrorCode::kSerialization,
          fmt::format("'{}' must be {}", name, expected)};
}

// "1", "2", ...; one spelling for each number.
std::optional<std::size_t> ItemNumber(std::string_view text) {
  std::size_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end || text.starts_with('0')) {
    return std::nullopt;
  }
  return number;
}

base::Result<Json> ReadInteger(std::string_view name, std::string_view text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end) {
    return Wrong(name, "an integer");
  }
  return Json(number);
}

base::Result<Json> ReadBoolean(std::string_view name, std::string_view text) {
  if (text != "true" && text != "false") {
    return Wrong(name, "true or false");
  }
  return Json(text == "true");
}

// Reads the parameters of `form` by the shapes. `name` is always the whole name
// of the parameter: its own part and those of what it is in.
class Reader {
 public:
  explicit Reader(const Form& form) : form_(form) {}

  // `prefix` is empty or ends in a dot.
  base::Result<Json> ReadMembers(const std::string& prefix,
                                 std::span<const Member> members) const;

 private:
  bool IsGiven(const std::string& name, const Shape& shape) const;
  base::Result<Json> Read(const std::string& name, const Shape& shape) const;
  base::Result<Json> ReadOne(const std::string& name, const Shape& shape) const;
  base::Result<Json> ReadList(const std::string& name,
                              const Shape& shape) const;
  base::Result<std::size_t> CountItems(const std::string& name) const;

  bool HasAny(std::string_view prefix) const {
    const auto next = form_.lower_bound(prefix);
    return next != form_.end() && next->first.starts_with(prefix);
  }

  const Form& form_;
};

bool Reader::IsGiven(const std::string& name, const Shape& shape) const {
  if (ParameterOf(form_, name)) {
    return true;
  }
  switch (shape.type) {
    case Type::kList:
      return HasAny(name + std::string(kItem));
    case Type::kStructure:
    case Type::kStringMap:
      return HasAny(name + ".");
    default:
      return false;
  }
}

base::Result<Json> Reader::ReadMembers(const std::string& prefix,
                                       std::span<const Member> members) const {
  Json object = Json::object();
  for (const Member& member : members) {
    const std::string name = prefix + std::string(member.name);
    if (IsGiven(name, *member.shape)) {
      ASSIGN_OR_RETURN(Json value, Read(name, *member.shape));
      object.emplace(base::WipingString(member.name), std::move(value));
    }
  }
  return object;
}

base::Result<Json> Reader::Read(const std::string& name,
                                const Shape& shape) const {
  switch (shape.type) {
    case Type::kList:
      return ReadList(name, shape);
    case Type::kStructure:
      if (ParameterOf(form_, name)) {
        return Wrong(name, "given by its members");
      }
      return ReadMembers(name + ".", shape.members);
    case Type::kStringMap:
    case Type::kTimestamp:
    case Type::kConditions:
      return Wrong(name, "left out: the Query protocol has no such values");
    default:
      return ReadOne(name, shape);
  }
}

base::Result<Json> Reader::ReadOne(const std::string& name,
                                   const Shape& shape) const {
  const auto text = ParameterOf(form_, name);
  if (!text) {
    return Wrong(name, "a single value");  // An item that has members.
  }
  switch (shape.type) {
    case Type::kInteger:
      return ReadInteger(name, *text);
    case Type::kBoolean:
      return ReadBoolean(name, *text);
    default:
      return Json(base::WipingString(*text));
  }
}

base::Result<Json> Reader::ReadList(const std::string& name,
                                    const Shape& shape) const {
  ASSIGN_OR_RETURN(const std::size_t count, CountItems(name));
  // SDKs send an empty list as an empty value.
  if (const auto text = ParameterOf(form_, name);
      text && (count > 0 || !text->empty())) {
    return Wrong(name, "a list: " + name + ".member.1 and so on");
  }
  Json list = Json::array();
  for (std::size_t number = 1; number <= count; ++number) {
    ASSIGN_OR_RETURN(Json item, Read(fmt::format("{}{}{}", name, kItem, number),
                                     *shape.item));
    list.push_back(std::move(item));
  }
  return list;
}

base::Result<std::size_t> Reader::CountItems(const std::string& name) const {
  const std::string prefix = name + std::string(kItem);
  const std::string_view view = prefix;
  std::set<std::size_t> numbers;
  for (auto it = form_.lower_bound(view);
       it != form_.end() && it->first.starts_with(view); ++it) {
    std::string_view rest = it->first;
    rest.remove_prefix(view.size());
    const auto number = ItemNumber(base::CutAt(rest, '.'));
    if (!number) {
      return Wrong(name, "a list whose items have numbers");
    }
    numbers.insert(*number);
  }
  if (!numbers.empty() && *numbers.rbegin() != numbers.size()) {
    return Wrong(name, "a list whose items are numbered from 1, without a gap");
  }
  return numbers.size();
}

}  // namespace

base::Result<Json> ReadQueryInput(std::string_view body,
                                  std::span<const Member> members) {
  ASSIGN_OR_RETURN(const Form form, ParseForm(body));
  return Reader(form).ReadMembers("", members);
}

}  // namespace kms::operations
