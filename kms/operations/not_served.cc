// SPDX-License-Identifier: Apache-2.0
// Operations that the API has and no key here can do: known by their shapes,
// authorized and recorded like the others, and refused.
#include <fmt/format.h>

#include "kms/operations/handlers.h"

namespace kms::operations {

// Encapsulate and Decapsulate need an ML_KEM key, which cannot exist.
Answer NotForAnyKey(Call& call) {
  const Key& key = *call.key;
  co_return base::Error{
      base::ErrorCode::kInvalidKeyUsage,
      fmt::format("{} key usage is {} which is not valid for {}.", key.Arn(),
                  KeyUsageName(key.usage), call.operation.name)};
}

bool IsServed(const Operation& operation) {
  return operation.run != NotForAnyKey;
}

}  // namespace kms::operations
