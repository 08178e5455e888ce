// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_CUSTOM_KEY_STORES_SOURCE_H_
#define KMS_OPERATIONS_CUSTOM_KEY_STORES_SOURCE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kms/current.h"
#include "kms/custom_key_store.h"
#include "kms/operations/custom_key_stores/failures.h"
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
class CustomKeyStoreSource : public Current<CustomKeyStoreList> {
 public:
  // A Pass lets one request out to a proxy or a cluster, and is kept until that
  // is answered. It borrows the source.
  class Pass {
   public:
    Pass(CustomKeyStoreSource& source, std::string id, XksProxyPtr proxy,
         std::uint64_t number);
    ~Pass();
    Pass(Pass&& other) noexcept;
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

    const XksProxyPtr& proxy() const { return proxy_; }  // Null: none.

   private:
    CustomKeyStoreSource* source_;
    std::string id_;
    XksProxyPtr proxy_;
    std::uint64_t number_;
  };

  CustomKeyStoreSource();

  // By which VPC endpoint services stores may be reached; none at first. Call
  // before the first request.
  void OfferVpcServices(std::vector<std::string> names) {
    vpc_services_ = std::move(names);
  }
  bool HasVpcService(std::string_view name) const {
    return std::ranges::find(vpc_services_, name) != vpc_services_.end();
  }

  // Nothing unless the store is in `state` and the secret for its proxy, if it
  // has one, is known. From when a list in which it is not is in force, nobody
  // gets one any more; nor while the list is behind the store.
  std::optional<Pass> Admit(
      std::string_view id, ConnectionState state = ConnectionState::kConnected);

  // Whether as many requests to the store's proxy are out as may be: one that
  // is slow must leave room to the others. Enough for 1,800 a second at the
  // 35 ms that AWS wants of a proxy (AWS KMS Developer Guide, "External key
  // stores").
  static constexpr std::size_t kMostOut = 64;
  bool IsFull(std::string_view id) const;

  // The number of the last pass: those that come have greater ones.
  std::uint64_t LastPass() const;

  // Whether a request to the store's proxy is still out with a pass up to
  // `last`.
  bool IsAsked(std::string_view id, std::uint64_t last) const;

  // Since when trouble of our own has kept us from trying to connect the store;
  // since `now`, if nothing did so far. EndTrouble() when it is over.
  base::MonotonicTime TroubleSince(const std::string& id,
                                   base::MonotonicTime now);
  void EndTrouble(std::string_view id);

  XksStats& stats() { return stats_; }
  const XksStats& stats() const { return stats_; }
  XksFailures& failures() { return failures_; }

 private:
  void Return(const std::string& id, std::uint64_t number);

  XksStats stats_;
  std::vector<std::string> vpc_services_;
  mutable std::mutex mutex_;
  std::uint64_t last_pass_ = 0;  // Guarded by mutex_.
  // Likewise: the numbers of passes, by store.
  std::map<std::string, std::set<std::uint64_t>, std::less<>> out_;
  // Likewise.
  std::map<std::string, base::MonotonicTime, std::less<>> troubles_;
  XksFailures failures_;
};

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CUSTOM_KEY_STORES_SOURCE_H_
