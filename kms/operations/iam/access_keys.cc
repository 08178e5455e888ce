// SPDX-License-Identifier: Apache-2.0
// Long-term credentials of users. A secret is told once, to whom it is made
// for, and to nobody else: no log and no event has it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "kms/identity/credentials.h"
#include "kms/operations/iam/answer.h"
#include "kms/operations/iam/handlers.h"
#include "kms/operations/iam/subject.h"
#include "kms/operations/identities.h"

namespace kms::operations::iam {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kActive = "Active";

std::string_view StatusName(bool active) {
  return active ? kActive : std::string_view("Inactive");
}

// Fails with kNotFound unless the access key is one of the user's: who may
// change one user's keys may not change another's by naming them.
base::Status CheckOwned(store::Identities& identities, const Entity& user,
                        std::string_view id) {
  ASSIGN_OR_RETURN(const auto keys, identities.GetAccessKeys(user.id));
  if (std::ranges::find(keys, id, &store::AccessKey::id) == keys.end()) {
    return Error{ErrorCode::kNotFound,
                 fmt::format("The Access Key with id {} cannot be found.", id)};
  }
  return {};
}

void WriteFacts(std::string_view user_name,
                const identity::AccessKeyFacts& facts, JsonWriter& writer) {
  writer.Text("UserName", user_name)
      .Text("AccessKeyId", facts.id)
      .Text("Status", StatusName(facts.active))
      .Text("CreateDate", TimeText(facts.created));
}

}  // namespace

Answer CreateAccessKey(Call& call) {
  const auto directory = call.environment.directory.current();
  CO_ASSIGN_OR_RETURN(const identity::Record* const user,
                      FindSubject(call, *directory));
  const base::Secret secret = identity::NewSecretKey();
  CO_ASSIGN_OR_RETURN(
      const store::AccessKey key,
      co_await SealAccessKey(call.environment, user->entity,
                             identity::NewAccessKeyId("AKIA"), secret));
  call.made = {"accessKeyId", key.id};
  auto change = [&](store::Transaction& transaction) -> base::Status {
    store::Identities& identities = transaction.identities();
    RETURN_IF_ERROR(GetSubject(call, transaction));
    ASSIGN_OR_RETURN(const auto keys, identities.GetAccessKeys(key.user_id));
    if (keys.size() >= kMostAccessKeys) {
      return Error{ErrorCode::kLimitExceeded,
                   fmt::format("Cannot exceed quota for AccessKeysPerUser: {}",
                               kMostAccessKeys)};
    }
    return identities.InsertAccessKey(key);
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginObject("AccessKey");
  WriteFacts(key.user_name, {key.id, key.active, key.created}, writer);
  writer.Text("SecretAccessKey", secret.RevealText()).EndObject().EndObject();
  co_return reply;
}

Answer ListAccessKeys(Call& call) {
  const auto directory = call.environment.directory.current();
  CO_ASSIGN_OR_RETURN(const identity::Record* const user,
                      FindSubject(call, *directory));
  CO_ASSIGN_OR_RETURN(PageFilter page, PageFilter::Read(call));
  std::vector<identity::AccessKeyFacts> keys = user->access_keys;
  std::ranges::sort(keys, {}, &identity::AccessKeyFacts::id);
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginArray("AccessKeyMetadata");
  for (const identity::AccessKeyFacts& key : keys) {
    if (page.Takes(key.id)) {
      writer.BeginObject();
      WriteFacts(user->entity.name, key, writer);
      writer.EndObject();
    }
  }
  writer.EndArray();
  page.WriteEnd(writer);
  writer.EndObject();
  co_return reply;
}

Answer UpdateAccessKey(Call& call) {
  const std::string_view id = *call.Text("AccessKeyId");
  const bool active = *call.Text("Status") == kActive;
  auto change = [&](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(const Entity user, GetSubject(call, transaction));
    RETURN_IF_ERROR(CheckOwned(transaction.identities(), user, id));
    return transaction.identities().SetAccessKeyActive(id, active);
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  co_return Reply();
}

Answer DeleteAccessKey(Call& call) {
  const std::string_view id = *call.Text("AccessKeyId");
  auto change = [&](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(const Entity user, GetSubject(call, transaction));
    RETURN_IF_ERROR(CheckOwned(transaction.identities(), user, id));
    return transaction.identities().DeleteAccessKey(id);
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  co_return Reply();
}

}  // namespace kms::operations::iam
