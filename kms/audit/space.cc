// SPDX-License-Identifier: Apache-2.0
#include "kms/audit/space.h"

#include <sys/statvfs.h>

#include "base/log.h"
#include "kms/audit/files.h"

namespace kms::audit {
namespace {

base::Result<std::uint64_t> FreeBytes(const std::string& folder) {
  struct statvfs status {};
  if (statvfs(folder.c_str(), &status) != 0) {
    return IoError("ask for the free space of", folder);
  }
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

}  // namespace

SpaceWatch::SpaceWatch(const LogOptions& options, const base::Clock& clock)
    : options_(options),
      clock_(clock),
      looked_(clock.Monotonic() - kInterval) {}

void SpaceWatch::Poll() {
  const base::MonotonicTime now = clock_.Monotonic();
  base::MonotonicTime looked = looked_;
  if (now - looked >= kInterval &&
      looked_.compare_exchange_strong(looked, now)) {
    Look();
  }
}

void SpaceWatch::Look() {
  const auto free_bytes = options_.free_bytes_of
                              ? options_.free_bytes_of(options_.folder)
                              : FreeBytes(options_.folder);
  if (!free_bytes) {
    base::LogWarning("audit: cannot {}", free_bytes.error().message);
    return;
  }
  free_bytes_ = *free_bytes;
  const bool low = *free_bytes < options_.low_space_bytes;
  if (low_.exchange(low) == low) {
    return;
  }
  if (low) {
    base::LogWarning(
        "audit: only {} MiB are free in {} (warning below {} MiB); when none "
        "are left, every request is refused: make room",
        *free_bytes >> 20, options_.folder, options_.low_space_bytes >> 20);
  } else {
    base::LogInfo("audit: {} MiB are free again in {}", *free_bytes >> 20,
                  options_.folder);
  }
}

}  // namespace kms::audit
