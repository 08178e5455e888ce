// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/disk.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "hsm/fd.h"

namespace bench {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kBlock = 4096;
constexpr int kSyncs = 1000;

Error SystemError(const std::string& what) {
  return {ErrorCode::kIo, what + ": " + std::strerror(errno)};
}

}  // namespace

WorkFolder::WorkFolder(std::string path) : path_(std::move(path)) {}

WorkFolder::WorkFolder(WorkFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

WorkFolder::~WorkFolder() {
  if (!path_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
}

base::Result<WorkFolder> WorkFolder::Make(const std::string& parent) {
  struct statfs file_system;
  if (statfs(parent.c_str(), &file_system) != 0) {
    return SystemError("cannot use the folder " + parent);
  }
  if (file_system.f_type == TMPFS_MAGIC || file_system.f_type == RAMFS_MAGIC) {
    return Error{ErrorCode::kInvalidArgument,
                 parent +
                     " lies in memory; name a folder on a disk with "
                     "--folder"};
  }
  std::string path = parent + "/claviger-bench-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {
    return SystemError("cannot make a folder in " + parent);
  }
  return WorkFolder(std::move(path));
}

base::Result<DataSync> MeasureDataSync(const std::string& folder) {
  const std::string path = folder + "/sync";
  const hsm::Fd file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  const std::vector<char> block(kBlock, 'x');
  if (file.get() < 0 ||
      posix_fallocate(file.get(), 0, kSyncs * static_cast<off_t>(kBlock)) !=
          0 ||
      fsync(file.get()) != 0) {
    return SystemError("cannot make " + path);
  }
  std::vector<double> milliseconds;
  for (int i = 0; i < kSyncs; ++i) {
    const auto start = std::chrono::steady_clock::now();
    if (pwrite(file.get(), block.data(), kBlock,
               i * static_cast<off_t>(kBlock)) !=
            static_cast<ssize_t>(kBlock) ||
        fdatasync(file.get()) != 0) {
      return SystemError("cannot write " + path);
    }
    const std::chrono::duration<double, std::milli> took =
        std::chrono::steady_clock::now() - start;
    milliseconds.push_back(took.count());
  }
  unlink(path.c_str());
  std::ranges::sort(milliseconds);
  return DataSync{.p50_ms = milliseconds[kSyncs / 2],
                  .p99_ms = milliseconds[kSyncs * 99 / 100]};
}

}  // namespace bench
