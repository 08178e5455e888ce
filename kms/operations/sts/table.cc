// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/operation.h"

namespace kms::operations {

std::span<const Operation> StsOperations() { return {}; }

}  // namespace kms::operations
