// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/print_operations.h"

#include <fmt/format.h>

#include "kms/operations/operation.h"

namespace tools {
namespace {

std::string_view FormsText(kms::operations::KeyForms forms) {
  switch (forms) {
    case kms::operations::KeyForms::kNone:
      return "-";
    case kms::operations::KeyForms::kIdOrArn:
      return "id, ARN";
    case kms::operations::KeyForms::kAny:
      return "id, ARN, alias, alias ARN";
    case kms::operations::KeyForms::kArn:
      return "ARN";
  }
  return "-";
}

}  // namespace

void PrintOperations() {
  fmt::print("| Operation | Permission | Key | Changes state | Served |\n");
  fmt::print("|---|---|---|---|---|\n");
  for (const auto& operation : kms::operations::AllOperations()) {
    const bool kms = operation.service == "TrentService";
    fmt::print(
        "| {}{}{} | {} | {} | {} | {} |\n", kms ? "" : operation.service,
        kms ? "" : ".", operation.name, operation.action,
        FormsText(operation.key_forms),
        operation.effect == kms::operations::Effect::kWrites ? "yes" : "no",
        kms::operations::IsServed(operation) ? "yes" : "not yet");
  }
}

}  // namespace tools
