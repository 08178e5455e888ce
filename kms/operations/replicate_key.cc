// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "kms/json_writer.h"
#include "kms/key_id.h"
#include "kms/operations/authorize.h"
#include "kms/operations/handlers.h"
#include "kms/operations/key_metadata.h"
#include "kms/operations/multi_region.h"
#include "kms/operations/policies.h"
#include "kms/operations/resolve.h"
#include "kms/operations/tags.h"

namespace kms::operations {
namespace {

// What a replica inherits is what the keys of one id share.
Key DescribeReplica(const Call& call, const Key& primary) {
  Key replica = primary;
  replica.region = *call.Text("ReplicaRegion");
  replica.row_id = KeyRowId(replica.id, replica.region);
  replica.key_store = call.environment.key_stores.OfRegion(replica.region).name;
  replica.multi_region = MultiRegionType::kReplica;
  replica.description = call.Text("Description").value_or("");
  replica.state = KeyState::kEnabled;
  if (replica.origin == Origin::kExternal) {  // Each Region imports by itself.
    replica.state = KeyState::kPendingImport;
    for (KeyMaterial& material : replica.materials) {
      material.import = Import{.imported = false};
    }
  }
  replica.created = call.now;
  const auto policy = call.Text("Policy");
  replica.policy =
      policy ? std::string(*policy) : DefaultPolicy(primary.account);
  return replica;
}

base::Status CheckRegionIsFree(store::Transaction& transaction,
                               const Key& replica) {
  ASSIGN_OR_RETURN(const auto related, transaction.GetRelatedKeys(replica.id));
  if (std::ranges::find(related, replica.region, &RelatedKey::region) !=
      related.end()) {
    return base::Error{base::ErrorCode::kAlreadyExists,
                       fmt::format("Key '{}' already exists.", replica.Arn())};
  }
  return {};
}

// What was checked of the key outside of the transaction: it may have been
// moved to its own token meanwhile.
base::Status CheckStillWrapped(const Call& call, const Key& primary) {
  KeyStores& key_stores = call.environment.key_stores;
  ASSIGN_OR_RETURN(KeyStore* const source, key_stores.Of(primary));
  const bool moves =
      source != &key_stores.OfRegion(*call.Text("ReplicaRegion"));
  const auto is_object = [](const KeyMaterial& material) {
    return material.ref.wrapped == nullptr;
  };
  return moves && std::ranges::any_of(primary.materials, is_object)
             ? base::Status(
                   base::Error{base::ErrorCode::kConflict,
                               "The key was moved meanwhile. Try again."})
             : base::Status();
}

base::Status InsertReplica(store::Transaction& transaction, const Call& call,
                           const std::vector<Tag>& tags, Key& replica) {
  ASSIGN_OR_RETURN(const Key primary, transaction.GetKey(call.key->row_id));
  RETURN_IF_ERROR(CheckState(call.operation.states, primary));
  RETURN_IF_ERROR(CheckPrimary(primary));
  RETURN_IF_ERROR(CheckStillWrapped(call, primary));
  PolicyPrincipals principals = std::move(replica.policy_principals);
  replica = DescribeReplica(call, primary);
  replica.policy_principals = std::move(principals);
  RETURN_IF_ERROR(CheckRegionIsFree(transaction, replica));
  RETURN_IF_ERROR(transaction.InsertReplica(replica));
  for (const Tag& tag : tags) {
    RETURN_IF_ERROR(transaction.PutTag(replica.row_id, tag));
  }
  return {};
}

void WriteTags(const std::vector<Tag>& tags, JsonWriter& writer) {
  if (tags.empty()) {
    return;
  }
  writer.BeginArray("ReplicaTags");
  for (const Tag& tag : tags) {
    writer.BeginObject()
        .Text("TagKey", tag.key)
        .Text("TagValue", tag.value)
        .EndObject();
  }
  writer.EndArray();
}

}  // namespace

base::Status ValidateReplicateKey(const Call& call) {
  RETURN_IF_ERROR(CheckTags(ReadTags(call)));
  const auto policy = call.Text("Policy");
  return policy ? CheckPolicyText(*policy) : base::Status();
}

// The replica is a key that is created, in another Region.
base::Status ResolveReplicateKey(Call& call) {
  RETURN_IF_ERROR(ResolveKeyId(call));
  std::vector<std::string_view> actions = {"kms:CreateKey"};
  if (call.Find("Tags") != nullptr) {
    actions.emplace_back("kms:TagResource");
  }
  for (const std::string_view action : actions) {
    Check check = {action, "*", call.key->account, {}};
    check.region = *call.Text("ReplicaRegion");
    call.checks.push_back(std::move(check));
  }
  return {};
}

Answer ReplicateKey(Call& call) {
  CO_RETURN_IF_ERROR(CheckPrimary(*call.key));
  const std::vector<Tag> tags = ReadTags(call);
  Key replica = DescribeReplica(call, *call.key);
  CO_RETURN_IF_ERROR(co_await CheckCanLiveIn(
      call.environment, *call.key,
      call.environment.key_stores.OfRegion(replica.region)));
  CO_RETURN_IF_ERROR(BindPrincipals(call, replica));
  CO_RETURN_IF_ERROR(CheckLockout(call, replica));
  std::vector<RelatedKey> related;
  auto insert = [&](store::Transaction& transaction) -> base::Status {
    RETURN_IF_ERROR(InsertReplica(transaction, call, tags, replica));
    ASSIGN_OR_RETURN(related, transaction.GetRelatedKeys(replica.id));
    return {};
  };
  CO_RETURN_IF_ERROR(co_await call.Commit(insert));

  // Its material is where it must be already. On AWS it has yet to arrive, and
  // what a client sees first is this state.
  replica.state = KeyState::kCreating;
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject();
  WriteKeyMetadata("ReplicaKeyMetadata", replica, related, "", writer);
  writer.Text("ReplicaPolicy", replica.policy);
  WriteTags(tags, writer);
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
