// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUDIT_TAIL_H_
#define KMS_AUDIT_TAIL_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kms::audit {

// Calls `each` with every whole record after the one numbered `sequence`,
// oldest first: its number and its line. Where the log does not go back that
// far, it begins with what is there. Reads in small pieces and only the
// segments that hold such records, also while a Log writes to the newest. Does
// not check the chain: a damaged line is the caller's to pass over, and what is
// longer than a record can be ends its segment.
base::Status ReadAfter(const std::string& folder, std::uint64_t sequence,
                       const std::function<void(std::uint64_t sequence,
                                                std::string_view line)>& each);

}  // namespace kms::audit

#endif  // KMS_AUDIT_TAIL_H_
