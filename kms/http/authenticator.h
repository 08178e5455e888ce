// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_AUTHENTICATOR_H_
#define KMS_HTTP_AUTHENTICATOR_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/sigv4_verifier.h"
#include "kms/caller.h"
#include "kms/http/message.h"
#include "kms/identity/credentials.h"

namespace kms::http {

// A process of this uid on the Unix socket is the service principal.
struct LocalService {
  uid_t uid;
  std::string service;  // "s3.amazonaws.com"
};

// Whom callers without a signature stand for, and where.
struct LocalIdentity {
  std::string account;
  std::string default_region;
  uid_t own_uid;  // The server's.
  // Not root's uid nor own_uid: those are the administrator in any case.
  std::vector<LocalService> services = {};
};

// Who sent a request, and the Region it is meant for.
struct Identity {
  std::shared_ptr<const Caller> caller;
  std::string_view region;  // Borrows from the request or the Authenticator.
};

// An Authenticator finds out who sent a request. A signature (SigV4, for the
// service that is asked) counts at every door. Without one, the kernel's word
// for the uid counts on the Unix socket, and nothing anywhere else.
//
// Not synchronised: one per io thread.
class Authenticator {
 public:
  // `credentials` and `clock` are borrowed.
  Authenticator(const identity::CredentialSource& credentials,
                const base::Clock& clock, LocalIdentity local);

  // `service` is the one that a signature must be for: "kms", "iam", "sts".
  // Fails with the codes for "who asks" (base/error_code.h), AWS's texts; with
  // kValidation if X-Claviger-Region names no Region.
  base::Result<Identity> Authenticate(const HttpRequest& request,
                                      std::string_view service);

 private:
  base::Result<Identity> CheckSignature(const HttpRequest& request,
                                        std::string_view service);
  base::Result<Identity> TrustKernel(const HttpRequest& request,
                                     const UnixPeer& peer) const;
  Caller CallerOf(uid_t uid) const;

  const identity::CredentialSource& credentials_;
  const base::Clock& clock_;
  const LocalIdentity local_;
  const std::shared_ptr<const Caller> administrator_;
  // Not ThreadHasher(): who constructs us may be on another thread.
  base::Hasher hasher_{nullptr};
  base::SigV4Verifier verifier_{hasher_};
};

}  // namespace kms::http

#endif  // KMS_HTTP_AUTHENTICATOR_H_
