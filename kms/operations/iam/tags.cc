// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/iam/tags.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "kms/operations/iam/answer.h"
#include "kms/operations/iam/handlers.h"
#include "kms/operations/iam/subject.h"
#include "kms/operations/identities.h"
#include "kms/operations/tags.h"

namespace kms::operations::iam {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostTags = 50;

// Deletes the tags whose keys are `keys`, in any case.
base::Status DeleteTags(store::Identities& identities,
                        std::string_view entity_id,
                        const std::set<std::string>& folded_keys) {
  ASSIGN_OR_RETURN(const auto tags, identities.GetEntityTags(entity_id));
  for (const Tag& tag : tags) {
    if (folded_keys.contains(FoldedName(tag.key))) {
      RETURN_IF_ERROR(identities.DeleteEntityTag(entity_id, tag.key));
    }
  }
  return {};
}

}  // namespace

base::Status PutTags(store::Identities& identities, std::string_view entity_id,
                     const std::vector<Tag>& tags) {
  std::set<std::string> keys;
  for (const Tag& tag : tags) {
    keys.insert(FoldedName(tag.key));
  }
  RETURN_IF_ERROR(DeleteTags(identities, entity_id, keys));
  for (const Tag& tag : tags) {
    RETURN_IF_ERROR(identities.PutEntityTag(entity_id, tag));
  }
  ASSIGN_OR_RETURN(const auto all, identities.GetEntityTags(entity_id));
  if (all.size() > kMostTags) {
    return Error{ErrorCode::kLimitExceeded,
                 fmt::format("The number of tags has reached the maximum "
                             "limit: {}",
                             kMostTags)};
  }
  return {};
}

base::Status ValidateTags(const Call& call) {
  std::set<std::string> keys;
  for (const TagView& tag : ViewTags(call)) {
    RETURN_IF_ERROR(CheckTagKey(tag.key));
    if (!keys.insert(FoldedName(tag.key)).second) {
      return Error{ErrorCode::kTag,
                   "Duplicate tag keys found. Please note that Tag keys are "
                   "case insensitive."};
    }
  }
  return {};
}

base::Status ValidateTagKeys(const Call& call) {
  for (const base::Json& key : *call.Find("TagKeys")) {
    RETURN_IF_ERROR(CheckTagKey(base::TextOf(key)));
  }
  return {};
}

Answer TagEntity(Call& call) {
  const std::vector<Tag> tags = ReadTags(call);
  auto change = [&](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(const Entity entity, GetSubject(call, transaction));
    return PutTags(transaction.identities(), entity.id, tags);
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  co_return Reply();
}

Answer UntagEntity(Call& call) {
  std::set<std::string> keys;
  for (const base::Json& key : *call.Find("TagKeys")) {
    keys.insert(FoldedName(base::TextOf(key)));
  }
  auto change = [&](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(const Entity entity, GetSubject(call, transaction));
    return DeleteTags(transaction.identities(), entity.id, keys);
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  co_return Reply();
}

Answer ListEntityTags(Call& call) {
  const auto directory = call.environment.directory.current();
  CO_ASSIGN_OR_RETURN(const identity::Record* const record,
                      FindSubject(call, *directory));
  CO_ASSIGN_OR_RETURN(PageFilter page, PageFilter::Read(call));
  std::vector<Tag> tags;
  for (const Tag& tag : record->tags) {
    if (page.Takes(tag.key)) {
      tags.push_back(tag);
    }
  }
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject();
  WriteTags(tags, writer);
  page.WriteEnd(writer);
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations::iam
