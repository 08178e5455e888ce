// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_KEY_METADATA_H_
#define KMS_OPERATIONS_KEY_METADATA_H_

#include "kms/json_writer.h"
#include "kms/model.h"

namespace kms::operations {

// Writes the member "KeyMetadata" (AWS KMS API Reference, KeyMetadata): members
// that have no value are left out, as AWS does.
void WriteKeyMetadata(const Key& key, JsonWriter& writer);

// Writes the list of the key's algorithms, under the name that its usage gives
// the list.
void WriteAlgorithms(const Key& key, JsonWriter& writer);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_KEY_METADATA_H_
