// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <optional>

#include "base/random.h"
#include "kms/json_writer.h"
#include "kms/key_id.h"
#include "kms/key_spec.h"
#include "kms/operations/authorize.h"
#include "kms/operations/custom_key_stores/clusters.h"
#include "kms/operations/custom_key_stores/key_rules.h"
#include "kms/operations/handlers.h"
#include "kms/operations/key_metadata.h"
#include "kms/operations/multi_region.h"
#include "kms/operations/new_material.h"
#include "kms/operations/policies.h"
#include "kms/operations/resolve.h"
#include "kms/operations/tags.h"

namespace kms::operations {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kSymmetric = "SYMMETRIC_DEFAULT";

std::string_view SpecOf(const Call& call) {
  const auto old_member = call.Text("CustomerMasterKeySpec");
  return call.Text("KeySpec").value_or(old_member.value_or(kSymmetric));
}

std::string_view UsageOf(const Call& call) {
  return call.Text("KeyUsage")
      .value_or(KeyUsageName(KeyUsage::kEncryptDecrypt));
}

base::Status CheckSpecMembers(const Call& call) {
  if (call.Find("KeySpec") && call.Find("CustomerMasterKeySpec")) {
    return Error{ErrorCode::kValidation,
                 "You cannot specify KeySpec and CustomerMasterKeySpec in the "
                 "same request. CustomerMasterKeySpec is deprecated."};
  }
  if (SpecOf(call) != kSymmetric && call.Find("KeyUsage") == nullptr) {
    return Error{ErrorCode::kValidation,
                 "You must specify a KeyUsage value for all KMS keys except "
                 "for symmetric encryption keys."};
  }
  return {};
}

// What the model knows and this release cannot make.
base::Status RefuseUnsupported(const Call& call) {
  const auto unsupported = [](std::string_view what) {
    return Error{ErrorCode::kUnsupportedOperation,
                 fmt::format("{} not supported by this server.", what)};
  };
  if (!ParseKeySpec(SpecOf(call))) {
    return unsupported(fmt::format("KeySpec {} is", SpecOf(call)));
  }
  const auto origin = call.Text("Origin");
  if (origin && !ParseOrigin(*origin)) {
    return unsupported(fmt::format("Origin {} is", *origin));
  }
  return CheckCustomKeyStoreMembers(call);
}

base::Status CheckKind(const Call& call) {
  RETURN_IF_ERROR(CheckSpecMembers(call));
  RETURN_IF_ERROR(RefuseUnsupported(call));
  const auto usage = ParseKeyUsage(UsageOf(call));
  if (!usage || FindKeyKind(*ParseKeySpec(SpecOf(call)), *usage) == nullptr) {
    return Error{ErrorCode::kValidation,
                 fmt::format("KeyUsage {} is not compatible with KeySpec {}",
                             UsageOf(call), SpecOf(call))};
  }
  return {};
}

Key DescribeNewKey(const Call& call) {
  const std::string& account = call.request.caller.account;
  const bool multi_region = call.Flag("MultiRegion");
  Key key;
  key.multi_region =
      multi_region ? MultiRegionType::kPrimary : MultiRegionType::kNone;
  key.id = KeyIdText({multi_region ? KeyIdKind::kMultiRegion : KeyIdKind::kUuid,
                      base::NewUuid().bytes});
  key.account = account;
  key.region = call.request.region;
  key.row_id = KeyRowId(key.id, key.region);
  key.description = call.Text("Description").value_or("");
  key.spec = *ParseKeySpec(SpecOf(call));
  key.usage = *ParseKeyUsage(UsageOf(call));
  key.created = call.now;
  key.origin =
      *ParseOrigin(call.Text("Origin").value_or(OriginName(Origin::kAwsKms)));
  if (key.origin == Origin::kExternal) {
    key.state = KeyState::kPendingImport;
  }
  key.key_store = call.environment.key_stores.OfRegion(key.region).name;
  key.custom_key_store = call.Text("CustomKeyStoreId").value_or("");
  key.xks_key_id = call.Text("XksKeyId").value_or("");
  const auto policy = call.Text("Policy");
  key.policy = policy ? std::string(*policy) : DefaultPolicy(account);
  return key;
}

// Whether the custom key store that the call names takes the key; if that is in
// a cluster, what makes the key there. Nothing for a key in no custom key
// store.
boost::asio::awaitable<base::Result<std::optional<ClusterPass>>>
EnterCustomKeyStore(Call& call, const Key& key) {
  if (key.origin == Origin::kExternalKeyStore) {
    CO_RETURN_IF_ERROR(co_await CheckExternalKey(call, key));
  }
  if (key.origin != Origin::kAwsCloudHsm) {
    co_return std::nullopt;
  }
  CO_ASSIGN_OR_RETURN(ClusterPass pass,
                      EnterCluster(call, key.custom_key_store));
  co_return std::move(pass);
}

base::Status InsertNewKey(store::Transaction& transaction, const Key& key,
                          const std::optional<ClusterPass>& pass,
                          const std::vector<Tag>& tags) {
  if (key.origin == Origin::kExternalKeyStore) {
    RETURN_IF_ERROR(ClaimExternalKey(transaction, key));
  }
  if (pass) {
    RETURN_IF_ERROR(CheckStillInCluster(transaction, key, pass->cluster_id));
  }
  RETURN_IF_ERROR(transaction.InsertKey(key));
  for (const Tag& tag : tags) {
    RETURN_IF_ERROR(transaction.PutTag(key.row_id, tag));
  }
  const KeyMaterial* const material = key.FindCurrentMaterial();
  return material == nullptr ? base::Status()
                             : SettleMaterial(transaction, *material);
}

}  // namespace

base::Status ValidateCreateKey(const Call& call) {
  RETURN_IF_ERROR(CheckKind(call));
  RETURN_IF_ERROR(CheckTags(ReadTags(call)));
  const auto policy = call.Text("Policy");
  return policy ? CheckPolicyText(*policy) : base::Status();
}

base::Status ResolveCreateKey(Call& call) {
  RETURN_IF_ERROR(ResolveNothing(call));
  if (call.Find("Tags") != nullptr) {
    call.checks.push_back(
        {"kms:TagResource", "*", call.request.caller.account, {}});
  }
  return {};
}

// The key is in the store only when the token has it durably. One whose
// material is imported has nothing on the token yet; one in an external key
// store has the key of its inner layer there.
Answer CreateKey(Call& call) {
  Key key = DescribeNewKey(call);
  CO_RETURN_IF_ERROR(BindPrincipals(call, key));
  CO_RETURN_IF_ERROR(CheckLockout(call, key));

  CO_ASSIGN_OR_RETURN(const std::optional<ClusterPass> pass,
                      co_await EnterCustomKeyStore(call, key));
  if (pass) {
    key.key_store = pass->key_store.name;
  }
  if (key.origin != Origin::kExternal) {
    CO_ASSIGN_OR_RETURN(KeyMaterial material,
                        co_await MakeMaterial(call.environment, key, call.now));
    key.materials.push_back(std::move(material));
  }

  const std::vector<Tag> tags = ReadTags(call);
  call.key = std::make_shared<const Key>(key);
  auto insert = [&key, &pass, &tags](store::Transaction& transaction) {
    return InsertNewKey(transaction, key, pass, tags);
  };
  const base::Status committed = co_await call.Commit(insert);
  if (!committed && !key.materials.empty()) {
    co_await AbandonMaterial(call.environment, key.materials.front());
  }
  CO_RETURN_IF_ERROR(committed);

  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject();
  const RelatedKey itself = AsRelatedKey(key);
  WriteKeyMetadata("KeyMetadata", key, {&itself, 1},
                   pass ? pass->cluster_id : "", writer);
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
