// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_TOOLS_CONFIG_TESTING_H_
#define TESTS_TOOLS_CONFIG_TESTING_H_

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/result.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"
#include "tools/config/config.h"

namespace tools::config {

inline constexpr const char* kStore = R"(
[[key_store]]
name = "main"
module = "/usr/lib/softhsm/libsofthsm2.so"
token = "pkcs11:token=main"
pin_file = "/etc/claviger/pin"
)";

class ConfigTest : public testing::Test {
 protected:
  base::Result<Config> Read(const std::string& text) {
    std::ofstream(path_, std::ios::trunc) << text;
    return Load(path_);
  }
  // With everything that must be there, and `more` in between (line 2 on).
  base::Result<Config> ReadWith(const std::string& more) {
    return Read("account = \"111122223333\"\n" + more + kStore);
  }

  testlib::TempDir folder_;
  std::string path_ = folder_ / "claviger.toml";
};

}  // namespace tools::config

#endif  // TESTS_TOOLS_CONFIG_TESTING_H_
