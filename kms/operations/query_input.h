// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_QUERY_INPUT_H_
#define KMS_OPERATIONS_QUERY_INPUT_H_

#include <span>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "kms/operations/shape.h"

namespace kms::operations {

// Turns the body of a request of AWS's Query protocol (docs/protocol/query.md)
// into the object that CheckInput() takes. A form knows nothing but texts: what
// they are, and how they nest, `members` say.
//
//   UserName=x                      {"UserName":"x"}
//   DurationSeconds=900             {"DurationSeconds":900}
//   Tags.member.1.Key=a             {"Tags":[{"Key":"a"}]}
//   TransitiveTagKeys=              {"TransitiveTagKeys":[]}
//
// Parameters that no member has are ignored, as AWS does. Fails with
// kSerialization and the name of the parameter if the body is not a form, a
// value is not of its member's type, or the items of a list are not numbered
// from 1 without a gap. Maps and times are not served in this protocol.
base::Result<base::Json> ReadQueryInput(std::string_view body,
                                        std::span<const Member> members);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_QUERY_INPUT_H_
