// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_SESSION_TOKEN_H_
#define KMS_OPERATIONS_SESSION_TOKEN_H_

#include <boost/asio/awaitable.hpp>
#include <string>

#include "base/result.h"
#include "kms/identity/session.h"
#include "kms/operations/call.h"

// Session tokens carry a session, sealed under the service key "session-token":
// docs/protocol/session_token.md.
namespace kms::operations {

// The token of a session. Fails as EncodeSession does.
boost::asio::awaitable<base::Result<std::string>> MakeSessionToken(
    Environment& environment, const identity::Session& session);

// Reads tokens on the token's own HSM. Belongs to one io thread.
class SessionTokens final : public identity::SessionOpener {
 public:
  // `environment` is borrowed.
  explicit SessionTokens(Environment& environment)
      : environment_(environment) {}

  boost::asio::awaitable<base::Result<identity::SessionPtr>> Open(
      std::string token) override;

 private:
  Environment& environment_;
};

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_SESSION_TOKEN_H_
