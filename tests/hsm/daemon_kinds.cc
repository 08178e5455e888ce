// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/opencryptoki_token.h"
#include "tests/fakes/tpm2_token.h"
#include "tests/hsm/contract_fixture.h"

// The tokens of tools/test --tokens, which have daemons.
namespace hsm::token {

std::vector<TokenKind> TokenKinds() {
  return {
      {.name = "OpenCryptoki",
       .make = TokenPlaceOf<fakes::OpenCryptokiToken>::Make,
       .lacks = {Algorithm::kXaes256Gcm, Algorithm::kAes256GcmCounter,
                 Algorithm::kP256Sign, Algorithm::kP384Sign,
                 Algorithm::kP521Sign, Algorithm::kSecp256k1Sign,
                 Algorithm::kEd25519Sign, Algorithm::kP256Agree,
                 Algorithm::kP384Agree, Algorithm::kP521Agree,
                 Algorithm::kHmacSha224},
       .wraps = false},
      {.name = "Tpm2",
       .make = TokenPlaceOf<fakes::Tpm2Token>::Make,
       .lacks = {},
       .wraps = false,
       .refusal = "the token makes no AES keys in a session"},
  };
}

}  // namespace hsm::token
