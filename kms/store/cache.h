// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_CACHE_H_
#define KMS_STORE_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/result.h"

namespace kms::store {

// A Cache keeps the `capacity` values used last, each shared and immutable. It
// never shows a value older than the newest Drop() of its key: who fills it
// takes the version before reading from the database, and a value read before
// any Drop() is not accepted after it. Safe to call from any thread.
template <typename Value>
class Cache {
 public:
  using Pointer = std::shared_ptr<const Value>;

  explicit Cache(std::size_t capacity) : capacity_(capacity) {}

  Pointer Find(std::string_view key);  // Null if it is not here.

  // Counts the Drops so far.
  std::uint64_t version() const;

  // Keeps `value`, which was read when version() was `version` or later; does
  // nothing if there has been a Drop() since.
  void Insert(std::string_view key, Pointer value, std::uint64_t version);

  // Forgets these keys. Called after the commit that changed them.
  void Drop(const std::set<std::string>& keys);

  std::size_t size() const;

 private:
  struct Entry {
    std::string key;
    Pointer value;
  };
  using Entries = std::list<Entry>;

  void Erase(std::string_view key);

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::uint64_t version_ = 0;  // Guarded by mutex_.
  Entries entries_;            // Last used first. Guarded by mutex_.
  // Views the keys in entries_. Guarded by mutex_.
  std::unordered_map<std::string_view, typename Entries::iterator> by_key_;
};

// Answers from the cache, or else from `load`, whose answer it keeps. What is
// not there is not kept.
template <typename Value, typename Load>
base::Result<std::shared_ptr<const Value>> ReadThrough(Cache<Value>& cache,
                                                       std::string_view key,
                                                       Load&& load) {
  if (auto found = cache.Find(key); found != nullptr) {
    return found;
  }
  const std::uint64_t version = cache.version();
  ASSIGN_OR_RETURN(Value value, std::forward<Load>(load)());
  auto loaded = std::make_shared<const Value>(std::move(value));
  cache.Insert(key, loaded, version);
  return loaded;
}

template <typename Value>
typename Cache<Value>::Pointer Cache<Value>::Find(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto it = by_key_.find(key);
  if (it == by_key_.end()) {
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, it->second);
  return it->second->value;
}

template <typename Value>
std::uint64_t Cache<Value>::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

template <typename Value>
void Cache<Value>::Insert(std::string_view key, Pointer value,
                          std::uint64_t version) {
  const std::lock_guard lock(mutex_);
  if (version != version_ || capacity_ == 0) {
    return;
  }
  Erase(key);
  if (entries_.size() >= capacity_) {
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
  entries_.push_front(Entry{std::string(key), std::move(value)});
  by_key_.emplace(entries_.front().key, entries_.begin());
}

template <typename Value>
void Cache<Value>::Drop(const std::set<std::string>& keys) {
  if (keys.empty()) {
    return;
  }
  const std::lock_guard lock(mutex_);
  ++version_;
  for (const std::string& key : keys) {
    Erase(key);
  }
}

template <typename Value>
std::size_t Cache<Value>::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

template <typename Value>
void Cache<Value>::Erase(std::string_view key) {
  const auto it = by_key_.find(key);
  if (it == by_key_.end()) {
    return;
  }
  const auto entry = it->second;
  by_key_.erase(it);
  entries_.erase(entry);
}

}  // namespace kms::store

#endif  // KMS_STORE_CACHE_H_
