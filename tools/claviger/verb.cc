// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/verb.h"

#include <algorithm>
#include <array>

namespace tools::claviger {
namespace {

using base::ErrorCode;

struct Row {
  ErrorCode code;
  int status;
};

// Whatever is not here is the server's refusal.
constexpr auto kStatuses = std::to_array<Row>({
    {ErrorCode::kInvalidArgument, kExitUsage},
    {ErrorCode::kInvalidCiphertext, kExitNotGenuine},
    {ErrorCode::kHsmUnavailable, kExitUnreachable},
    {ErrorCode::kTimeout, kExitUnreachable},
    {ErrorCode::kCorrupt, kExitNotGenuine},
    {ErrorCode::kIo, kExitUnreachable},
});

}  // namespace

std::optional<std::string> Arguments::Text(const std::string& spelling) const {
  const auto found = values_.find(spelling);
  if (found == values_.end() || found->second.empty()) {
    return std::nullopt;
  }
  return found->second.front();
}

std::vector<std::string> Arguments::List(const std::string& spelling) const {
  const auto found = values_.find(spelling);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

bool Arguments::Has(const std::string& spelling) const {
  return values_.contains(spelling);
}

std::string Printable(std::string_view text) {
  std::string printable(text);
  std::ranges::replace_if(
      printable,
      [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
      },
      '?');
  return printable;
}

int ExitStatusOf(ErrorCode code) {
  const auto* const row = std::ranges::find(kStatuses, code, &Row::code);
  return row == kStatuses.end() ? kExitRefused : row->status;
}

}  // namespace tools::claviger
