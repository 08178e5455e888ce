// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/page.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace kms::operations {

base::Error InvalidMarker() {
  return {base::ErrorCode::kInvalidMarker,
          "The marker is not one that this operation returned."};
}

base::Result<PageRequest> ReadPage(const Call& call, int default_limit) {
  PageRequest page;
  page.limit = static_cast<int>(call.Number("Limit").value_or(default_limit));
  const auto marker = call.Text("Marker");
  if (!marker) {
    return page;
  }
  // A marker is base64 of "Operation:last item".
  const auto decoded = base::Base64Decode(*marker);
  const std::string prefix = std::string(call.operation.name) + ":";
  if (!decoded || !base::AsText(*decoded).starts_with(prefix)) {
    return InvalidMarker();
  }
  page.after = base::AsText(*decoded).substr(prefix.size());
  return page;
}

base::Status CheckLimit(const Call& call, int max) {
  const auto limit = call.Number("Limit");
  if (!limit || *limit <= max) {
    return {};
  }
  return base::Error{
      base::ErrorCode::kValidation,
      fmt::format("1 validation error detected: Value '{}' at 'limit' failed "
                  "to satisfy constraint: Member must have value less than or "
                  "equal to {}",
                  *limit, max)};
}

void WritePageEnd(const Call& call, bool truncated, std::string_view last,
                  JsonWriter& writer) {
  if (truncated) {
    const std::string marker = fmt::format("{}:{}", call.operation.name, last);
    writer.Text("NextMarker", base::Base64Encode(base::AsBytes(marker)));
  }
  writer.Bool("Truncated", truncated);
}

}  // namespace kms::operations
