// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/iam/managed_policy.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

#include "kms/identity/aws_policies.h"
#include "kms/operations/iam/subject.h"

namespace kms::operations::iam {
namespace {

using identity::Directory;
using identity::Record;

constexpr std::string_view kAwsAccount = "aws";
// The day of AWS's first managed policies.
constexpr std::chrono::sys_days kAwsCreated =
    std::chrono::year(2015) / std::chrono::February / 6;

Record RecordOf(const identity::AwsPolicy& policy) {
  Record record;
  record.entity.id = policy.id;
  record.entity.kind = EntityKind::kPolicy;
  record.entity.account = kAwsAccount;
  record.entity.name = policy.name;
  record.entity.created = kAwsCreated;
  record.entity.default_version = kFirstVersion;
  record.documents.push_back(
      {std::string(kFirstVersion), std::string(policy.document), kAwsCreated});
  return record;
}

int CountOf(const std::map<std::string, int, std::less<>>& counts,
            std::string_view arn) {
  const auto found = counts.find(arn);
  return found == counts.end() ? 0 : found->second;
}

}  // namespace

std::span<const Record> AwsPolicyRecords() {
  static const auto records = [] {
    std::vector<Record> all;
    for (const identity::AwsPolicy& policy : identity::AwsPolicies()) {
      all.push_back(RecordOf(policy));
    }
    std::ranges::sort(all, {}, PolicyKey);
    return all;
  }();
  return records;
}

const Record* FindPolicy(const Directory& directory, std::string_view account,
                         std::string_view arn) {
  for (const Record& record : AwsPolicyRecords()) {
    if (record.entity.Arn() == arn) {
      return &record;
    }
  }
  return Find(directory, account, {KindOf(EntityKind::kPolicy), arn});
}

base::Result<const Record*> FindPolicySubject(const Call& call,
                                              const Directory& directory) {
  const Subject subject = SubjectOf(call);
  const Record* const record =
      FindPolicy(directory, call.request.caller.account, subject.name);
  if (record == nullptr) {
    return NoSuch(subject);
  }
  return record;
}

std::string PolicyKey(const Record& policy) {
  const bool of_aws = policy.entity.account == kAwsAccount;
  return (of_aws ? "A/" : "L/") + FoldedName(policy.entity.name);
}

Uses UsesIn(const Directory& directory, std::string_view account) {
  Uses uses;
  for (const EntityKind kind :
       {EntityKind::kUser, EntityKind::kGroup, EntityKind::kRole}) {
    for (const Record* const record : directory.List(account, kind)) {
      for (const std::string& arn : record->attached) {
        ++uses.attached[arn];
      }
      if (!record->entity.boundary.empty()) {
        ++uses.boundaries[record->entity.boundary];
      }
    }
  }
  return uses;
}

void WritePolicy(const Record& policy, const Uses& uses, Detail detail,
                 JsonWriter& writer) {
  const Entity& entity = policy.entity;
  const std::string arn = entity.Arn();
  base::WallTime updated = entity.created;
  for (const Document& version : policy.documents) {
    updated = std::max(updated, version.created);
  }
  writer.Text("PolicyName", entity.name)
      .Text("PolicyId", entity.id)
      .Text("Arn", arn)
      .Text("Path", entity.path)
      .Text("DefaultVersionId", entity.default_version)
      .Number("AttachmentCount", CountOf(uses.attached, arn))
      .Number("PermissionsBoundaryUsageCount", CountOf(uses.boundaries, arn))
      .Bool("IsAttachable", true)
      .Text("CreateDate", TimeText(entity.created))
      .Text("UpdateDate", TimeText(updated));
  if (detail == Detail::kBrief) {
    return;
  }
  if (!entity.description.empty()) {
    writer.Text("Description", entity.description);
  }
  if (!policy.tags.empty()) {
    WriteTags(policy.tags, writer);
  }
}

}  // namespace kms::operations::iam
