// SPDX-License-Identifier: Apache-2.0
// The external keys and credentials of the XKS proxy's tenants.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/wiping.h"
#include "kms/json_writer.h"
#include "tools/claviger/ask.h"
#include "tools/claviger/connect.h"
#include "tools/claviger/files.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

using base::Error;
using base::ErrorCode;

constexpr const char* kTenant = "TENANT";
constexpr const char* kKey = "KEY";
constexpr const char* kFile = "FILE";
constexpr const char* kAction = "ACTION";
constexpr const char* kWhich = "WHICH";

constexpr Option kTenantOption = {
    kTenant, "The name of an [[xks_tenant]] of the server's configuration",
    OptionKind::kText, true};
constexpr auto kKeyOptions = std::to_array<Option>({
    kTenantOption,
    {kKey, "The external key's id: what is CreateKey's XksKeyId",
     OptionKind::kText, true},
});
constexpr auto kTenantOnly = std::to_array<Option>({kTenantOption});
constexpr auto kFileOptions = std::to_array<Option>({
    kTenantOption,
    {kFile, "Where to write it; there must be no such file yet",
     OptionKind::kText, true},
});
constexpr auto kCredentialOptions = std::to_array<Option>({
    {kAction, "list, rotate or delete", OptionKind::kText, true},
    kTenantOption,
    {kWhich,
     "rotate: the file to write the new credential to; delete: the access key "
     "id"},
});

base::Json RequestOf(const Arguments& arguments) {
  base::Json request = base::Json::object();
  request["Tenant"] = arguments.Text(kTenant).value_or("");
  if (const auto key = arguments.Text(kKey)) {
    request["ExternalKeyId"] = *key;
  }
  return request;
}

base::Result<base::Json> Ask(const Arguments& arguments,
                             std::string_view operation,
                             const base::Json& request) {
  return AskForObject(arguments, std::string("Claviger.").append(operation),
                      request.dump());
}

// Calls an operation on a key that makes a version of it.
base::Result<int> MakeVersion(const Arguments& arguments,
                              std::string_view operation) {
  ASSIGN_OR_RETURN(const base::Json reply,
                   Ask(arguments, operation, RequestOf(arguments)));
  ASSIGN_OR_RETURN(const auto arn, MemberOf(reply, "Arn"));
  const auto version = reply.find("Version");
  if (version == reply.end() || !version->is_number_integer()) {
    return Error{ErrorCode::kCorrupt, "the server's reply has no Version"};
  }
  fmt::print("{} version {}\n", Printable(arn), version->get<int>());
  return kExitSuccess;
}

base::Result<int> RunCreate(const Arguments& arguments) {
  return MakeVersion(arguments, "CreateExternalKey");
}

base::Result<int> RunRotate(const Arguments& arguments) {
  return MakeVersion(arguments, "RotateExternalKey");
}

// Calls an operation that answers nothing.
base::Result<int> Change(const Arguments& arguments, std::string_view operation,
                         const base::Json& request) {
  ASSIGN_OR_RETURN(const auto client, MakeClient(arguments));
  RETURN_IF_ERROR(
      client->Call(std::string("Claviger.").append(operation), request.dump()));
  return kExitSuccess;
}

base::Result<int> RunEnable(const Arguments& arguments) {
  return Change(arguments, "EnableExternalKey", RequestOf(arguments));
}

base::Result<int> RunDisable(const Arguments& arguments) {
  return Change(arguments, "DisableExternalKey", RequestOf(arguments));
}

// The members of each object of a list, a line an object.
base::Result<int> PrintList(const base::Json& reply, std::string_view list,
                            std::initializer_list<std::string_view> members) {
  const auto found = reply.find(list);
  if (found == reply.end() || !found->is_array()) {
    return Error{ErrorCode::kCorrupt,
                 "the server's reply has no " + std::string(list)};
  }
  for (const base::Json& item : *found) {
    std::string line;
    for (const std::string_view member : members) {
      ASSIGN_OR_RETURN(const auto text, MemberOf(item, member));
      line.append(line.empty() ? "" : " ").append(Printable(text));
    }
    fmt::print("{}\n", line);
  }
  return kExitSuccess;
}

base::Result<int> RunKeys(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const base::Json reply,
                   Ask(arguments, "ListExternalKeys", RequestOf(arguments)));
  return PrintList(reply, "Keys", {"ExternalKeyId", "KeyStatus"});
}

// Makes a credential and writes it, as `render` has it, to a file that did not
// exist. The file is opened first: no credential is made that nobody gets.
base::Result<int> WriteCredential(
    const Arguments& arguments, const std::string& path,
    base::Result<base::WipingString> (*render)(const base::Json&)) {
  ASSIGN_OR_RETURN(OutputFile file,
                   OutputFile::Create(path, IfExists::kRefuse));
  ASSIGN_OR_RETURN(const base::Json reply,
                   Ask(arguments, "CreateXksCredential", RequestOf(arguments)));
  ASSIGN_OR_RETURN(const base::WipingString text, render(reply));
  RETURN_IF_ERROR(file.Write(base::AsBytes(text)));
  RETURN_IF_ERROR(file.Commit());
  ASSIGN_OR_RETURN(const auto id, MemberOf(reply, "AccessKeyId"));
  fmt::print("{}\n", Printable(id));
  return kExitSuccess;
}

// What UpdateCustomKeyStore takes as XksProxyAuthenticationCredential.
base::Result<base::WipingString> AsCredential(const base::Json& reply) {
  ASSIGN_OR_RETURN(const auto id, MemberOf(reply, "AccessKeyId"));
  ASSIGN_OR_RETURN(const auto secret, MemberOf(reply, "RawSecretAccessKey"));
  base::WipingString text;
  kms::JsonWriter(text)
      .BeginObject()
      .Text("AccessKeyId", id)
      .Text("RawSecretAccessKey", secret)
      .EndObject();
  text.push_back('\n');
  return text;
}

// What the AWS console takes as the proxy's configuration file.
base::Result<base::WipingString> AsProxyConfig(const base::Json& reply) {
  ASSIGN_OR_RETURN(const auto path, MemberOf(reply, "XksProxyUriPath"));
  ASSIGN_OR_RETURN(const base::WipingString credential, AsCredential(reply));
  base::WipingString text;
  kms::JsonWriter(text)
      .BeginObject()
      .Text("XksProxyUriPath", path)
      .Json("XksProxyAuthenticationCredential", credential)
      .EndObject();
  text.push_back('\n');
  return text;
}

base::Result<int> RunProxyConfig(const Arguments& arguments) {
  return WriteCredential(arguments, arguments.Text(kFile).value_or(""),
                         AsProxyConfig);
}

base::Result<int> RunCredentials(const Arguments& arguments) {
  const std::string action = arguments.Text(kAction).value_or("");
  const std::string which = arguments.Text(kWhich).value_or("");
  if (action == "list" && which.empty()) {
    ASSIGN_OR_RETURN(
        const base::Json reply,
        Ask(arguments, "ListXksCredentials", RequestOf(arguments)));
    return PrintList(reply, "Credentials", {"AccessKeyId"});
  }
  if (action == "rotate" && !which.empty()) {
    return WriteCredential(arguments, which, AsCredential);
  }
  if (action == "delete" && !which.empty()) {
    base::Json request = RequestOf(arguments);
    request["AccessKeyId"] = which;
    return Change(arguments, "DeleteXksCredential", request);
  }
  return Error{ErrorCode::kInvalidArgument,
               "say `xks credentials list TENANT`, `xks credentials rotate "
               "TENANT FILE` or `xks credentials delete TENANT ACCESS-KEY-ID`"};
}

}  // namespace

std::array<Verb, 7> XksVerbs() {
  return {
      {{"xks create-key", "Makes an external key for a tenant", kKeyOptions,
        RunCreate},
       {"xks credentials",
        "Lists, makes or deletes what a tenant's KMS signs with",
        kCredentialOptions, RunCredentials},
       {"xks disable", "Has an external key refuse to work", kKeyOptions,
        RunDisable},
       {"xks enable", "Has an external key work again", kKeyOptions, RunEnable},
       {"xks keys", "Prints the external keys of a tenant", kTenantOnly,
        RunKeys},
       {"xks proxy-config",
        "Makes a credential, and the file that the AWS console takes",
        kFileOptions, RunProxyConfig},
       {"xks rotate-key", "Gives an external key a new version", kKeyOptions,
        RunRotate}}};
}

}  // namespace tools::claviger
