// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_IAM_ANSWER_H_
#define KMS_OPERATIONS_IAM_ANSWER_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kms/entity.h"
#include "kms/json_writer.h"
#include "kms/operations/call.h"
#include "kms/operations/iam/subject.h"

// The parts that answers of IAM have in common. Members are named as in the
// responses of the IAM API.
namespace kms::operations::iam {

// "2026-11-26T19:00:00Z"
std::string TimeText(base::WallTime time);

// As GetRole, GetUserPolicy and GetPolicyVersion return documents: RFC 3986,
// with everything but its unreserved characters as %XX.
std::string UrlEncoded(std::string_view document);

// The members of a user, group or role. Listings leave out its tags and its
// boundary (kBrief), as AWS does.
enum class Detail : std::uint8_t { kBrief, kFull };
void WriteEntity(const Entity& entity, const std::vector<Tag>& tags,
                 Detail detail, JsonWriter& writer);

void WriteTags(const std::vector<Tag>& tags, JsonWriter& writer);

// A PageFilter says which items of a listing, in the order of their keys, the
// members Marker and MaxItems ask for.
class PageFilter {
 public:
  // Fails with kInvalidMarker. Keeps `call`.
  static base::Result<PageFilter> Read(const Call& call);

  // Whether the next item is to be returned. No key is empty.
  bool Takes(std::string_view key);

  // IsTruncated, and Marker if it is true.
  void WriteEnd(JsonWriter& writer) const;

 private:
  PageFilter(const Call& call, std::string after, std::int64_t limit)
      : call_(&call), last_(std::move(after)), left_(limit) {}

  const Call* call_;
  std::string last_;  // The key of the last item returned, by a page before.
  std::int64_t left_;
  bool truncated_ = false;
};

// The records of these ids.
std::vector<const identity::Record*> FindAll(
    const identity::Directory& directory, const std::vector<std::string>& ids);

// The list `name` of those that `page` takes, by name.
void WriteByName(std::vector<const identity::Record*> records,
                 std::string_view name, PageFilter& page, JsonWriter& writer);

}  // namespace kms::operations::iam

#endif  // KMS_OPERATIONS_IAM_ANSWER_H_
