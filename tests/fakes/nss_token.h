// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FAKES_NSS_TOKEN_H_
#define TESTS_FAKES_NSS_TOKEN_H_

#include <string>

#include "hsm/token/token.h"

namespace fakes {

// An NssToken is the real token of NSS softokn, fresh, in a directory of its
// own under /dev/shm that is removed at the end. It allows two thefts, which
// Config() accepts. Aborts if NSS is not installed.
class NssToken {
 public:
  static constexpr const char* kPin = "1234";

  NssToken();
  ~NssToken();
  NssToken(const NssToken&) = delete;
  NssToken& operator=(const NssToken&) = delete;

  // How to open it, with the right PIN.
  hsm::token::TokenConfig Config() const;

  static std::string ModulePath();

 private:
  std::string Parameters() const;

  std::string directory_;
};

}  // namespace fakes

#endif  // TESTS_FAKES_NSS_TOKEN_H_
