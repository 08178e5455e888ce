// SPDX-License-Identifier: Apache-2.0
#include "tests/testlib/temp_dir.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>

namespace testlib {

TempDir::TempDir() {
  for (const char* const parent : {"/dev/shm", "/tmp"}) {
    std::string name = std::string(parent) + "/claviger-test-XXXXXX";
    if (mkdtemp(name.data()) != nullptr) {
      path_ = name;
      return;
    }
  }
  std::perror("TempDir: mkdtemp under /dev/shm and /tmp");
  std::abort();
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path TempDir::operator/(std::string_view name) const {
  return path_ / name;
}

}  // namespace testlib
