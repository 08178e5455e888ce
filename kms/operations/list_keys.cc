// SPDX-License-Identifier: Apache-2.0
#include "kms/key_id.h"
#include "kms/operations/handlers.h"
#include "kms/operations/page.h"

namespace kms::operations {
namespace {

constexpr int kDefaultLimit = 100;

}  // namespace

Answer ListKeys(Call& call) {
  CO_ASSIGN_OR_RETURN(const PageRequest page, ReadPage(call, kDefaultLimit));
  const std::string& account = call.request.caller.account;
  CO_ASSIGN_OR_RETURN(const auto keys, call.environment.store.ListKeys(
                                           account, call.request.region,
                                           page.after, page.limit));
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginArray("Keys");
  for (const std::string& id : keys.items) {
    writer.BeginObject()
        .Text("KeyId", id)
        .Text("KeyArn", KeyArn(call.request.region, account, id))
        .EndObject();
  }
  writer.EndArray();
  WritePageEnd(call, keys.truncated,
               keys.items.empty() ? "" : keys.items.back(), writer);
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
