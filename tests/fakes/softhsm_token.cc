// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/softhsm_token.h"

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "hsm/token/init_token.h"

namespace fakes {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "SoftHsmToken: %s\n", why.c_str());
  std::abort();
}

}  // namespace

SoftHsmToken::SoftHsmToken(const std::string& parent, std::string pin)
    : pin_(std::move(pin)) {
#ifdef __SANITIZE_ADDRESS__
  // Kept, so that a report at the end can tell its leaks from ours by name.
  dlopen(ModulePath().c_str(), RTLD_LAZY | RTLD_NODELETE);
#endif
  directory_ = parent + "/claviger-softhsm-XXXXXX";
  if (mkdtemp(directory_.data()) == nullptr) {
    Die("cannot make " + directory_);
  }
  fs::create_directory(TokensDirectory());
  configuration_ = directory_ + "/softhsm2.conf";
  std::ofstream(configuration_)
      << "directories.tokendir = " << TokensDirectory()
      << "\nobjectstore.backend = file\n"
         "log.level = ERROR\n";
  setenv("SOFTHSM2_CONF", configuration_.c_str(), 1);
  const auto made = hsm::token::InitSoftHsmToken(ModulePath(), kLabel,
                                                 base::Secret::CopyOf(kSoPin),
                                                 base::Secret::CopyOf(pin_));
  if (!made.has_value()) {
    Die(made.error().message);
  }
}

SoftHsmToken::~SoftHsmToken() {
  unsetenv("SOFTHSM2_CONF");
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

hsm::token::TokenConfig SoftHsmToken::Config() const {
  return {.module = ModulePath(),
          .token_uri = std::string("pkcs11:token=") + kLabel,
          .pin = base::Secret::CopyOf(pin_),
          .quirks = {},
          .lock_dir = directory_};
}

std::string SoftHsmToken::TokensDirectory() const {
  return directory_ + "/tokens";
}

std::string SoftHsmToken::TokenDirectory() const {
  return fs::directory_iterator(TokensDirectory())->path().string();
}

std::string SoftHsmToken::ModulePath() {
  constexpr std::array kPaths = {"/usr/lib/softhsm/libsofthsm2.so",
                                 "/usr/lib64/pkcs11/libsofthsm2.so",
                                 "/usr/lib/pkcs11/libsofthsm2.so"};
  for (const char* path : kPaths) {
    if (fs::exists(path)) {
      return path;
    }
  }
  Die("install SoftHSM 2 (Debian: softhsm2)");
}

}  // namespace fakes
