// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_TESTLIB_TEMP_DIR_H_
#define TESTS_TESTLIB_TEMP_DIR_H_

#include <filesystem>
#include <string_view>

namespace testlib {

// A TempDir is a fresh directory with mode 0700 that is removed with all it
// holds when the object goes. It lies on /dev/shm where there is one: tokens
// and databases are several times faster there, and no test measures a disk.
class TempDir {
 public:
  // Aborts if no directory can be made.
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const;

 private:
  std::filesystem::path path_;
};

}  // namespace testlib

#endif  // TESTS_TESTLIB_TEMP_DIR_H_
