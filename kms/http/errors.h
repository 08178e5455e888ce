// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_ERRORS_H_
#define KMS_HTTP_ERRORS_H_

#include <string_view>

#include "base/result.h"
#include "base/wiping.h"

namespace kms::http {

// How AWS names an error, and what a client gets to see of it.
struct AwsError {
  struct Name {
    std::string_view name;
    unsigned status;
  };
  base::ErrorCode code;
  Name json;   // In the JSON protocol, KMS's: {"NotFoundException", 400}.
  Name query;  // In the Query protocol, IAM's and STS's: {"NoSuchEntity", 404}.
  // Not empty: the error is ours, not the client's. Its own message may name
  // files and sockets: it is logged, and the client gets this one instead.
  std::string_view fixed_message;
};

// Total: a code that is not in the table is an internal error.
const AwsError& AwsErrorOf(base::ErrorCode code);

// Appends the JSON that says so: {"__type":"...","message":"..."}. No message,
// no member; AccessDeniedException spells it "Message".
void AppendErrorBody(const base::Error& error, base::WipingString& out);

// Appends the XML that says so, an <ErrorResponse> of namespace `xmlns`.
void AppendQueryError(const base::Error& error, std::string_view xmlns,
                      std::string_view request_id, base::WipingString& out);

}  // namespace kms::http

#endif  // KMS_HTTP_ERRORS_H_
