// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "hsm/token/pkcs11_token.h"
#include "hsm/token/token.h"

namespace hsm::token {

base::Result<std::unique_ptr<Token>> Token::Open(TokenConfig config,
                                                 const base::Clock& clock) {
  ASSIGN_OR_RETURN(auto connection, Connection::Open(config));
  Profile profile;
  ASSIGN_OR_RETURN(Canary canary,
                   Canary::Make(connection->sessions(), profile.attributes));
  auto token = std::make_unique<Pkcs11Token>(
      std::move(connection), std::move(canary), std::move(profile), clock);
  RETURN_IF_ERROR(token->Start());
  return token;
}

}  // namespace hsm::token
