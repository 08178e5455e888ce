// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/fake_token.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

namespace fakes {
namespace {

namespace fs = std::filesystem;

}  // namespace

FakeToken::FakeToken() : directory_("/dev/shm/claviger-fake-XXXXXX") {
  if (mkdtemp(directory_.data()) == nullptr) {
    std::perror("FakeToken");
    std::abort();
  }
  setenv("FAKE_PKCS11_CONTROL", (directory_ + "/control").c_str(), 1);
  setenv("FAKE_PKCS11_STORE", (directory_ + "/store").c_str(), 1);
  setenv("FAKE_PKCS11_CALLS", (directory_ + "/calls").c_str(), 1);
  setenv("FAKE_PKCS11_LOCK_DIR", directory_.c_str(), 1);
}

FakeToken::~FakeToken() {
  unsetenv("FAKE_PKCS11_CONTROL");
  unsetenv("FAKE_PKCS11_STORE");
  unsetenv("FAKE_PKCS11_CALLS");
  unsetenv("FAKE_PKCS11_LOCK_DIR");
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

hsm::token::TokenConfig FakeToken::Config() const {
  return {.module = ModulePath(),
          .token_uri = "pkcs11:token=fake",
          .pin = base::Secret::CopyOf("1234"),
          .quirks = {},
          .lock_dir = directory_};
}

std::string FakeToken::ModulePath() { return FAKE_PKCS11_MODULE; }

void FakeToken::Tell(std::string_view commands) const {
  std::ofstream(directory_ + "/control", std::ios::trunc) << commands << '\n';
}

std::vector<FakeToken::Call> FakeToken::TakeDetailedCalls() const {
  std::vector<Call> calls;
  std::ifstream file(directory_ + "/calls");
  for (std::string line; std::getline(file, line);) {
    const auto space = line.find(' ');
    calls.push_back({.function = line.substr(0, space),
                     .locked = space != std::string::npos});
  }
  fs::remove(directory_ + "/calls");
  return calls;
}

std::vector<std::string> FakeToken::TakeCalls() const {
  std::vector<std::string> functions;
  for (Call& call : TakeDetailedCalls()) {
    functions.push_back(std::move(call.function));
  }
  return functions;
}

}  // namespace fakes
