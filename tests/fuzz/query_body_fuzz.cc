// SPDX-License-Identifier: Apache-2.0
// The body of a request of the Query protocol, against the input of every
// operation: whatever it is, it is taken, or refused with one of the two errors
// that AWS has for it.
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "base/bytes.h"
#include "base/json.h"
#include "kms/form.h"
#include "kms/operations/operation.h"
#include "kms/operations/query_input.h"

namespace {

void Require(bool ok) {
  if (!ok) {
    std::abort();
  }
}

std::string Escaped(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    escaped += {'%', kHex[byte >> 4], kHex[byte & 0x0F]};
  }
  return escaped;
}

// What is accepted says the same when it is written in the one usual form.
void CheckForm(const kms::Form& form) {
  std::string usual;
  for (const auto& [name, value] : form) {
    usual += usual.empty() ? "" : "&";
    usual += Escaped(name) + "=" + Escaped(value);
  }
  const auto again = kms::ParseForm(usual);
  Require(again.has_value() && *again == form);
}

void CheckAgainst(const kms::operations::Operation& operation,
                  std::string_view body) {
  const auto input = kms::operations::ReadQueryInput(body, operation.input);
  if (!input.has_value()) {
    Require(input.error().code == base::ErrorCode::kSerialization);
    return;
  }
  std::vector<kms::operations::NamedBlob> blobs;
  const base::Status status =
      kms::operations::CheckInput(operation.input, *input, blobs);
  if (!status.has_value()) {
    // Types are right: only what is said of values is left, and base64.
    Require(status.error().code == base::ErrorCode::kValidation ||
            status.error().code == base::ErrorCode::kSerialization);
  }
  // Nothing but members gets in.
  for (const auto& [name, value] :
       input->get_ref<const base::Json::object_t&>()) {
    bool known = false;
    for (const kms::operations::Member& member : operation.input) {
      known = known || name == member.name;
    }
    Require(known);
  }
}

}  // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* bytes, std::size_t size) {
  const std::string_view body = base::AsText({bytes, size});
  const auto form = kms::ParseForm(body);
  if (!form.has_value()) {
    Require(form.error().code == base::ErrorCode::kSerialization);
    return 0;
  }
  CheckForm(*form);
  for (const auto& operation : kms::operations::AllOperations()) {
    CheckAgainst(operation, body);
  }
  return 0;
}
