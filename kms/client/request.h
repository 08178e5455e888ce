// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_REQUEST_H_
#define KMS_CLIENT_REQUEST_H_

#include <string_view>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/sigv4_signer.h"
#include "base/wiping.h"
#include "kms/client/options.h"

namespace kms::client {

// Fails with kInvalidArgument if the Region holds a character that has no place
// in a header.
base::Status CheckRegion(std::string_view region);

// The same for the access key id and the session token.
base::Status CheckCredentials(const base::SigV4Credentials& credentials);

// What signing takes. Everything in it is borrowed.
struct Signing {
  base::SigV4Signer* signer;  // nullptr: do not sign.
  base::Hasher& hasher;
  base::WallTime now;
};

// The HTTP request that calls `operation` with the JSON text `body`: signed, or
// unsigned but with X-Claviger-Region. Fails with kInvalidArgument if
// `operation` is no name. `options` have been checked.
base::Result<base::WipingString> CallRequest(const Options& options,
                                             std::string_view operation,
                                             std::string_view body,
                                             const Signing& signing);

// The HTTP request that fetches `path`, unsigned.
base::Result<base::WipingString> GetRequest(const Options& options,
                                            std::string_view path);

}  // namespace kms::client

#endif  // KMS_CLIENT_REQUEST_H_
