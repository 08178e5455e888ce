// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_EXPLAIN_HANDLERS_H_
#define KMS_OPERATIONS_EXPLAIN_HANDLERS_H_

#include "base/result.h"
#include "kms/operations/call.h"
#include "kms/operations/handlers.h"

// Operations of our own that say why a request is or would be decided so
// (docs/authorization.md, "Explaining a decision"). They change nothing, and
// whoever may not call them learns nothing: what they are about is looked for
// only after that is known.
namespace kms::operations {

Answer Explain(Call& call);

base::Status ValidateAction(const Call& call);
Answer SimulatePolicy(Call& call);

Answer WhoCan(Call& call);

Answer ReplayPolicy(Call& call);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_EXPLAIN_HANDLERS_H_
