// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMS_STORE_FAILING_DISK_H_
#define TESTS_KMS_STORE_FAILING_DISK_H_

#include <string>

namespace kms::store {

// A FailingDisk is an SQLite VFS over the default one whose operations fail
// when told to, in the whole process. There is one at a time; its destruction
// ends all failures. Safe to use from any thread.
class FailingDisk {
 public:
  FailingDisk();
  ~FailingDisk();
  FailingDisk(const FailingDisk&) = delete;
  FailingDisk& operator=(const FailingDisk&) = delete;

  std::string vfs() const { return "failing"; }

  // An SQLite result code for every call from now on; SQLITE_OK ends it.
  void FailWrites(int code);
  void FailSyncs(int code);
  void FailReads(int code);

  // The same for the next `count` calls only.
  void FailNextSyncs(int count, int code);

  // Somebody else seems to hold the write lock for the next `count` attempts.
  void RefuseLocks(int count);
};

}  // namespace kms::store

#endif  // TESTS_KMS_STORE_FAILING_DISK_H_
