// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/daemon_modules.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace fakes {

std::string DaemonModule(std::string_view file) {
  for (const char* folder : {"/usr/lib/x86_64-linux-gnu/pkcs11/",
                             "/usr/lib/aarch64-linux-gnu/pkcs11/"}) {
    std::string path = folder;
    path += file;
    if (std::filesystem::exists(path)) {
      return path;
    }
  }
  Die("there is no " + std::string(file) + ": use tools/test --tokens");
}

void Die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::abort();
}

}  // namespace fakes
