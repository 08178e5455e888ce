// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/explain/recorded_input.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace kms::operations {
namespace {

using base::Json;

bool HoldsStrings(const Json& value) {
  return std::ranges::all_of(value,
                             [](const Json& item) { return item.is_string(); });
}

// {"team":"blue"} as a list of tags, whose two members `shape` names.
Json TagsOf(const Shape& shape, const Json& pairs) {
  Json tags = Json::array();
  if (shape.members.size() != 2) {
    return tags;
  }
  for (const auto& [key, value] : pairs.items()) {
    Json tag = Json::object();
    tag[base::WipingString(shape.members[0].name)] = key;
    tag[base::WipingString(shape.members[1].name)] = value;
    tags.push_back(std::move(tag));
  }
  return tags;
}

// Null: it is not what the shape says.
Json ValueOf(const Shape& shape, const Json& value) {
  switch (shape.type) {
    case Type::kString:
      return value.is_string() ? value : Json();
    case Type::kInteger:
      return value.is_number_integer() ? value : Json();
    case Type::kBoolean:
      return value.is_boolean() ? value : Json();
    case Type::kStringMap:
      return value.is_object() && HoldsStrings(value) ? value : Json();
    case Type::kList:
      if (value.is_object() && HoldsStrings(value)) {
        return TagsOf(*shape.item, value);
      }
      return value.is_array() && HoldsStrings(value) ? value : Json();
    case Type::kBlob:
    case Type::kConditions:
    case Type::kStructure:
    case Type::kTimestamp:
      return {};
  }
  return {};
}

const GivenKey* Find(const std::vector<GivenKey>& keys, std::string_view name) {
  const auto found = std::ranges::find(keys, name, &GivenKey::name);
  return found == keys.end() || found->values.empty() ? nullptr : &*found;
}

}  // namespace

Json InputOfParameters(const Json& parameters,
                       std::span<const Member> members) {
  Json input = Json::object();
  for (const Member& member : members) {
    base::WipingString name(member.name);
    name[0] = static_cast<char>(name[0] - 'A' + 'a');
    const auto found =
        parameters.is_object() ? parameters.find(name) : parameters.end();
    if (found == parameters.end()) {
      continue;
    }
    Json value = ValueOf(*member.shape, *found);
    if (!value.is_null()) {
      input[base::WipingString(member.name)] = std::move(value);
    }
  }
  return input;
}

void PutConstraints(const std::vector<GivenKey>& context, Json& input) {
  constexpr std::string_view kPair = "kms:EncryptionContext:";
  Json constraints = Json::object();
  if (const GivenKey* const type = Find(context, "kms:GrantConstraintType")) {
    Json& pairs = constraints[base::WipingString(type->values.front())];
    pairs = Json::object();
    for (const GivenKey& key : context) {
      if (key.name.starts_with(kPair) && !key.values.empty()) {
        pairs[base::WipingString(key.name.substr(kPair.size()))] =
            base::WipingString(key.values.front());
      }
    }
  }
  if (const GivenKey* const source =
          Find(context, "kms:GrantConstraintSourceArn")) {
    constraints["SourceArn"] = base::WipingString(source->values.front());
  }
  if (!constraints.empty()) {
    input["Constraints"] = std::move(constraints);
  }
}

}  // namespace kms::operations
