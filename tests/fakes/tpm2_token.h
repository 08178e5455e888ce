// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FAKES_TPM2_TOKEN_H_
#define TESTS_FAKES_TPM2_TOKEN_H_

#include <string>

#include "hsm/token/token.h"

namespace fakes {

// A Tpm2Token is a new token of tpm2-pkcs11, with a store of its own that is
// removed at the end, on the TPM that TPM2_PKCS11_TCTI names: tools/test
// --tokens starts swtpm and says so. Aborts without. One at a time.
class Tpm2Token {
 public:
  static constexpr const char* kLabel = "test";
  static constexpr const char* kPin = "1234";

  Tpm2Token();
  ~Tpm2Token();
  Tpm2Token(const Tpm2Token&) = delete;
  Tpm2Token& operator=(const Tpm2Token&) = delete;

  // How to open it, with the right PIN.
  hsm::token::TokenConfig Config() const;

  static std::string ModulePath();

 private:
  std::string directory_;
};

}  // namespace fakes

#endif  // TESTS_FAKES_TPM2_TOKEN_H_
