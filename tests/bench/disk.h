// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_DISK_H_
#define TESTS_BENCH_DISK_H_

#include <string>

#include "base/result.h"

namespace bench {

// A WorkFolder is a fresh folder on a real disk, removed when it goes.
class WorkFolder {
 public:
  // Makes it in `parent`. Fails with kInvalidArgument if that lies in memory:
  // there fdatasync costs nothing, and every figure would be too good.
  static base::Result<WorkFolder> Make(const std::string& parent);
  WorkFolder(WorkFolder&& other) noexcept;
  WorkFolder& operator=(WorkFolder&&) = delete;
  ~WorkFolder();

  const std::string& path() const { return path_; }

 private:
  explicit WorkFolder(std::string path);

  std::string path_;
};

// How long, in milliseconds, fdatasync takes after 4 KiB were written over a
// preallocated file in `folder`: what the audit log does. No request that waits
// for it can be faster.
struct DataSync {
  double p50_ms = 0;
  double p99_ms = 0;
};
base::Result<DataSync> MeasureDataSync(const std::string& folder);

}  // namespace bench

#endif  // TESTS_BENCH_DISK_H_
