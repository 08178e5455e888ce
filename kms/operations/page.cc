// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/page.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/hash.h"

namespace kms::operations {
namespace {

constexpr std::size_t kCheckBytes = 8;

// What is listed belongs to it: a key, or what the call is authorized for.
std::string_view OwnerOf(const Call& call) {
  if (call.key != nullptr) {
    return call.key->row_id;
  }
  return call.checks.empty() ? "" : call.checks.front().resource;
}

}  // namespace

// Base64 of a check and the last item. The check binds a marker to its listing:
// it keeps clients from using one elsewhere, or making one up, by mistake. It
// need not keep out anybody who tries: a marker opens nothing.
std::string MarkerAfter(const Call& call, std::string_view last) {
  const std::string listing = fmt::format(
      "{}\n{}\n{}\n{}\n{}", call.operation.name, call.request.caller.account,
      call.request.region, OwnerOf(call), last);
  const base::Digest check = base::ThreadHasher().HmacSha256(
      base::AsBytes(call.environment.store.info().id), base::AsBytes(listing));
  base::Bytes marker(check.begin(), check.begin() + kCheckBytes);
  marker.insert(marker.end(), last.begin(), last.end());
  return base::Base64Encode(marker);
}

base::Error InvalidMarker() {
  return {base::ErrorCode::kInvalidMarker,
          "The marker is not one that this operation returned."};
}

base::Result<std::string> ReadMarker(const Call& call) {
  const auto marker = call.Text("Marker");
  if (!marker) {
    return std::string();
  }
  const auto decoded = base::Base64Decode(*marker);
  if (!decoded || decoded->size() < kCheckBytes) {
    return InvalidMarker();
  }
  std::string after(base::AsText(*decoded).substr(kCheckBytes));
  if (MarkerAfter(call, after) != *marker) {
    return InvalidMarker();
  }
  return after;
}

base::Result<PageRequest> ReadPage(const Call& call, int default_limit) {
  PageRequest page;
  page.limit = static_cast<int>(call.Number("Limit").value_or(default_limit));
  ASSIGN_OR_RETURN(page.after, ReadMarker(call));
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
    writer.Text("NextMarker", MarkerAfter(call, last));
  }
  writer.Bool("Truncated", truncated);
}

}  // namespace kms::operations
