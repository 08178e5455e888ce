// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_AUTHENTICATOR_H_
#define KMS_HTTP_AUTHENTICATOR_H_

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/sigv4_verifier.h"
#include "kms/caller.h"
#include "kms/http/message.h"
#include "kms/identity/directory.h"
#include "kms/identity/session.h"

namespace kms::http {

// A process of this uid on the Unix socket is the principal: a service
// ("s3.amazonaws.com"), the user with an ARN, or a session, named uid-N, of the
// role with an ARN.
struct LocalPrincipal {
  uid_t uid;
  std::string principal;
};

// Whom callers without a signature stand for, and where.
struct LocalIdentity {
  std::string account;
  std::string default_region;
  uid_t own_uid;  // The server's.
  // Not root's uid nor own_uid: those are the administrator in any case.
  std::vector<LocalPrincipal> principals = {};
  // By the SHA-256 of a client certificate: the ARN of a user, or of a role, of
  // which it is the session cert-, with the first 16 digits of the SHA-256.
  std::map<base::Digest, std::string> certificates = {};
};

// Who sent a request, and the Region it is meant for.
struct Identity {
  std::shared_ptr<const Caller> caller;
  std::string_view region;  // Borrows from the request or the Authenticator.
};

// An Authenticator finds out who sent a request. A signature (SigV4, for the
// service that is asked) counts at every door, and then nothing else does.
// Without one, what counts is
// - on the Unix socket the kernel's word for the uid: root and the server's own
//   uid are the administrator of the default account, a configured uid is its
//   principal, and any other uid N is the user uid-N of the default account, if
//   there is one;
// - with TLS the client's certificate, if it is a configured one and valid now,
//   unless a browser sends the request, which would use it for any page.
//
// Not synchronised: one per io thread.
class Authenticator {
 public:
  // `directory`, `sessions` and `clock` are borrowed.
  Authenticator(const identity::DirectorySource& directory,
                identity::SessionOpener& sessions, const base::Clock& clock,
                LocalIdentity local);

  // Whether the request has a session token that has not been seen:
  // Authenticate refuses it until OpenToken has read it. Nothing is known of
  // who sends it: what cannot be good, or was not, does not reach the HSM, and
  // only a few are read at once (kThrottled).
  bool MustOpenToken(const HttpRequest& request) const;
  boost::asio::awaitable<base::Status> OpenToken(const HttpRequest& request,
                                                 std::string_view service);

  // `service` is the one that a signature must be for: "kms", "iam", "sts".
  // Fails with the codes for "who asks" (base/error_code.h), AWS's texts; with
  // kValidation if X-Claviger-Region names no Region.
  base::Result<Identity> Authenticate(const HttpRequest& request,
                                      std::string_view service);

  // Nobody, in the default Region.
  Identity Anonymous() const;

 private:
  // A session token that has been read, and whom it stands for in the directory
  // `callers_of_`; nullptr: that is not known yet.
  struct KnownSession {
    identity::SessionPtr session;
    std::shared_ptr<const Caller> caller;
  };

  base::Status CheckTokenWorthOpening(const HttpRequest& request,
                                      std::string_view service,
                                      const base::Digest& digest);
  base::Result<base::SigV4Authorization> ReadClaim(
      const base::SigV4Request& signed_part, std::string_view service) const;

  base::Result<Identity> CheckSignature(const HttpRequest& request,
                                        std::string_view service);
  base::Result<Identity> CheckLongTerm(const base::SigV4Request& request,
                                       const base::SigV4Authorization& claim);
  base::Result<Identity> CheckSession(const base::SigV4Request& request,
                                      const base::SigV4Authorization& claim,
                                      std::string_view token);
  base::Result<Identity> TrustKernel(const HttpRequest& request,
                                     const UnixPeer& peer) const;
  base::Result<Identity> TrustCertificate(
      const HttpRequest& request, const PeerCertificate& certificate) const;
  base::Result<std::string_view> RegionOf(const HttpRequest& request) const;
  base::Result<std::shared_ptr<const Caller>> LocalCaller(uid_t uid) const;

  const identity::DirectorySource& directory_;
  identity::SessionOpener& sessions_;
  const base::Clock& clock_;
  const LocalIdentity local_;
  // By token. Bounded: emptied when it is full.
  std::unordered_map<std::string, KnownSession> known_sessions_;
  std::shared_ptr<const identity::Directory> callers_of_;
  std::set<base::Digest> refused_tokens_;  // Likewise.
  int opening_ = 0;
  // Not ThreadHasher(): who constructs us may be on another thread.
  base::Hasher hasher_{nullptr};
  base::SigV4Verifier verifier_{hasher_};
};

}  // namespace kms::http

#endif  // KMS_HTTP_AUTHENTICATOR_H_
