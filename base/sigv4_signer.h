// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_SIGV4_SIGNER_H_
#define BASE_SIGV4_SIGNER_H_

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/sigv4.h"

namespace base {

// An access key. `session_token` is empty for long-term credentials.
struct SigV4Credentials {
  std::string access_key_id;
  Secret secret_access_key;
  std::string session_token;
};

// A header field to send.
struct Header {
  std::string name;
  std::string value;
};

// A SigV4Signer signs requests of one client in one Region to one service. It
// keeps the day's signing key. Not synchronised.
class SigV4Signer {
 public:
  // `hasher` is borrowed and must outlive the signer.
  SigV4Signer(Hasher& hasher, SigV4Credentials credentials, std::string region,
              std::string service);

  // Returns the headers to add to `request`: x-amz-date, x-amz-security-token
  // if there is a session token, and authorization. Every header in the request
  // is signed but for those that proxies may change (user-agent, connection,
  // expect, transfer-encoding, x-amzn-trace-id). Fails with kInvalidArgument if
  // `host` is not among them or one that we add is.
  Result<std::vector<Header>> Sign(const SigV4Request& request, WallTime now);

 private:
  const Secret& KeyFor(const std::string& scope);

  Hasher& hasher_;
  SigV4Credentials credentials_;
  std::string region_;
  std::string service_;
  std::string key_scope_;
  Secret key_;  // Signs in key_scope_: today's.
};

}  // namespace base

#endif  // BASE_SIGV4_SIGNER_H_
