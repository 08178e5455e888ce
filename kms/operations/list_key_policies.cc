// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/handlers.h"
#include "kms/operations/page.h"
#include "kms/operations/policies.h"

namespace kms::operations {
namespace {

constexpr int kDefaultLimit = 100;

}  // namespace

Answer ListKeyPolicies(Call& call) {
  CO_ASSIGN_OR_RETURN(const PageRequest page, ReadPage(call, kDefaultLimit));
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginArray("PolicyNames");
  if (page.after.empty()) {
    writer.Item(kPolicyName);
  }
  writer.EndArray();
  WritePageEnd(call, /*truncated=*/false, "", writer);
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
