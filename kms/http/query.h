// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_QUERY_H_
#define KMS_HTTP_QUERY_H_

#include <boost/asio/awaitable.hpp>

#include "kms/http/api_door.h"
#include "kms/http/message.h"

namespace kms::http {

// A QueryDoor answers requests in AWS's Query protocol, that of IAM and STS:
// POST /, a form whose parameters Action and Version name the operation and its
// API, XML out (docs/protocol/query.md). It belongs to one io thread, that of
// its ApiDoor.
class QueryDoor {
 public:
  // `api` is borrowed.
  explicit QueryDoor(ApiDoor& api) : api_(api) {}

  // Whether `request`, a POST to /, is in this protocol: its Content-Type says.
  static bool Takes(const HttpRequest& request);

  boost::asio::awaitable<HttpResponse> Handle(const HttpRequest& request);

 private:
  ApiDoor& api_;
};

}  // namespace kms::http

#endif  // KMS_HTTP_QUERY_H_
