// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/custom_key_stores/failures.h"

namespace kms::operations {

std::optional<std::uint64_t> XksFailures::Count(std::string_view store,
                                                XksFailure kind,
                                                base::MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  const auto [found, is_new] =
      seen_.try_emplace({std::string(store), kind}, Seen{.logged = now});
  Seen& seen = found->second;
  if (is_new) {
    return 0;
  }
  if (now - seen.logged < kInterval) {
    ++seen.passed_over;
    return std::nullopt;
  }
  seen.logged = now;
  return std::exchange(seen.passed_over, 0);
}

void XksFailures::Retain(
    const std::function<bool(std::string_view)>& is_there) {
  const std::lock_guard lock(mutex_);
  std::erase_if(seen_, [&is_there](const auto& entry) {
    return !is_there(entry.first.first);
  });
}

}  // namespace kms::operations
