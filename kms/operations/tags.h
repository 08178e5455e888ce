// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_TAGS_H_
#define KMS_OPERATIONS_TAGS_H_

#include <string_view>
#include <vector>

#include "base/result.h"
#include "kms/operations/call.h"

// AWS KMS Developer Guide, "Tags in AWS KMS".
namespace kms::operations {

inline constexpr std::size_t kMaxTagsPerKey = 50;

// The tags in member Tags, in order; empty if absent.
std::vector<Tag> ReadTags(const Call& call);

// Fails with kTag for reserved or repeated keys, or too many of them.
base::Status CheckTags(const std::vector<Tag>& tags);

// Fails with kTag if `key` begins with "aws:", in any case.
base::Status CheckTagKey(std::string_view key);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_TAGS_H_
