// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_AWS_JSON_H_
#define KMS_HTTP_AWS_JSON_H_

#include <boost/asio/awaitable.hpp>

#include "kms/http/api_door.h"
#include "kms/http/message.h"

namespace kms::http {

// An AwsJsonDoor answers requests in AWS's JSON 1.1 protocol: POST /, the
// operation in X-Amz-Target, a JSON object in and out. It belongs to one io
// thread, that of its ApiDoor.
class AwsJsonDoor {
 public:
  // `api` is borrowed.
  explicit AwsJsonDoor(ApiDoor& api) : api_(api) {}

  boost::asio::awaitable<HttpResponse> Handle(const HttpRequest& request);

 private:
  ApiDoor& api_;
};

}  // namespace kms::http

#endif  // KMS_HTTP_AWS_JSON_H_
