// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/tags.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace kms::operations {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kMember = "Tags";
constexpr std::string_view kReserved = "aws:";

char LowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::optional<TagView> ViewTag(const Shape& shape, const base::Json& value) {
  if (shape.members.size() != 2 || !value.is_object()) {
    return std::nullopt;
  }
  const auto key = value.find(shape.members[0].name);
  const auto text = value.find(shape.members[1].name);
  if (key == value.end() || !key->is_string() || text == value.end() ||
      !text->is_string()) {
    return std::nullopt;
  }
  return TagView{base::TextOf(*key), base::TextOf(*text)};
}

std::vector<TagView> ViewTags(const Call& call) {
  std::vector<TagView> tags;
  const auto member =
      std::ranges::find(call.operation.input, kMember, &Member::name);
  const base::Json* const list = call.Find(kMember);
  if (member == call.operation.input.end() || list == nullptr) {
    return tags;
  }
  for (const base::Json& item : *list) {
    if (const auto tag = ViewTag(*member->shape->item, item)) {
      tags.push_back(*tag);
    }
  }
  return tags;
}

std::vector<Tag> ReadTags(const Call& call) {
  std::vector<Tag> tags;
  for (const TagView& tag : ViewTags(call)) {
    tags.push_back({std::string(tag.key), std::string(tag.value)});
  }
  return tags;
}

base::Status CheckTagKey(std::string_view key) {
  if (key.size() >= kReserved.size() &&
      std::equal(kReserved.begin(), kReserved.end(), key.begin(),
                 [](char a, char b) { return a == LowerAscii(b); })) {
    return Error{ErrorCode::kTag, "Tags beginning with aws: are reserved"};
  }
  return {};
}

base::Status CheckTags(const std::vector<Tag>& tags) {
  if (tags.size() > kMaxTagsPerKey) {
    return Error{ErrorCode::kTag, "Too many tags"};
  }
  std::set<std::string_view> keys;
  for (const Tag& tag : tags) {
    RETURN_IF_ERROR(CheckTagKey(tag.key));
    if (!keys.insert(tag.key).second) {
      return Error{ErrorCode::kTag, "Duplicate tag keys"};
    }
  }
  return {};
}

}  // namespace kms::operations
