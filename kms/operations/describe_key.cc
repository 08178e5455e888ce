// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/custom_key_stores/clusters.h"
#include "kms/operations/custom_key_stores/key_rules.h"
#include "kms/operations/handlers.h"
#include "kms/operations/key_metadata.h"
#include "kms/operations/multi_region.h"

namespace kms::operations {

Answer DescribeKey(Call& call) {
  CO_ASSIGN_OR_RETURN(const auto related, FindRelatedKeys(call, *call.key));
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject();
  WriteKeyMetadata("KeyMetadata", *AsShown(call.environment, call.key), related,
                   ClusterIdOf(call.environment, *call.key), writer);
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
