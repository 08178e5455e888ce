// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_FILE_LOCK_H_
#define KMS_STORE_FILE_LOCK_H_

#include <string>

#include "base/result.h"

namespace kms::store {

// A FileLock is the right to write a store: an exclusive lock (flock) on a file
// that lies beside the database, held as long as the object lives and released
// by the kernel if the process dies. The file stays; it holds the process id of
// its last holder, for the error message.
class FileLock {
 public:
  // Fails at once with kBusy, naming the holder, if somebody has the lock, and
  // with kIo if the file cannot be made.
  static base::Result<FileLock> Acquire(const std::string& path);

  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;

 private:
  explicit FileLock(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace kms::store

#endif  // KMS_STORE_FILE_LOCK_H_
