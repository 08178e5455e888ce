// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/finding.h"

#include <fmt/format.h>

#include <utility>

#include "tools/claviger/verb.h"

namespace tools::claviger {

base::Error Warning(std::string text) {
  return {base::ErrorCode::kInvalidState, std::move(text)};
}

base::Error Failure(std::string text) {
  return {base::ErrorCode::kIo, std::move(text)};
}

bool Report(std::string_view name, const Finding& finding) {
  const char* word = "ok";
  if (!finding) {
    word = finding.error().code == base::ErrorCode::kInvalidState ? "WARN"
                                                                  : "FAIL";
  }
  fmt::print("{:<4}  {:<15} {}\n", word, name,
             Printable(finding ? *finding : finding.error().message));
  return word != std::string_view("FAIL");
}

}  // namespace tools::claviger
