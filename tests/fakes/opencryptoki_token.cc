// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/opencryptoki_token.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "tests/fakes/daemon_modules.h"
#include "tests/fakes/module_session.h"

namespace fakes {
namespace {

// Of a new token's officer, until he changes it; nobody may choose it.
constexpr const char* kFirstSoPin = "87654321";
constexpr const char* kSoPin = "76543210";
constexpr const char* kFirstPin = "123456";

// Neither officer nor user can do a thing before they have changed their PINs.
base::Status SetUp(ModuleSession& session) {
  RETURN_IF_ERROR(session.InitToken(OpenCryptokiToken::kLabel, kFirstSoPin));
  RETURN_IF_ERROR(session.Login(CKU_SO, kFirstSoPin));
  RETURN_IF_ERROR(session.SetPin(kFirstSoPin, kSoPin));
  RETURN_IF_ERROR(session.InitPin(kFirstPin));
  RETURN_IF_ERROR(session.Logout());
  RETURN_IF_ERROR(session.Login(CKU_USER, kFirstPin));
  return session.SetPin(kFirstPin, OpenCryptokiToken::kPin);
}

// A second C_InitToken succeeds, and no officer can log in after it
// (CKR_FUNCTION_FAILED): the token is set up once, and emptied.
base::Status Renew(const std::string& path) {
  ASSIGN_OR_RETURN(auto session, ModuleSession::Open(path));
  if (!session.IsInitialized()) {
    return SetUp(session);
  }
  RETURN_IF_ERROR(session.Login(CKU_USER, OpenCryptokiToken::kPin));
  return session.DestroyAll();
}

}  // namespace

OpenCryptokiToken::OpenCryptokiToken()
    : directory_("/dev/shm/claviger-opencryptoki-XXXXXX") {
  if (mkdtemp(directory_.data()) == nullptr) {
    Die("cannot make " + directory_);
  }
  if (const auto renewed = Renew(ModulePath()); !renewed.has_value()) {
    Die("opencryptoki: " + renewed.error().message);
  }
}

OpenCryptokiToken::~OpenCryptokiToken() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

hsm::token::TokenConfig OpenCryptokiToken::Config() const {
  return {.module = ModulePath(),
          .token_uri = std::string("pkcs11:token=") + kLabel,
          .pin = base::Secret::CopyOf(kPin),
          .quirks = {},
          .lock_dir = directory_};
}

std::string OpenCryptokiToken::ModulePath() {
  return DaemonModule("libopencryptoki.so");
}

}  // namespace fakes
