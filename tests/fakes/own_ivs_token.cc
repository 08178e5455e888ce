// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/own_ivs_token.h"

#include <cstdlib>

namespace fakes {

OwnIvsToken::OwnIvsToken(const char* mode) {
  setenv("OWN_IVS_MODULE", SoftHsmToken::ModulePath().c_str(), 1);
  Become(mode);
}

OwnIvsToken::~OwnIvsToken() {
  unsetenv("OWN_IVS_MODULE");
  unsetenv("OWN_IVS_MODE");
  unsetenv("OWN_IVS_NO_DERIVE");
}

hsm::token::TokenConfig OwnIvsToken::Config() const {
  hsm::token::TokenConfig config = softhsm_.Config();
  config.module = OWN_IVS_MODULE_PATH;
  config.quirks = "softhsm";
  return config;
}

void OwnIvsToken::Become(const char* mode) { setenv("OWN_IVS_MODE", mode, 1); }

void OwnIvsToken::ForgetDerivation() { setenv("OWN_IVS_NO_DERIVE", "1", 1); }

}  // namespace fakes
