// SPDX-License-Identifier: Apache-2.0
#include "tests/kms/store_testing.h"

#include <fmt/format.h>

#include <cstring>

#include "base/bytes.h"

namespace kms::store {

Key MakeKey(std::uint32_t n) {
  Key key;
  key.id = fmt::format("{:08x}-0000-4000-8000-000000000000", n);
  key.account = kAccount;
  key.region = kRegion;
  key.row_id = key.id;
  key.description = fmt::format("key {}", n);
  key.created = At(1'600'000'000'000'000 + n);
  key.policy = R"({"Version":"2012-10-17","Statement":[]})";
  KeyMaterial material;
  std::memcpy(material.id.data(), &n, sizeof(n));
  std::memcpy(material.ref.locator.bytes.data(), &n, sizeof(n));
  material.key_store = "default";
  material.created = key.created;
  key.materials.push_back(material);
  return key;
}

Key MakePrimary(std::uint32_t n) {
  Key key = MakeKey(n);
  key.id = fmt::format("mrk-{:032x}", n);
  key.row_id = fmt::format("{}/{}", key.id, key.region);
  key.multi_region = MultiRegionType::kPrimary;
  return key;
}

Key MakeReplica(const Key& primary, std::string_view region) {
  Key key = primary;
  key.region = region;
  key.row_id = fmt::format("{}/{}", key.id, key.region);
  key.multi_region = MultiRegionType::kReplica;
  key.description = "replica";
  return key;
}

Alias MakeAlias(std::string_view name, const Key& key) {
  return {.account = key.account,
          .region = key.region,
          .name = std::string(name),
          .key_row_id = key.row_id,
          .created = At(10),
          .updated = At(20)};
}

std::string Text(const Key& key) {
  std::string text = fmt::format(
      "{} {} {} {} '{}' {} {} {} {} {} {} {} {} {} '{}' {} {} {}", key.row_id,
      key.id, key.account, key.region, key.description, KeySpecName(key.spec),
      KeyUsageName(key.usage), OriginName(key.origin), KeyStateName(key.state),
      key.created.time_since_epoch().count(),
      key.deletion_date.value_or(At(-1)).time_since_epoch().count(),
      key.IsMultiRegion() ? MultiRegionTypeName(key.multi_region) : "-",
      key.pending_window_days.value_or(-1), key.destroying, key.policy,
      key.rotation ? key.rotation->period_days : -1,
      key.rotation ? key.rotation->next.time_since_epoch().count() : -1,
      key.on_demand_rotations);
  for (const KeyMaterial& material : key.materials) {
    const auto& rotation = material.rotation;
    text += fmt::format(
        " [{} {} {} {} {} {} {} {} {}]", base::HexEncode(material.id),
        base::HexEncode(material.ref.locator.bytes),
        static_cast<int>(material.ref.algorithm), material.key_store,
        material.current, material.created.time_since_epoch().count(),
        rotation ? RotationTypeName(rotation->type) : "first",
        rotation ? rotation->date.time_since_epoch().count() : -1,
        base::HexEncode(material.public_key));
  }
  return text;
}

std::string Text(const Alias& alias) {
  return fmt::format("{} {} {} {} {} {}", alias.account, alias.region,
                     alias.name, alias.key_row_id,
                     alias.created.time_since_epoch().count(),
                     alias.updated.time_since_epoch().count());
}

}  // namespace kms::store
