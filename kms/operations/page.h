// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_PAGE_H_
#define KMS_OPERATIONS_PAGE_H_

#include <string>
#include <string_view>

#include "base/result.h"
#include "kms/json_writer.h"
#include "kms/operations/call.h"

// Limit and Marker of the listings (AWS KMS API Reference, "Truncated").
namespace kms::operations {

struct PageRequest {
  int limit = 0;
  std::string after;  // The last item of the page before; "" = start.
};

// Reads Limit (or `default_limit`) and Marker. Fails with kInvalidMarker if the
// marker was not made by this operation, for this account, Region and key.
base::Result<PageRequest> ReadPage(const Call& call, int default_limit);

// The last item of the page before, from member Marker; "" = start. Fails as
// ReadPage does.
base::Result<std::string> ReadMarker(const Call& call);

// The marker of the page after the item `last`.
std::string MarkerAfter(const Call& call, std::string_view last);

// The error of a marker that this operation did not return.
base::Error InvalidMarker();

// The tighter bound that some listings have on Limit than the shape says.
base::Status CheckLimit(const Call& call, int max);

// Writes Truncated, and NextMarker if `truncated`.
void WritePageEnd(const Call& call, bool truncated, std::string_view last,
                  JsonWriter& writer);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_PAGE_H_
