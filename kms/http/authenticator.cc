// SPDX-License-Identifier: Apache-2.0
#include "kms/http/authenticator.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/region.h"
#include "base/sigv4.h"
#include "kms/identity/principals.h"

namespace kms::http {
namespace {

base::Error Missing() {
  return {base::ErrorCode::kMissingAuthentication,
          "Missing Authentication Token"};
}

base::Error Unrecognized() {
  return {base::ErrorCode::kUnrecognizedClient,
          "The security token included in the request is invalid."};
}

base::SigV4Request SignedPart(const HttpRequest& request,
                              base::Hasher& hasher) {
  std::string_view query = request.target;
  const std::string_view path = base::CutAt(query, '?');
  return {.method = request.method,
          .path = path,
          .query = query,
          .headers = request.headers,
          .payload_sha256 = hasher.Sha256(base::AsBytes(request.body))};
}

}  // namespace

Authenticator::Authenticator(const identity::CredentialSource& credentials,
                             const base::Clock& clock, LocalIdentity local)
    : credentials_(credentials),
      clock_(clock),
      local_(std::move(local)),
      administrator_(std::make_shared<const Caller>(
          identity::Administrator(local_.account))) {}

base::Result<Identity> Authenticator::Authenticate(const HttpRequest& request,
                                                   std::string_view service) {
  if (request.Header("authorization")) {
    return CheckSignature(request, service);
  }
  if (request.peer.unix_peer) {
    return TrustKernel(request, *request.peer.unix_peer);
  }
  return Missing();
}

base::Result<Identity> Authenticator::CheckSignature(const HttpRequest& request,
                                                     std::string_view service) {
  const std::array services = {service};
  const base::SigV4Request signed_part = SignedPart(request, hasher_);
  const auto claim =
      base::ReadAuthorization(signed_part, services, clock_.Now());
  if (!claim) {
    return claim.error().code == base::ErrorCode::kMissingAuthentication
               ? Missing()
               : claim.error();
  }
  const std::shared_ptr<const identity::Credentials> credentials =
      credentials_.current();
  const identity::AccessKey* key = credentials->Find(claim->access_key_id);
  // We issue no session tokens: one that comes is not ours.
  if (key == nullptr || request.Header("x-amz-security-token")) {
    return Unrecognized();
  }
  RETURN_IF_ERROR(verifier_.Check(signed_part, *claim, key->secret,
                                  credentials->generation()));
  return Identity{.caller = {credentials, &key->caller},
                  .region = claim->region};
}

Caller Authenticator::CallerOf(uid_t uid) const {
  Caller caller = identity::UnixCaller(local_.account, uid, local_.own_uid);
  const auto service =
      std::ranges::find(local_.services, uid, &LocalService::uid);
  if (caller.administrator || service == local_.services.end()) {
    return caller;
  }
  return identity::Service(local_.account, service->service);
}

base::Result<Identity> Authenticator::TrustKernel(const HttpRequest& request,
                                                  const UnixPeer& peer) const {
  const std::string_view region =
      request.Header("x-claviger-region").value_or(local_.default_region);
  if (!base::IsRegionName(region)) {
    return base::Error{base::ErrorCode::kValidation,
                       "X-Claviger-Region must be the name of a Region, such "
                       "as us-east-1"};
  }
  Caller caller = CallerOf(peer.uid);
  if (caller.administrator) {
    return Identity{.caller = administrator_, .region = region};
  }
  return Identity{.caller = std::make_shared<const Caller>(std::move(caller)),
                  .region = region};
}

}  // namespace kms::http
