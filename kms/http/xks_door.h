// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_XKS_DOOR_H_
#define KMS_HTTP_XKS_DOOR_H_

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string_view>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/sigv4_verifier.h"
#include "kms/http/head.h"
#include "kms/http/log_limit.h"
#include "kms/http/message.h"
#include "kms/http/metrics.h"
#include "kms/xks/proxy.h"
#include "kms/xks/quota.h"

namespace kms::http {

// An XksDoor is the XKS proxy API v1.0.3 over HTTP: it finds the tenant and the
// operation by the path, authenticates by SigV4 with one of the tenant's
// credentials, and has the Proxy answer. GET /ping is answered to anyone.
//
// Requests that cannot be authenticated are counted and logged, at a bounded
// rate; they never reach the Proxy or the audit log. Nor do those over the
// tenant's quota, so that they cannot fill it.
//
// It belongs to one io thread. A request borrows from it until answered.
class XksDoor {
 public:
  // Larger bodies cannot be a request (section 5.2: AAD and plaintext).
  static constexpr std::size_t kMostBody = 64 * 1024;

  // References are borrowed. More than `most_in_flight` requests at a time are
  // throttled.
  XksDoor(xks::Proxy& proxy, const xks::TenantSource& tenants,
          xks::Quotas& quotas, Metrics& metrics, const base::Clock& clock,
          std::size_t most_in_flight);

  boost::asio::awaitable<HttpResponse> Handle(const HttpRequest& request);

  // GET /ping; 404 for whatever else.
  static HttpResponse Ping(const HttpRequest& request);

  // What the door's listener says of what it does not read to its end: of a
  // body that is too large what Handle() says of one that is read.
  static HttpResponse Refuse(const Refusal& refusal);

 private:
  base::Result<base::SigV4Authorization> Authenticate(
      const HttpRequest& request, const xks::Tenant& tenant,
      std::uint64_t generation);
  boost::asio::awaitable<base::Result<base::WipingString>> Call(
      const HttpRequest& request, const xks::Route& route);
  void NoteFailure(const HttpRequest& request, const base::Error& error);

  xks::Proxy& proxy_;
  const xks::TenantSource& tenants_;
  xks::Quotas& quotas_;
  Metrics& metrics_;
  const base::Clock& clock_;
  const std::size_t most_in_flight_;
  base::Hasher hasher_{nullptr};  // Not the thread's that makes the door.
  base::SigV4Verifier verifier_{hasher_};
  const base::Secret nobody_;  // Whoever is unknown is compared with it.
  LogLimit log_limit_;
  std::size_t in_flight_ = 0;
};

}  // namespace kms::http

#endif  // KMS_HTTP_XKS_DOOR_H_
