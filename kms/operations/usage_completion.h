// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_USAGE_COMPLETION_H_
#define KMS_OPERATIONS_USAGE_COMPLETION_H_

#include <cstdint>
#include <string>

#include "base/result.h"
#include "kms/store/store.h"

namespace kms::operations {

// At start-up: gives the store the uses of keys that a crash kept from it, from
// the records of the audit log after those that it is known to have
// (last_usage.h). `log_head` is the newest record and `log_folder` the log's
// folder. Reads nothing after a clean end, and never more than the newest
// million records. A record that is none of ours, or that names what is not in
// the store, is passed over.
base::Status CompleteUsage(store::Store& store, const std::string& log_folder,
                           std::uint64_t log_head);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_USAGE_COMPLETION_H_
