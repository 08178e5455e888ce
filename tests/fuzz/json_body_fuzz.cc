// SPDX-License-Identifier: Apache-2.0
// The body of a request, against the input of every operation: whatever it is,
// it is taken, or refused with one of the two errors that AWS has for it.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/json.h"
#include "kms/operations/operation.h"

namespace {

void Require(bool ok) {
  if (!ok) {
    std::abort();
  }
}

void CheckAgainst(const kms::operations::Operation& operation,
                  const base::Json& body) {
  std::vector<kms::operations::NamedBlob> blobs;
  const base::Status status =
      kms::operations::CheckInput(operation.input, body, blobs);
  if (!status.has_value()) {
    Require(status.error().code == base::ErrorCode::kValidation ||
            status.error().code == base::ErrorCode::kSerialization);
    return;
  }
  for (const kms::operations::Member& member : operation.input) {
    Require(!member.required || body.contains(member.name));
  }
}

}  // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* bytes, std::size_t size) {
  const auto body = base::ParseJson(base::AsText({bytes, size}));
  if (!body.has_value()) {
    Require(body.error().code == base::ErrorCode::kSerialization);
    return 0;
  }
  for (const auto& operation : kms::operations::AllOperations()) {
    CheckAgainst(operation, *body);
  }
  return 0;
}
