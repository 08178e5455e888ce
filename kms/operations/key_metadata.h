// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_KEY_METADATA_H_
#define KMS_OPERATIONS_KEY_METADATA_H_

#include <span>
#include <string_view>

#include "kms/json_writer.h"
#include "kms/model.h"

namespace kms::operations {

// Writes the member `name` (AWS KMS API Reference, KeyMetadata): members that
// have no value are left out, as AWS does. `related` are the keys that have the
// id of a multi-Region key; of another key they do not matter. `cluster_id` is
// that of a key in a cluster, or empty.
void WriteKeyMetadata(std::string_view name, const Key& key,
                      std::span<const RelatedKey> related,
                      std::string_view cluster_id, JsonWriter& writer);

// Writes the list of the key's algorithms, under the name that its usage gives
// the list.
void WriteAlgorithms(const Key& key, JsonWriter& writer);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_KEY_METADATA_H_
