// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/key_stores.h"

#include <algorithm>

namespace kms::operations {

base::Result<KeyStore*> KeyStores::Find(std::string_view name) {
  const auto is_it = [name](const KeyStore& store) {
    return store.name == name || std::ranges::find(store.former_names, name) !=
                                     store.former_names.end();
  };
  const auto it = std::ranges::find_if(stores_, is_it);
  if (it == stores_.end()) {
    return base::Error{base::ErrorCode::kKeyUnavailable,
                       "the configuration has no key store '" +
                           std::string(name) +
                           "', which holds key material of this store: add "
                           "its [[key_store]] table again"};
  }
  return &*it;
}

void KeyStores::TakeNames(const KeyStores& settled) {
  for (std::size_t i = 0; i < stores_.size(); ++i) {
    stores_[i].wrapping_key = settled.stores_[i].wrapping_key;
    stores_[i].shares_wrapping_key = settled.stores_[i].shares_wrapping_key;
    stores_[i].former_names = settled.stores_[i].former_names;
  }
}

KeyStore& KeyStores::OfRegion(std::string_view region) {
  const auto it = std::ranges::find_if(stores_, [region](const auto& store) {
    return std::ranges::find(store.regions, region) != store.regions.end();
  });
  return it == stores_.end() ? primary() : *it;
}

KeyStore* KeyStores::OfCluster(std::string_view cluster_id) {
  const auto it = std::ranges::find(stores_, cluster_id, &KeyStore::cluster_id);
  return cluster_id.empty() || it == stores_.end() ? nullptr : &*it;
}

base::Result<KeyStore*> KeyStores::Of(const Key& key) {
  return key.key_store.empty() ? &primary() : Find(key.key_store);
}

base::Result<KeyStore*> KeyStores::Of(const Key& key,
                                      const KeyMaterial& material) {
  return key.key_store.empty()             ? &primary()
         : material.ref.wrapped != nullptr ? Find(key.key_store)
                                           : Find(material.key_store);
}

}  // namespace kms::operations
