// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FAKES_OPENCRYPTOKI_TOKEN_H_
#define TESTS_FAKES_OPENCRYPTOKI_TOKEN_H_

#include <string>

#include "hsm/token/token.h"

namespace fakes {

// An OpenCryptokiToken is the soft token of opencryptoki, made new. There is
// one in the system, which pkcsslotd serves: tools/test --tokens starts it.
// Aborts without. One at a time.
class OpenCryptokiToken {
 public:
  static constexpr const char* kLabel = "test";
  static constexpr const char* kPin = "1234";

  OpenCryptokiToken();
  ~OpenCryptokiToken();
  OpenCryptokiToken(const OpenCryptokiToken&) = delete;
  OpenCryptokiToken& operator=(const OpenCryptokiToken&) = delete;

  // How to open it, with the right PIN.
  hsm::token::TokenConfig Config() const;

  static std::string ModulePath();

 private:
  std::string directory_;
};

}  // namespace fakes

#endif  // TESTS_FAKES_OPENCRYPTOKI_TOKEN_H_
