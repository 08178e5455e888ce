// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <array>
#include <cstdio>

#include "base/wiping.h"
#include "tools/claviger/connect.h"
#include "tools/claviger/files.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

using base::Error;
using base::ErrorCode;

constexpr const char* kOperation = "OPERATION";
constexpr const char* kJson = "JSON";

constexpr auto kOptions = std::to_array<Option>({
    {kOperation, "Such as DescribeKey, or Claviger.Status", OptionKind::kText,
     true},
    {kJson,
     "The request; '-' reads it from standard input, where other users "
     "of the machine do not see it. Default: {}"},
});

// No request that AWS KMS knows is longer.
constexpr std::size_t kMaxRequestBytes = 1U << 20;

base::Result<base::WipingString> ReadRequest(const Arguments& arguments) {
  const std::string text = arguments.Text(kJson).value_or("{}");
  if (text != "-") {
    return base::WipingString(text);
  }
  base::WipingString request(kMaxRequestBytes + 1, '\0');
  ASSIGN_OR_RETURN(const InputFile input, InputFile::Open("-"));
  ASSIGN_OR_RETURN(
      const std::size_t size,
      ReadFull(input.source(), {reinterpret_cast<std::uint8_t*>(request.data()),
                                request.size()}));
  if (size > kMaxRequestBytes) {
    return Error{ErrorCode::kInvalidArgument,
                 "the request is longer than 1 MiB"};
  }
  request.resize(size);
  return request;
}

base::Result<int> RunCall(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const base::WipingString request, ReadRequest(arguments));
  ASSIGN_OR_RETURN(const auto client, MakeClient(arguments));
  ASSIGN_OR_RETURN(kms::client::Response response,
                   client->Call(*arguments.Text(kOperation), request));
  if (!response.body.empty()) {
    response.body.push_back('\n');
  }
  RETURN_IF_ERROR(WriteAll(STDOUT_FILENO, base::AsBytes(response.body)));
  return kExitSuccess;
}

}  // namespace

Verb CallVerb() {
  return {"call", "Calls any operation and prints the reply", kOptions,
          RunCall};
}

}  // namespace tools::claviger
