// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FAKES_SOFTHSM_TOKEN_H_
#define TESTS_FAKES_SOFTHSM_TOKEN_H_

#include <string>

#include "hsm/token/token.h"

namespace fakes {

// A SoftHsmToken is a fresh SoftHSM token with its own directory and
// configuration, which SOFTHSM2_CONF names as long as it lives. The directory
// is made under /dev/shm (or `parent`) and removed at the end. Aborts if
// SoftHSM is not installed. One at a time.
class SoftHsmToken {
 public:
  static constexpr const char* kLabel = "test";
  static constexpr const char* kPin = "1234";
  static constexpr const char* kSoPin = "12345678";

  SoftHsmToken() : SoftHsmToken("/dev/shm") {}
  explicit SoftHsmToken(const std::string& parent, std::string pin = kPin);
  ~SoftHsmToken();
  SoftHsmToken(const SoftHsmToken&) = delete;
  SoftHsmToken& operator=(const SoftHsmToken&) = delete;

  // How to open it, with the right PIN.
  hsm::token::TokenConfig Config() const;

  const std::string& directory() const { return directory_; }
  const std::string& configuration() const { return configuration_; }

  // SoftHSM's tokendir, and the one token in it.
  std::string TokensDirectory() const;
  std::string TokenDirectory() const;

  static std::string ModulePath();

 private:
  std::string pin_;
  std::string directory_;
  std::string configuration_;
};

}  // namespace fakes

#endif  // TESTS_FAKES_SOFTHSM_TOKEN_H_
