// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/handlers.h"
#include "kms/operations/key_metadata.h"

namespace kms::operations {

Answer DescribeKey(Call& call) {
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject();
  WriteKeyMetadata(*call.key, writer);
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
