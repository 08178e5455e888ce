// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_XKS_SIGNED_REQUEST_H_
#define HSM_XKS_SIGNED_REQUEST_H_

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/sigv4_signer.h"
#include "base/wiping.h"
#include "hsm/messages.h"

namespace hsm::xks {

// A SignedRequest is what goes to a proxy: a POST with these headers, to which
// nothing that is signed may be added.
struct SignedRequest {
  std::string host;  // In lower case; the port is 443.
  std::string path;
  std::vector<base::Header> headers;  // But for host.
  base::WipingString body;
};

// The body of `request` (XKS proxy API specification 1.0.3): members that are
// empty are left out.
base::WipingString BodyOf(const XksRequest& request);

// Fails with kInvalidArgument if the request names no proxy, or an endpoint, a
// path or a key that the API does not allow.
base::Result<SignedRequest> SignRequest(const XksRequest& request,
                                        base::WallTime now);

}  // namespace hsm::xks

#endif  // HSM_XKS_SIGNED_REQUEST_H_
