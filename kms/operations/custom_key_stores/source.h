// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_CUSTOM_KEY_STORES_SOURCE_H_
#define KMS_OPERATIONS_CUSTOM_KEY_STORES_SOURCE_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kms/custom_key_store.h"
#include "kms/operations/custom_key_stores/stats.h"

// The custom key stores, in memory.
namespace kms::operations {

using XksProxyPtr = std::shared_ptr<const hsm::XksProxy>;

// A custom key store, and with what its proxy is asked: null if the secret of
// the store cannot be opened, and for a store that has no proxy.
struct OpenCustomKeyStore {
  CustomKeyStore store;
  XksProxyPtr proxy;

  bool HasProxy() const {
    return store.type == CustomKeyStoreType::kExternalKeyStore;
  }
};

// All custom key stores as they were at one moment. It never changes, so any
// thread may read it.
struct CustomKeyStoreList {
  std::uint64_t revision = 0;
  std::vector<OpenCustomKeyStore> stores;  // By id.

  // nullptr if there is none.
  const OpenCustomKeyStore* Find(std::string_view id) const;
};

// A CustomKeyStoreSource holds the list in force, and knows which proxies are
// being asked. Safe to call from any thread.
class CustomKeyStoreSource {
 public:
  // A Pass lets one request out to a proxy or a cluster, and is kept until that
  // is answered. It borrows the source.
  class Pass {
   public:
    Pass(CustomKeyStoreSource& source, std::string id, XksProxyPtr proxy);
    ~Pass();
    Pass(Pass&& other) noexcept;
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

    const XksProxyPtr& proxy() const { return proxy_; }  // Null: none.

   private:
    CustomKeyStoreSource* source_;
    std::string id_;
    XksProxyPtr proxy_;
  };

  std::shared_ptr<const CustomKeyStoreList> current() const;

  // Puts `next`, not null, in force for every request that starts after it,
  // unless a later revision is already.
  void Replace(std::shared_ptr<const CustomKeyStoreList> next);

  // The store's change to `revision` could not be read: nobody is let out to a
  // proxy until a list of that revision is in force.
  void FallBehind(std::uint64_t revision);
  bool is_behind() const { return behind_; }

  // Nothing unless the store is in `state` and the secret for its proxy is
  // known. From when a
  // list in which it is not is in force, nobody gets one any more.
  std::optional<Pass> Admit(
      std::string_view id, ConnectionState state = ConnectionState::kConnected);

  // Whether as many requests to the store's proxy are out as may be: one that
  // is slow must leave room to the others.
  static constexpr int kMostOut = 48;
  bool IsFull(std::string_view id) const;

  // Whether a request to the store's proxy is still out.
  bool IsAsked(std::string_view id) const;

  XksStats& stats() { return stats_; }
  const XksStats& stats() const { return stats_; }

 private:
  void Return(const std::string& id);

  XksStats stats_;
  mutable std::mutex mutex_;
  // Guarded by mutex_, as is what follows.
  std::shared_ptr<const CustomKeyStoreList> current_ =
      std::make_shared<const CustomKeyStoreList>();
  std::uint64_t needed_ = 0;                     // A revision.
  std::map<std::string, int, std::less<>> out_;  // Passes, by store.
  std::atomic<bool> behind_ = false;  // needed_ is ahead of current_.
};

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CUSTOM_KEY_STORES_SOURCE_H_
