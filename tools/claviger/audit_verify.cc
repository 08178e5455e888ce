// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <array>

#include "base/bytes.h"
#include "kms/audit/log.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

constexpr const char* kFolder = "FOLDER";
constexpr const char* kDefaultFolder = "/var/lib/claviger/audit";

constexpr auto kOptions = std::to_array<Option>({
    {kFolder, "The audit folder. Default: /var/lib/claviger/audit"},
});

base::Result<int> RunAuditVerify(const Arguments& arguments) {
  const std::string folder = arguments.Text(kFolder).value_or(kDefaultFolder);
  ASSIGN_OR_RETURN(const kms::audit::Verification found,
                   kms::audit::Verify(folder, {}));
  fmt::print("complete to {}\n", found.head_sequence);
  fmt::print("records   {} in {} segments\n", found.records, found.segments);
  fmt::print("head      {}\n", base::HexEncode(found.head));
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
