// SPDX-License-Identifier: Apache-2.0
// Operations that the API has and this server does not: known by their shapes,
// authorized and recorded like the others, and refused.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "kms/operations/handlers.h"

namespace kms::operations {
namespace {

constexpr std::array kRefusing = {NotServed, NotForAnyKey};

}  // namespace

Answer NotServed(Call& call) {
  co_return base::Error{
      base::ErrorCode::kUnsupportedOperation,
      fmt::format("{} is not supported by this server.", call.operation.name)};
}

// Encapsulate and Decapsulate need an ML_KEM key, which cannot exist.
Answer NotForAnyKey(Call& call) {
  const Key& key = *call.key;
  co_return base::Error{
      base::ErrorCode::kInvalidKeyUsage,
      fmt::format("{} key usage is {} which is not valid for {}.", key.Arn(),
                  KeyUsageName(key.usage), call.operation.name)};
}

bool IsServed(const Operation& operation) {
  return std::ranges::find(kRefusing, operation.run) == kRefusing.end();
}

}  // namespace kms::operations
