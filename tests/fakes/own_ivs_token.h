// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FAKES_OWN_IVS_TOKEN_H_
#define TESTS_FAKES_OWN_IVS_TOKEN_H_

#include "tests/fakes/softhsm_token.h"

namespace fakes {

// An OwnIvsToken is a SoftHsmToken behind a module that makes the IVs of
// AES-GCM itself (own_ivs/module.cc), as real HSMs do. The environment says
// how, as long as it lives. Its keys are SoftHSM's: SoftHsm() opens the same
// token without the module between.
class OwnIvsToken {
 public:
  OwnIvsToken() : OwnIvsToken("in place") {}
  // "in place": takes an IV of zeros and writes its own over it.
  // "overwrites": takes any IV and does the same.
  // "appends 12", "appends 16": takes any IV and appends its own, so long.
  // And liars: "keeps quiet" leaves the zeros, "repeats" has but one IV.
  // "caller": as SoftHSM does.
  explicit OwnIvsToken(const char* mode);
  ~OwnIvsToken();
  OwnIvsToken(const OwnIvsToken&) = delete;
  OwnIvsToken& operator=(const OwnIvsToken&) = delete;

  // How to open it, with the right PIN; not both at once.
  hsm::token::TokenConfig Config() const;
  hsm::token::TokenConfig SoftHsm() const { return softhsm_.Config(); }

  // From now on, also in a token that is open.
  static void Become(const char* mode);
  // CKM_AES_ECB_ENCRYPT_DATA does not exist any more.
  static void ForgetDerivation();

 private:
  SoftHsmToken softhsm_;
};

}  // namespace fakes

#endif  // TESTS_FAKES_OWN_IVS_TOKEN_H_
