// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_SERVICE_H_
#define KMS_SERVICE_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/wiping.h"
#include "kms/caller.h"

namespace kms {

// Where a request came in.
enum class Door : std::uint8_t { kHttp, kHttps, kUnix };
std::string_view DoorName(Door door);

// How the body of a request is to be read: as JSON text, or as a form of AWS's
// Query protocol (kms/form.h). "" counts as no members at all.
enum class BodyForm : std::uint8_t { kJson, kQuery };

// One authenticated request, not yet looked into. All views are borrowed and
// must outlive the call.
struct Request {
  // "TrentService" or "Claviger", before the dot of X-Amz-Target, and what is
  // after it; or "IAM" or "STS", and the parameter Action.
  std::string_view service;
  std::string_view operation;
  std::string_view body;
  std::string_view region;  // From the SigV4 scope or X-Claviger-Region.
  const Caller& caller;
  std::string_view source_address;  // IP address, or "unix".
  std::string_view user_agent;
  std::string_view referer;  // As sent; empty if it was not.
  // Of a service: the ARN of the resource for which it acts. Else empty.
  std::string_view source_arn;
  std::string_view request_id;  // UUID text; also in x-amzn-RequestId.
  Door door = Door::kHttp;
  BodyForm body_form = BodyForm::kJson;
};

struct Reply {
  base::WipingString body;  // JSON text, or empty where AWS sends no body.
};

// A Service answers requests: it validates, resolves the key, authorizes,
// checks state and usage, lets the operation run, and has the outcome in the
// audit log before it returns (docs/architecture in design order).
//
// It belongs to one io thread. Whatever the outcome, a returned answer has been
// recorded; if recording failed the answer is kAuditUnavailable.
class Service {
 public:
  virtual ~Service() = default;
  virtual boost::asio::awaitable<base::Result<Reply>> Handle(
      const Request& request) = 0;

  // Whether requests can be served now; if not, why (for /readyz).
  virtual base::Status Ready() const = 0;
};

}  // namespace kms

#endif  // KMS_SERVICE_H_
