// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kms/operations/handlers.h"
#include "kms/operations/page.h"

namespace kms::operations {
namespace {

constexpr int kMaxLimit = 50;

}  // namespace

base::Status ValidateListResourceTags(const Call& call) {
  return CheckLimit(call, kMaxLimit);
}

Answer ListResourceTags(Call& call) {
  CO_ASSIGN_OR_RETURN(const PageRequest page, ReadPage(call, kMaxLimit));
  CO_ASSIGN_OR_RETURN(const std::vector<Tag> tags,
                      call.environment.store.Tags(call.key->row_id));
  // A key has 50 tags at most: the page is cut from all of them. If the tag
  // that the marker names is gone meanwhile, nothing follows it.
  auto first = tags.begin();
  if (!page.after.empty()) {
    first = std::ranges::find(tags, page.after, &Tag::key);
    first = first == tags.end() ? first : first + 1;
  }
  const auto left = static_cast<int>(tags.end() - first);
  const auto last = first + std::min(left, page.limit);

  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginArray("Tags");
  for (auto tag = first; tag != last; ++tag) {
    writer.BeginObject()
        .Text("TagKey", tag->key)
        .Text("TagValue", tag->value)
        .EndObject();
  }
  writer.EndArray();
  const bool truncated = last != tags.end();
  WritePageEnd(call, truncated, truncated ? (last - 1)->key : "", writer);
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
