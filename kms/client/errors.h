// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_ERRORS_H_
#define KMS_CLIENT_ERRORS_H_

#include <optional>
#include <string_view>

#include "base/result.h"
#include "kms/client/response.h"

namespace kms::client {

// What the AWS error `type` ("NotFoundException") is in our words, or nothing
// for a type that we do not know.
std::optional<base::ErrorCode> CodeOfAwsType(std::string_view type);

// The Error that a response other than 200 stands for. Its message is
// "<type>: <message>", or the type alone where AWS KMS sends no message. A type
// that the table lacks is kInternal and named all the same; without a type, a
// 502, 503 or 504 is kHsmUnavailable and everything else kInternal.
base::Error ErrorOf(const Response& response);

// Whether `operation` may be sent again when nobody knows if the first one
// arrived: it changes nothing that a caller could see, so doing it twice is
// doing it once.
bool IsRepeatable(std::string_view operation);

}  // namespace kms::client

#endif  // KMS_CLIENT_ERRORS_H_
