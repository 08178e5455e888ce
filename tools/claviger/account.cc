// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/wiping.h"
#include "tools/claviger/ask.h"
#include "tools/claviger/files.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

using base::Error;
using base::ErrorCode;

constexpr const char* kId = "ID";
constexpr auto kAddOptions = std::to_array<Option>({
    {kId, "The account: 12 digits", OptionKind::kText, true},
});

base::Result<int> RunAdd(const Arguments& arguments) {
  const std::string id = arguments.Text(kId).value_or("");
  if (id.size() != 12 ||
      id.find_first_not_of("0123456789") != std::string::npos) {
    return Error{ErrorCode::kInvalidArgument,
                 "an account is 12 digits, such as 111122223333"};
  }
  ASSIGN_OR_RETURN(const base::Json reply,
                   AskForObject(arguments, "Claviger.AddAccount",
                                fmt::format(R"({{"AccountId":"{}"}})", id)));
  ASSIGN_OR_RETURN(const auto key, MemberOf(reply, "AccessKeyId"));
  ASSIGN_OR_RETURN(const auto secret, MemberOf(reply, "SecretAccessKey"));
  base::WipingString text;
  text.append("The access key of account ")
      .append(id)
      .append("'s user admin, shown this once. Keep it:\n\n")
      .append("export AWS_ACCESS_KEY_ID=")
      .append(key)
      .append("\nexport AWS_SECRET_ACCESS_KEY='")
      .append(secret)
      .append("'\n");
  RETURN_IF_ERROR(WriteAll(STDOUT_FILENO, base::AsBytes(text)));
  return kExitSuccess;
}

base::Result<int> RunList(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const base::Json reply,
                   AskForObject(arguments, "Claviger.ListAccounts", "{}"));
  const auto accounts = reply.find("Accounts");
  if (accounts == reply.end() || !accounts->is_array()) {
    return Error{ErrorCode::kCorrupt, "the server's reply has no Accounts"};
  }
  for (const base::Json& account : *accounts) {
    ASSIGN_OR_RETURN(const auto id, MemberOf(account, "AccountId"));
    fmt::print("{}\n", Printable(id));
  }
  return kExitSuccess;
}

}  // namespace

Verb AccountAddVerb() {
  return {"account add",
          "Makes an account with a user admin, and prints that user's access "
          "key",
          kAddOptions, RunAdd};
}

Verb AccountListVerb() {
  return {"account list", "Prints the accounts of the server", {}, RunList};
}

}  // namespace tools::claviger
