// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/nss_token.h"
#include "tests/fakes/own_ivs_token.h"
#include "tests/fakes/softhsm_token.h"
#include "tests/hsm/contract_fixture.h"

// The tokens that every test run has.
namespace hsm::token {

std::vector<TokenKind> TokenKinds() {
  return {
      {.name = "SoftHsm",
       .make = TokenPlaceOf<fakes::SoftHsmToken>::Make,
       .lacks = {},
       .wraps = true},
      {.name = "Nss",
       .make = TokenPlaceOf<fakes::NssToken>::Make,
       .lacks = {Algorithm::kSecp256k1Sign, Algorithm::kEd25519Sign},
       .wraps = false},
      {.name = "OwnIvs",
       .make = TokenPlaceOf<fakes::OwnIvsToken>::Make,
       .lacks = {},
       .wraps = true},
  };
}

}  // namespace hsm::token
