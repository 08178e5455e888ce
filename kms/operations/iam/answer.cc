// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/iam/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "kms/audit/json_text.h"
#include "kms/operations/page.h"

namespace kms::operations::iam {
namespace {

constexpr std::int64_t kDefaultItems = 100;

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

}  // namespace

std::string TimeText(base::WallTime time) {
  std::string text;
  audit::AppendTime(time, text);
  return text;
}

std::string UrlEncoded(std::string_view document) {
  std::string encoded;
  encoded.reserve(document.size() * 2);
  for (const char c : document) {
    if (IsUnreserved(c)) {
      encoded.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(encoded), "%{:02X}",
                     static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

void WriteTags(const std::vector<Tag>& tags, JsonWriter& writer) {
  writer.BeginArray("Tags");
  for (const Tag& tag : tags) {
    writer.BeginObject()
        .Text("Key", tag.key)
        .Text("Value", tag.value)
        .EndObject();
  }
  writer.EndArray();
}

void WriteEntity(const Entity& entity, const std::vector<Tag>& tags,
                 Detail detail, JsonWriter& writer) {
  const Kind& kind = KindOf(entity.kind);
  writer.Text("Path", entity.path)
      .Text(kind.name, entity.name)
      .Text(kind.id, entity.id)
      .Text("Arn", entity.Arn())
      .Text("CreateDate", TimeText(entity.created));
  if (entity.kind == EntityKind::kRole) {
    writer.Text("AssumeRolePolicyDocument", UrlEncoded(entity.trust_policy))
        .Number("MaxSessionDuration", entity.max_session);
    if (!entity.description.empty()) {
      writer.Text("Description", entity.description);
    }
  }
  if (detail == Detail::kBrief) {
    return;
  }
  if (!entity.boundary.empty()) {
    writer.BeginObject("PermissionsBoundary")
        .Text("PermissionsBoundaryType", "Policy")
        .Text("PermissionsBoundaryArn", entity.boundary)
        .EndObject();
  }
  if (!tags.empty()) {
    WriteTags(tags, writer);
  }
}

std::vector<const identity::Record*> FindAll(
    const identity::Directory& directory, const std::vector<std::string>& ids) {
  std::vector<const identity::Record*> records;
  for (const std::string& id : ids) {
    if (const identity::Record* const record = directory.FindById(id)) {
      records.push_back(record);
    }
  }
  return records;
}

void WriteByName(std::vector<const identity::Record*> records,
                 std::string_view name, PageFilter& page, JsonWriter& writer) {
  const auto key = [](const identity::Record* record) {
    return FoldedName(record->entity.name);
  };
  std::ranges::sort(records, {}, key);
  writer.BeginArray(name);
  for (const identity::Record* const record : records) {
    if (page.Takes(key(record))) {
      writer.BeginObject();
      WriteEntity(record->entity, record->tags, Detail::kBrief, writer);
      writer.EndObject();
    }
  }
  writer.EndArray();
}

base::Result<PageFilter> PageFilter::Read(const Call& call) {
  ASSIGN_OR_RETURN(std::string after, ReadMarker(call));
  return PageFilter(call, std::move(after),
                    call.Number("MaxItems").value_or(kDefaultItems));
}

bool PageFilter::Takes(std::string_view key) {
  if (key <= last_ || truncated_) {
    return false;
  }
  if (left_ == 0) {
    truncated_ = true;
    return false;
  }
  --left_;
  last_ = key;
  return true;
}

void PageFilter::WriteEnd(JsonWriter& writer) const {
  writer.Bool("IsTruncated", truncated_);
  if (truncated_) {
    writer.Text("Marker", MarkerAfter(*call_, last_));
  }
}

}  // namespace kms::operations::iam
