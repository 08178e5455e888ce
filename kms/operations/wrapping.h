// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_WRAPPING_H_
#define KMS_OPERATIONS_WRAPPING_H_

#include <optional>
#include <string_view>

#include "base/result.h"
#include "hsm/messages.h"
#include "kms/model.h"

// The API's WrappingKeySpec and WrappingAlgorithm.
namespace kms::operations {

struct Wrapping {
  hsm::Algorithm pair;
  hsm::WrappingAlgorithm algorithm;
};

// Fails with kUnsupportedOperation for those that this server does not have,
// and for those under which a key of this spec cannot be wrapped.
base::Result<Wrapping> ChooseWrapping(const Key& key, std::string_view key_spec,
                                      std::string_view algorithm);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_WRAPPING_H_
