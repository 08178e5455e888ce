// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/nss_token.h"

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "base/bytes.h"
#include "hsm/token/module.h"

namespace fakes {
namespace {

namespace fs = std::filesystem;
using hsm::token::Check;

constexpr const char* kUri = "pkcs11:token=NSS%20Certificate%20DB";

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "NssToken: %s\n", why.c_str());
  std::abort();
}

// As certutil -N does: the SO of a new database has an empty PIN.
base::Status SetPin(const std::string& parameters) {
  ASSIGN_OR_RETURN(auto module,
                   hsm::token::Module::Load(NssToken::ModulePath()));
  RETURN_IF_ERROR(module.Initialize(parameters));
  ASSIGN_OR_RETURN(const auto slot, module.FindSlot(kUri));
  const CK_FUNCTION_LIST& functions = module.functions();
  CK_SESSION_HANDLE session = 0;
  RETURN_IF_ERROR(Check(
      functions.C_OpenSession(slot.id, CKF_SERIAL_SESSION | CKF_RW_SESSION,
                              nullptr, nullptr, &session),
      "C_OpenSession"));
  RETURN_IF_ERROR(
      Check(functions.C_Login(session, CKU_SO, hsm::token::Unconst({}), 0),
            "C_Login"));
  const auto pin = base::AsBytes(std::string_view(NssToken::kPin));
  return Check(
      functions.C_InitPIN(session, hsm::token::Unconst(pin), pin.size()),
      "C_InitPIN");
}

}  // namespace

NssToken::NssToken() : directory_("/dev/shm/claviger-nss-XXXXXX") {
#ifdef __SANITIZE_ADDRESS__
  // Kept, so that a report at the end can tell its leaks from ours by name.
  dlopen(ModulePath().c_str(), RTLD_LAZY | RTLD_NODELETE);
#endif
  // Thousands of rounds, each time that a key is read, guard against guesses of
  // a PIN that here everybody knows.
  setenv("NSS_MAX_MP_PBE_ITERATION_COUNT", "1", 1);
  if (mkdtemp(directory_.data()) == nullptr) {
    Die("cannot make " + directory_);
  }
  const auto set = SetPin(Parameters());
  if (!set.has_value()) {
    Die(set.error().message);
  }
}

NssToken::~NssToken() {
  unsetenv("NSS_MAX_MP_PBE_ITERATION_COUNT");
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

std::string NssToken::Parameters() const {
  return "configdir='sql:" + directory_ +
         "' certPrefix='' keyPrefix='' secmod='secmod.db' flags=";
}

hsm::token::TokenConfig NssToken::Config() const {
  return {
      .module = ModulePath(),
      .token_uri = kUri,
      .pin = base::Secret::CopyOf(kPin),
      .quirks = {},
      .lock_dir = directory_,
      .module_parameters = Parameters(),
      .accept_risks = {"keys-can-be-wrapped-out", "copies-can-be-extractable"}};
}

std::string NssToken::ModulePath() {
  constexpr std::array kPaths = {"/usr/lib/x86_64-linux-gnu/libsoftokn3.so",
                                 "/usr/lib/aarch64-linux-gnu/libsoftokn3.so",
                                 "/usr/lib64/libsoftokn3.so"};
  for (const char* path : kPaths) {
    if (fs::exists(path)) {
      return path;
    }
  }
  Die("install NSS (Debian: libnss3)");
}

}  // namespace fakes
