// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CURRENT_H_
#define KMS_CURRENT_H_

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace kms {

// A Current holds what is in force of something that is read from the store as
// a whole: a T never changes, and a change of the store puts another in its
// place. T::revision, a function or a member, is the store's when it was read.
// Safe to call from any thread.
template <typename T>
class Current {
 public:
  using Pointer = std::shared_ptr<const T>;

  // `initial` is not null.
  explicit Current(Pointer initial) : current_(std::move(initial)) {}

  // What it points to stays as it is for as long as it is kept.
  Pointer current() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }

  // Puts `next`, not null, in force for every request that starts after it,
  // unless a later revision is already.
  void Replace(Pointer next) {
    const std::lock_guard lock(mutex_);
    if (RevisionOf(*next) >= RevisionOf(*current_)) {
      current_.swap(next);  // The old one goes when the lock is released.
    }
    behind_ = needed_ > RevisionOf(*current_);
  }

  // The store's change to `revision` could not be read: somebody must try
  // again, until a T of that revision is in force.
  void FallBehind(std::uint64_t revision) {
    const std::lock_guard lock(mutex_);
    needed_ = std::max(needed_, revision);
    behind_ = needed_ > RevisionOf(*current_);
  }
  bool is_behind() const { return behind_; }

  // What `read` makes of what is in force, which is not replaced meanwhile, and
  // of whether it is behind. It must not call this object.
  auto Read(std::invocable<const T&, bool> auto read) const {
    const std::lock_guard lock(mutex_);
    return read(*current_, behind_.load());
  }

 private:
  static std::uint64_t RevisionOf(const T& value) {
    return std::invoke(&T::revision, value);
  }

  mutable std::mutex mutex_;
  Pointer current_;                   // Guarded by mutex_.
  std::uint64_t needed_ = 0;          // Likewise: a revision.
  std::atomic<bool> behind_ = false;  // needed_ is ahead of current_.
};

}  // namespace kms

#endif  // KMS_CURRENT_H_
