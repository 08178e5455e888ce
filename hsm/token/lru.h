// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_LRU_H_
#define HSM_TOKEN_LRU_H_

#include <cstddef>
#include <list>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace hsm::token {

// An Lru is a map of at most `capacity` entries that lets go of the one unused
// for longest. What goes is handed back, since it may name something that must
// be released. Not thread-safe; pointers last until the next change.
template <typename Key, typename Value, typename Hash>
class Lru {
 public:
  explicit Lru(std::size_t capacity) : capacity_(capacity) {}

  // The value of `key`, which now counts as used; nullptr if there is none.
  Value* Find(const Key& key) {
    const auto it = index_.find(key);
    if (it == index_.end()) {
      return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, it->second);
    return &it->second->second;
  }

  // Adds an entry for a `key` that has none, and returns the value that had to
  // make room for it.
  std::optional<Value> Insert(const Key& key, Value value) {
    std::optional<Value> gone;
    if (entries_.size() >= capacity_) {
      gone = std::move(entries_.back().second);
      index_.erase(entries_.back().first);
      entries_.pop_back();
    }
    entries_.emplace_front(key, std::move(value));
    index_.emplace(key, entries_.begin());
    return gone;
  }

  // Removes the entries whose key fulfils `condition` and returns their values.
  template <typename Condition>
  std::vector<Value> RemoveIf(Condition condition) {
    std::vector<Value> gone;
    for (auto it = entries_.begin(); it != entries_.end();) {
      if (condition(it->first)) {
        gone.push_back(std::move(it->second));
        index_.erase(it->first);
        it = entries_.erase(it);
      } else {
        ++it;
      }
    }
    return gone;
  }

  std::size_t size() const { return entries_.size(); }

 private:
  using Entries = std::list<std::pair<Key, Value>>;

  std::size_t capacity_;
  Entries entries_;  // Most recently used first.
  std::unordered_map<Key, typename Entries::iterator, Hash> index_;
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_LRU_H_
