// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FAKES_FAKE_TOKEN_H_
#define TESTS_FAKES_FAKE_TOKEN_H_

#include <string>
#include <string_view>
#include <vector>

#include "hsm/token/token.h"

namespace fakes {

// A FakeToken is a fresh fake PKCS#11 token (tests/fakes/pkcs11) with its own
// directory, which the environment names as long as it lives; child processes
// see the same token. One at a time.
class FakeToken {
 public:
  FakeToken();
  ~FakeToken();
  FakeToken(const FakeToken&) = delete;
  FakeToken& operator=(const FakeToken&) = delete;

  // How to open it, with the right PIN.
  hsm::token::TokenConfig Config() const;
  static std::string ModulePath();

  // Replaces what it does wrong: commands of pkcs11/faults.h, one a line.
  void Tell(std::string_view commands) const;

  // A call of one of the module's functions, and whether the token's lock was
  // held.
  struct Call {
    std::string function;
    bool locked;
  };

  // The calls since the last Take, in order; or only their functions' names.
  std::vector<Call> TakeDetailedCalls() const;
  std::vector<std::string> TakeCalls() const;

 private:
  std::string directory_;
};

}  // namespace fakes

#endif  // TESTS_FAKES_FAKE_TOKEN_H_
