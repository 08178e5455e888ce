// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_TAGS_H_
#define KMS_OPERATIONS_TAGS_H_

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kms/operations/call.h"

// AWS KMS Developer Guide, "Tags in AWS KMS".
namespace kms::operations {

inline constexpr std::size_t kMaxTagsPerKey = 50;

// A TagView is a tag as it stands in a request.
struct TagView {
  std::string_view key;
  std::string_view value;
};

// The tag that `value` is by `shape`, whose two members are its key and its
// value: AWS KMS calls them TagKey and TagValue, IAM and STS Key and Value.
// Nothing if `value` is no such tag.
std::optional<TagView> ViewTag(const Shape& shape, const base::Json& value);

// The tags in member Tags, in order; empty if absent.
std::vector<TagView> ViewTags(const Call& call);
std::vector<Tag> ReadTags(const Call& call);

// Fails with kTag for reserved or repeated keys, or too many of them.
base::Status CheckTags(const std::vector<Tag>& tags);

// Fails with kTag if `key` begins with "aws:", in any case.
base::Status CheckTagKey(std::string_view key);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_TAGS_H_
