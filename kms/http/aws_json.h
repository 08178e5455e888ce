// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_AWS_JSON_H_
#define KMS_HTTP_AWS_JSON_H_

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "kms/http/authenticator.h"
#include "kms/http/log_limit.h"
#include "kms/http/message.h"
#include "kms/http/metrics.h"
#include "kms/service.h"

namespace kms::http {

// An AwsJsonDoor answers requests in AWS's JSON 1.1 protocol: POST /, the
// operation in X-Amz-Target, a JSON object in and out. It authenticates, hands
// the request to the Service, and turns what comes back into HTTP.
//
// Requests that cannot be authenticated are counted and logged, at a bounded
// rate; they never reach the Service or its audit log.
//
// It belongs to one io thread. A request borrows from it until answered.
class AwsJsonDoor {
 public:
  struct Options {
    LocalIdentity local;
    // More at a time get ThrottlingException.
    std::size_t most_in_flight = 512;
  };

  // All references are borrowed.
  AwsJsonDoor(Service& service, const identity::DirectorySource& directory,
              identity::SessionOpener& sessions, Metrics& metrics,
              const base::Clock& clock, Options options);

  boost::asio::awaitable<HttpResponse> Handle(const HttpRequest& request);

 private:
  class InFlight;

  // What X-Amz-Target names: "TrentService.Encrypt".
  struct Target {
    std::string_view service;
    std::string_view operation;
  };

  static base::Result<Target> TargetOf(const HttpRequest& request);
  base::Status CheckForm(const HttpRequest& request) const;
  base::Result<Identity> Authenticate(const HttpRequest& request);
  boost::asio::awaitable<base::Result<Reply>> Call(const HttpRequest& request,
                                                   Target target,
                                                   std::string_view request_id);

  Service& service_;
  Metrics& metrics_;
  const base::Clock& clock_;
  const std::size_t most_in_flight_;
  Authenticator authenticator_;
  LogLimit log_limit_;
  std::size_t in_flight_ = 0;
};

}  // namespace kms::http

#endif  // KMS_HTTP_AWS_JSON_H_
