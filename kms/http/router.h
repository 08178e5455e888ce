// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_ROUTER_H_
#define KMS_HTTP_ROUTER_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>

#include "kms/http/aws_json.h"
#include "kms/http/message.h"
#include "kms/http/metrics.h"
#include "kms/http/query.h"
#include "kms/service.h"

namespace kms::http {

// Who may look at /metrics, /healthz and /readyz, which ask for no signature:
// loopback and the Unix socket always, a TLS listener only when told.
enum class Observers : std::uint8_t { kLocal, kAll };

// A Router is an HttpServer's handler: POST / goes to the API, forms in AWS's
// Query protocol and all else in its JSON protocol, and GET on three fixed
// paths shows how the server does. It belongs to one io thread.
class Router {
 public:
  // All references are borrowed.
  Router(AwsJsonDoor& json, QueryDoor& query, const Metrics& metrics,
         const Service& service, Observers observers)
      : json_(json),
        query_(query),
        metrics_(metrics),
        service_(service),
        observers_(observers) {}

  boost::asio::awaitable<HttpResponse> Handle(const HttpRequest& request);

 private:
  HttpResponse Look(const HttpRequest& request) const;
  HttpResponse ShowMetrics() const;
  HttpResponse ShowHealth() const;
  HttpResponse ShowReadiness() const;

  AwsJsonDoor& json_;
  QueryDoor& query_;
  const Metrics& metrics_;
  const Service& service_;
  const Observers observers_;
};

}  // namespace kms::http

#endif  // KMS_HTTP_ROUTER_H_
