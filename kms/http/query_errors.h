// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_QUERY_ERRORS_H_
#define KMS_HTTP_QUERY_ERRORS_H_

#include <string_view>

#include "base/result.h"
#include "base/wiping.h"

namespace kms::http {

// How AWS's Query APIs, IAM and STS, name an error.
struct QueryError {
  base::ErrorCode code;
  std::string_view name;  // "NoSuchEntity"
  unsigned status;
};

// Total: a code that is not in the table is an internal error. What a client
// gets to see of the message is as with AwsErrorOf().
const QueryError& QueryErrorOf(base::ErrorCode code);

// Appends the XML that says so, an <ErrorResponse> of namespace `xmlns`.
void AppendQueryError(const base::Error& error, std::string_view xmlns,
                      std::string_view request_id, base::WipingString& out);

}  // namespace kms::http

#endif  // KMS_HTTP_QUERY_ERRORS_H_
