// SPDX-License-Identifier: Apache-2.0
// What the PKCS#11 module shows of the keys of an account, in one listing. It
// tells nothing that the caller could not learn by ListKeys, ListAliases,
// DescribeKey, ListResourceTags, GetPublicKey and GetCertificates; but those
// two refuse keys that are disabled or wait for their deletion.
#include "kms/json_writer.h"
#include "kms/key_spec.h"
#include "kms/operations/authorize.h"
#include "kms/operations/custom_key_stores/clusters.h"
#include "kms/operations/custom_key_stores/key_rules.h"
#include "kms/operations/explain/log_search.h"
#include "kms/operations/handlers.h"
#include "kms/operations/imported_material.h"
#include "kms/operations/key_metadata.h"
#include "kms/operations/multi_region.h"
#include "kms/operations/page.h"

namespace kms::operations {
namespace {

constexpr int kDefaultLimit = 100;
// A page ends after the key that makes it longer: clients read 1 MiB.
constexpr std::size_t kPageBytes = 512U << 10;
constexpr int kAliasesOfKey = 1000;
// Each costs several decisions, and other requests of the io thread wait.
constexpr int kKeysAtATime = 32;

base::Result<bool> MaySeeAliases(Call& call) {
  return Allows(call, {.action = "kms:ListAliases",
                       .resource = "*",
                       .account = call.request.caller.account});
}

base::Result<bool> May(Call& call, std::string_view action, const KeyPtr& key) {
  return Allows(call, {.action = action,
                       .resource = key->Arn(),
                       .account = key->account,
                       .key = key,
                       .region = key->region});
}

base::Status WriteAliases(Call& call, const Key& key, JsonWriter& writer) {
  ASSIGN_OR_RETURN(const auto aliases,
                   call.environment.store.ListAliases(
                       key.account, key.region, key.row_id, "", kAliasesOfKey));
  writer.BeginArray("Aliases");
  for (const Alias& alias : aliases.items) {
    writer.Item(alias.name);
  }
  writer.EndArray();
  return {};
}

base::Status WriteTags(Call& call, const Key& key, JsonWriter& writer) {
  ASSIGN_OR_RETURN(const std::vector<Tag> tags,
                   call.environment.store.Tags(key.row_id));
  writer.BeginArray("Tags");
  for (const Tag& tag : tags) {
    writer.BeginObject()
        .Text("TagKey", tag.key)
        .Text("TagValue", tag.value)
        .EndObject();
  }
  writer.EndArray();
  return {};
}

bool HasPublicParts(const Call& call, const Key& key) {
  const KeyMaterial* const material = key.FindCurrentMaterial();
  return IsKeyPair(key.spec) && key.state != KeyState::kPendingImport &&
         material != nullptr && !material->public_key.empty() &&
         !HasExpiredMaterial(key, call.now);
}

base::Status WritePublicParts(Call& call, const Key& key, JsonWriter& writer) {
  writer.Blob("PublicKey", key.CurrentMaterial().public_key);
  ASSIGN_OR_RETURN(const std::vector<base::Bytes> certificates,
                   call.environment.store.Certificates(key.row_id));
  writer.BeginArray("Certificates");
  for (const base::Bytes& certificate : certificates) {
    writer.Item(base::Base64Encode(certificate));
  }
  writer.EndArray();
  return {};
}

// Members that the caller may not see are absent; so is a key whose metadata is
// one.
base::Status WriteKey(Call& call, const std::string& id, bool with_aliases,
                      JsonWriter& writer) {
  const auto found =
      call.environment.store.FindKey(KeyRowId(id, call.request.region));
  if (!found && found.error().code == base::ErrorCode::kNotFound) {
    return {};  // Gone since it was listed.
  }
  RETURN_IF_ERROR(found);
  const KeyPtr& key = *found;
  if (key->destroying) {
    return {};
  }
  ASSIGN_OR_RETURN(const bool described, May(call, "kms:DescribeKey", key));
  if (!described) {
    return {};
  }
  ASSIGN_OR_RETURN(const auto related, FindRelatedKeys(call, *key));
  writer.BeginObject();
  WriteKeyMetadata("KeyMetadata", *AsShown(call.environment, key), related,
                   ClusterIdOf(call.environment, *key), writer);
  if (with_aliases) {
    RETURN_IF_ERROR(WriteAliases(call, *key, writer));
  }
  ASSIGN_OR_RETURN(const bool with_tags,
                   May(call, "kms:ListResourceTags", key));
  if (with_tags) {
    RETURN_IF_ERROR(WriteTags(call, *key, writer));
  }
  if (HasPublicParts(call, *key)) {
    ASSIGN_OR_RETURN(const bool with_public,
                     May(call, "kms:GetPublicKey", key));
    if (with_public) {
      RETURN_IF_ERROR(WritePublicParts(call, *key, writer));
    }
  }
  writer.EndObject();
  return {};
}

}  // namespace

Answer ListPkcs11Objects(Call& call) {
  CO_ASSIGN_OR_RETURN(const PageRequest page, ReadPage(call, kDefaultLimit));
  CO_ASSIGN_OR_RETURN(const auto keys,
                      call.environment.store.ListKeys(
                          call.request.caller.account, call.request.region,
                          page.after, page.limit));
  CO_ASSIGN_OR_RETURN(const bool with_aliases, MaySeeAliases(call));
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginArray("Keys");
  std::string last;
  int looked_at = 0;
  for (const std::string& id : keys.items) {
    if (reply.body.size() > kPageBytes) {
      break;
    }
    if (++looked_at % kKeysAtATime == 0) {
      co_await Pause();
    }
    CO_RETURN_IF_ERROR(WriteKey(call, id, with_aliases, writer));
    last = id;
  }
  writer.EndArray();
  const bool complete = keys.items.empty() || last == keys.items.back();
  WritePageEnd(call, keys.truncated || !complete, last, writer);
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
