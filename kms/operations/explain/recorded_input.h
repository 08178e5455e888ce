// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_EXPLAIN_RECORDED_INPUT_H_
#define KMS_OPERATIONS_EXPLAIN_RECORDED_INPUT_H_

#include <span>
#include <vector>

#include "base/json.h"
#include "kms/operations/explain/subject.h"
#include "kms/operations/shape.h"

namespace kms::operations {

// The input of an operation as far as requestParameters of its event tell:
// what record.cc writes, the other way round. Members of another type than
// `members` say are left out.
base::Json InputOfParameters(const base::Json& parameters,
                             std::span<const Member> members);

// Puts CreateGrant's member Constraints, which stands in the condition context
// of its event only, into `input`.
void PutConstraints(const std::vector<GivenKey>& context, base::Json& input);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_EXPLAIN_RECORDED_INPUT_H_
