// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/iam/context.h"

#include <nlohmann/json.hpp>

#include "kms/operations/iam/subject.h"

namespace kms::operations::iam {
namespace {

// Copies what would not outlive the directory.
void AddOwned(Call& call, std::string_view key, std::string_view suffix,
              std::string_view value) {
  const std::string& kept_suffix = call.owned.emplace_back(suffix);
  const std::string& kept_value = call.owned.emplace_back(value);
  call.context.push_back({key, kept_suffix, kept_value});
}

// The boundary that is to be, or else the one that is there.
void AddBoundary(Call& call, const identity::Record* record) {
  const std::string_view there =
      record == nullptr ? std::string_view() : record->entity.boundary;
  const std::string_view boundary =
      call.Text("PermissionsBoundary").value_or(there);
  if (!boundary.empty()) {
    AddOwned(call, "iam:PermissionsBoundary", "", boundary);
  }
}

}  // namespace

void AddContext(Call& call) {
  if (const base::Json* const keys = call.Find("TagKeys")) {
    for (const base::Json& key : *keys) {
      call.context.push_back({"aws:TagKeys", {}, base::TextOf(key)});
    }
  }
  const Subject subject = SubjectOf(call);
  const auto arn = call.Text("PolicyArn");
  if (arn && subject.kind.kind != EntityKind::kPolicy) {
    call.context.push_back({"iam:PolicyARN", {}, *arn});
  }
  const auto directory = call.environment.directory.current();
  const identity::Record* const record = directory->FindById(call.subject_id);
  AddBoundary(call, record);
  if (record == nullptr) {
    return;
  }
  for (const Tag& tag : record->tags) {
    AddOwned(call, "aws:ResourceTag/", tag.key, tag.value);
    AddOwned(call, "iam:ResourceTag/", tag.key, tag.value);
  }
}

}  // namespace kms::operations::iam
