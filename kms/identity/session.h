// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_IDENTITY_SESSION_H_
#define KMS_IDENTITY_SESSION_H_

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace kms::identity {

// A Session is what temporary credentials stand for; the session token carries
// all of it, sealed (docs/protocol/session_token.md). Immutable once shared.
struct Session {
  std::string access_key_id;  // ASIA...
  base::Secret secret;
  std::string account;
  std::string principal_id;  // AROA... or AIDA...: of the role or user.
  std::string name;          // Of a role's session; empty for a user's.
  base::WallTime issued{};
  base::WallTime expires{};
  std::string source_identity;
  std::string provider;  // Of a web identity: the issuer.
  std::vector<std::pair<std::string, std::string>> tags;  // By key.
  std::vector<std::string> transitive_tags;
  std::string policy;  // Inline session policy; empty if none.
  std::vector<std::string> policy_arns;
};
using SessionPtr = std::shared_ptr<const Session>;

// The longest that the encoded form of a session may be, in bytes.
inline constexpr std::size_t kMaxSessionBytes = 6 * 1024;

// The bytes that are sealed, and back. Fails with kPackedPolicyTooLarge if they
// are too many, and with kCorrupt for bytes that are no session.
base::Result<base::WipingBytes> EncodeSession(const Session& session);
base::Result<Session> DecodeSession(base::ByteView bytes);

// A SessionOpener reads session tokens. It belongs to one io thread.
class SessionOpener {
 public:
  virtual ~SessionOpener() = default;

  // Fails with kUnrecognizedClient for what is no session token of this server.
  // Does not look at the time.
  virtual boost::asio::awaitable<base::Result<SessionPtr>> Open(
      std::string token) = 0;
};

}  // namespace kms::identity

#endif  // KMS_IDENTITY_SESSION_H_
