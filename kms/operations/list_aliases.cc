// SPDX-License-Identifier: Apache-2.0
#include "kms/key_id.h"
#include "kms/operations/handlers.h"
#include "kms/operations/page.h"

namespace kms::operations {
namespace {

constexpr int kDefaultLimit = 50;
constexpr int kMaxLimit = 100;

}  // namespace

base::Status ValidateListAliases(const Call& call) {
  return CheckLimit(call, kMaxLimit);
}

Answer ListAliases(Call& call) {
  CO_ASSIGN_OR_RETURN(const PageRequest page, ReadPage(call, kDefaultLimit));
  CO_ASSIGN_OR_RETURN(
      const auto aliases,
      call.environment.store.ListAliases(
          call.request.caller.account, call.request.region,
          call.key == nullptr ? "" : call.key->row_id, page.after, page.limit));
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginArray("Aliases");
  for (const Alias& alias : aliases.items) {
    writer.BeginObject()
        .Text("AliasName", alias.name)
        .Text("AliasArn", alias.Arn())
        .Text("TargetKeyId", KeyIdOfRow(alias.key_row_id))
        .Time("CreationDate", alias.created)
        .Time("LastUpdatedDate", alias.updated)
        .EndObject();
  }
  writer.EndArray();
  WritePageEnd(call, aliases.truncated,
               aliases.items.empty() ? "" : aliases.items.back().name, writer);
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
