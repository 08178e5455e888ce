// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_DOCUMENT_H_
#define POLICY_DOCUMENT_H_

#include <string_view>

#include "base/result.h"

namespace policy {

// Checks that `text` is a key policy by the grammar of the IAM policy language
// (IAM User Guide, "Grammar of the IAM JSON policy language"): JSON without
// duplicate keys, known elements only, a known Version, statements that each
// have an Effect and one of Principal and NotPrincipal. Fails with
// kMalformedPolicy and what to mend. A missing Action or Resource is accepted
// (AWS KMS accepts it; the statement has no effect).
base::Status CheckKeyPolicy(std::string_view text);

}  // namespace policy

#endif  // POLICY_DOCUMENT_H_
