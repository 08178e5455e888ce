// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_RECORD_H_
#define KMS_OPERATIONS_RECORD_H_

#include <cstdint>
#include <string>

#include "base/result.h"
#include "kms/operations/call.h"

// What the audit log says of a call: docs/audit.md.
namespace kms::operations {

// The event of a call that did what it was asked. `store_revision` is that of
// its mutation, 0 if it made none.
std::string SuccessEvent(const Call& call, std::uint64_t store_revision);

// The event of a call that was refused or failed.
std::string FailureEvent(const Call& call, const base::Error& error);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_RECORD_H_
