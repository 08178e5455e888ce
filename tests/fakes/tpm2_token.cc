// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/tpm2_token.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "tests/fakes/daemon_modules.h"
#include "tests/fakes/module_session.h"

namespace fakes {
namespace {

constexpr const char* kSoPin = "12345678";

base::Status Make(const std::string& path) {
  ASSIGN_OR_RETURN(auto session, ModuleSession::Open(path));
  RETURN_IF_ERROR(session.InitToken(Tpm2Token::kLabel, kSoPin));
  RETURN_IF_ERROR(session.Login(CKU_SO, kSoPin));
  return session.InitPin(Tpm2Token::kPin);
}

}  // namespace

Tpm2Token::Tpm2Token() : directory_("/dev/shm/claviger-tpm2-XXXXXX") {
  if (std::getenv("TPM2_PKCS11_TCTI") == nullptr) {
    Die("TPM2_PKCS11_TCTI names no TPM: use tools/test --tokens");
  }
  if (mkdtemp(directory_.data()) == nullptr) {
    Die("cannot make " + directory_);
  }
  setenv("TPM2_PKCS11_STORE", directory_.c_str(), 1);
  if (const auto made = Make(ModulePath()); !made.has_value()) {
    Die("tpm2-pkcs11: " + made.error().message);
  }
}

Tpm2Token::~Tpm2Token() {
  unsetenv("TPM2_PKCS11_STORE");
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

hsm::token::TokenConfig Tpm2Token::Config() const {
  return {.module = ModulePath(),
          .token_uri = std::string("pkcs11:token=") + kLabel,
          .pin = base::Secret::CopyOf(kPin),
          .quirks = {},
          .lock_dir = directory_};
}

std::string Tpm2Token::ModulePath() {
  return DaemonModule("libtpm2_pkcs11.so");
}

}  // namespace fakes
