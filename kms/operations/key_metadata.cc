// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/key_metadata.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "kms/key_id.h"
#include "kms/key_spec.h"

namespace kms::operations {
namespace {

// Of all materials that are there.
std::optional<base::WallTime> EarliestValidTo(const Key& key) {
  std::optional<base::WallTime> earliest;
  for (const KeyMaterial& material : key.materials) {
    if (material.IsImported() && material.import->valid_to) {
      earliest = std::min(earliest.value_or(*material.import->valid_to),
                          *material.import->valid_to);
    }
  }
  return earliest;
}

// Absent while nothing is imported.
void WriteExpirationModel(const Key& key, JsonWriter& writer) {
  if (std::ranges::any_of(key.materials, &KeyMaterial::IsImported)) {
    writer.Text("ExpirationModel",
                ExpirationModelName(EarliestValidTo(key).has_value()));
  }
}

void WriteRelatedKey(const Key& key, std::string_view region,
                     JsonWriter& writer) {
  writer.Text("Arn", KeyArn(region, key.account, key.id))
      .Text("Region", region)
      .EndObject();
}

// A key whose destruction has begun is there for nobody any more.
void WriteMultiRegion(const Key& key, std::span<const RelatedKey> related,
                      JsonWriter& writer) {
  writer.Bool("MultiRegion", key.IsMultiRegion());
  if (!key.IsMultiRegion()) {
    return;
  }
  // What `related` says of the key: it is of one moment with the rest.
  MultiRegionType type = key.multi_region;
  for (const RelatedKey& other : related) {
    type = other.row_id == key.row_id ? other.type : type;
  }
  writer.BeginObject("MultiRegionConfiguration")
      .Text("MultiRegionKeyType", MultiRegionTypeName(type));
  for (const RelatedKey& other : related) {
    if (other.type == MultiRegionType::kPrimary) {
      WriteRelatedKey(key, other.region, writer.BeginObject("PrimaryKey"));
    }
  }
  writer.BeginArray("ReplicaKeys");
  for (const RelatedKey& other : related) {
    if (other.type == MultiRegionType::kReplica && !other.destroying) {
      WriteRelatedKey(key, other.region, writer.BeginObject());
    }
  }
  writer.EndArray().EndObject();
}

}  // namespace

void WriteKeyMetadata(std::string_view name, const Key& key,
                      std::span<const RelatedKey> related,
                      std::string_view cluster_id, JsonWriter& writer) {
  writer.BeginObject(name)
      .Text("AWSAccountId", key.account)
      .Text("KeyId", key.id)
      .Text("Arn", key.Arn())
      .Time("CreationDate", key.created)
      .Bool("Enabled", key.state == KeyState::kEnabled)
      .Text("Description", key.description)
      .Text("KeyUsage", KeyUsageName(key.usage))
      .Text("KeyState", KeyStateName(key.state));
  if (key.deletion_date) {
    writer.Time("DeletionDate", *key.deletion_date);
  }
  if (const auto valid_to = EarliestValidTo(key)) {
    writer.Time("ValidTo", *valid_to);
  }
  writer.Text("Origin", OriginName(key.origin));
  if (!key.custom_key_store.empty()) {
    writer.Text("CustomKeyStoreId", key.custom_key_store);
  }
  if (!cluster_id.empty()) {
    writer.Text("CloudHsmClusterId", cluster_id);
  }
  WriteExpirationModel(key, writer);
  writer.Text("KeyManager", key.managing_service.empty() ? "CUSTOMER" : "AWS")
      .Text("CustomerMasterKeySpec", KeySpecName(key.spec))
      .Text("KeySpec", KeySpecName(key.spec));
  WriteAlgorithms(key, writer);
  WriteMultiRegion(key, related, writer);
  if (key.pending_window_days) {
    writer.Number("PendingDeletionWindowInDays", *key.pending_window_days);
  }
  if (!key.xks_key_id.empty()) {
    writer.BeginObject("XksKeyConfiguration")
        .Text("Id", key.xks_key_id)
        .EndObject();
  }
  // A replica that is still being created has no material to show, and AWS
  // does not show that of a key in a custom key store.
  const KeyMaterial* const current = key.FindCurrentMaterial();
  if (key.spec == KeySpec::kSymmetricDefault && current != nullptr &&
      key.state != KeyState::kCreating && key.custom_key_store.empty()) {
    writer.Text("CurrentKeyMaterialId", base::HexEncode(current->id));
  }
  writer.EndObject();
}

void WriteAlgorithms(const Key& key, JsonWriter& writer) {
  writer.BeginArray(AlgorithmListName(key.usage));
  for (const std::string_view algorithm : KindOf(key).algorithms) {
    writer.Item(algorithm);
  }
  writer.EndArray();
}

}  // namespace kms::operations
