// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/tags.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace kms::operations {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kReserved = "aws:";

char LowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::vector<Tag> ReadTags(const Call& call) {
  std::vector<Tag> tags;
  if (const base::Json* const list = call.Find("Tags")) {
    for (const base::Json& item : *list) {
      tags.push_back({std::string(base::TextOf(item.at("TagKey"))),
                      std::string(base::TextOf(item.at("TagValue")))});
    }
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
