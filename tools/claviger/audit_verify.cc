// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/bytes.h"
#include "kms/audit/log.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

constexpr const char* kFolder = "FOLDER";
constexpr const char* kDefaultFolder = "/var/lib/claviger/audit";

constexpr const char* kFrom = "--from";

constexpr auto kOptions = std::to_array<Option>({
    {kFolder, "The audit folder. Default: /var/lib/claviger/audit"},
    {kFrom,
     "SEQUENCE:HASH, the head of the segments that were moved away: what is "
     "left must continue it"},
});

// "17:<64 hexadecimal digits>", as the lines "complete to" and "head" show it.
base::Result<kms::audit::VerifyFrom> ParseFrom(std::string_view text) {
  kms::audit::VerifyFrom from;
  const std::size_t colon = std::min(text.find(':'), text.size());
  const char* const end = text.data() + colon;
  const auto [stop, problem] = std::from_chars(text.data(), end, from.sequence);
  text.remove_prefix(std::min(colon + 1, text.size()));
  const auto hash = base::HexDecode(text);
  if (problem != std::errc() || stop != end || from.sequence == 0 || !hash ||
      hash->size() != from.hash.size()) {
    return base::Error{base::ErrorCode::kInvalidArgument,
                       "--from must be SEQUENCE:HASH: the number behind "
                       "\"complete to\" and the head, 64 hexadecimal digits"};
  }
  std::ranges::copy(*hash, from.hash.begin());
  return from;
}

base::Result<int> RunAuditVerify(const Arguments& arguments) {
  const std::string folder = arguments.Text(kFolder).value_or(kDefaultFolder);
  kms::audit::VerifyFrom from;
  if (const auto text = arguments.Text(kFrom)) {
    ASSIGN_OR_RETURN(from, ParseFrom(*text));
  }
  ASSIGN_OR_RETURN(const kms::audit::Verification found,
                   kms::audit::Verify(folder, {}, from));
  fmt::print("complete to {}\n", found.head_sequence);
  fmt::print("records   {} in {} segments\n", found.records, found.segments);
  fmt::print("head      {}\n", base::HexEncode(found.head));
  if (found.tail_bytes > 0) {
    fmt::print(
        "tail      {} bytes behind record {} that were never acknowledged: the "
        "server is writing them, or its next start cuts them\n",
        found.tail_bytes, found.head_sequence);
  }
  fmt::print("anchor    {}\n",
             found.anchored
                 ? "yes"
                 : "none: records missing at the end cannot be noticed; "
                   "compare the head with one that was noted elsewhere");
  return kExitSuccess;
}

}  // namespace

Verb AuditVerifyVerb() {
  return {"audit verify", "Checks the audit log's chain, without the server",
          kOptions, RunAuditVerify};
}

}  // namespace tools::claviger
