// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/ask.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "tools/claviger/connect.h"
#include "tools/claviger/files.h"

namespace tools::claviger {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;

base::Result<Json> AskOnce(kms::client::Client& client,
                           const Arguments& arguments,
                           std::string_view operation, const Json& request,
                           const Render& render) {
  ASSIGN_OR_RETURN(const kms::client::Response response,
                   client.Call(operation, request.dump()));
  ASSIGN_OR_RETURN(Json reply, base::ParseJson(response.body));
  if (!reply.is_object()) {
    return Error{ErrorCode::kCorrupt, "the server's reply is no JSON object"};
  }
  std::string text;
  if (arguments.Has(kJsonOption)) {
    text.assign(response.body).append("\n");
  } else {
    ASSIGN_OR_RETURN(text, render(reply));
  }
  RETURN_IF_ERROR(WriteAll(STDOUT_FILENO, base::AsBytes(text)));
  return reply;
}

}  // namespace

base::Result<base::Json> AskForObject(const Arguments& arguments,
                                      std::string_view operation,
                                      std::string_view request) {
  ASSIGN_OR_RETURN(const auto client, MakeClient(arguments));
  ASSIGN_OR_RETURN(const kms::client::Response response,
                   client->Call(operation, request));
  ASSIGN_OR_RETURN(base::Json reply, base::ParseJson(response.body));
  if (!reply.is_object()) {
    return Error{ErrorCode::kCorrupt, "the server's reply is no JSON object"};
  }
  return reply;
}

base::Result<std::string_view> MemberOf(const base::Json& object,
                                        std::string_view name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) {
    return Error{ErrorCode::kCorrupt,
                 "the server's reply has no member " + std::string(name)};
  }
  return base::TextOf(*found);
}

base::Status AskAndPrint(const Arguments& arguments, std::string_view operation,
                         const Json& request, const Render& render) {
  ASSIGN_OR_RETURN(const auto client, MakeClient(arguments));
  RETURN_IF_ERROR(AskOnce(*client, arguments, operation, request, render));
  return {};
}

base::Status AskForPages(const Arguments& arguments, std::string_view operation,
                         Json request, const Render& render) {
  ASSIGN_OR_RETURN(const auto client, MakeClient(arguments));
  for (;;) {
    ASSIGN_OR_RETURN(const Json reply,
                     AskOnce(*client, arguments, operation, request, render));
    const auto marker = reply.find("NextMarker");
    if (marker == reply.end() || !marker->is_string()) {
      return {};
    }
    if (request.contains("Marker") && request["Marker"] == *marker) {
      return Error{ErrorCode::kCorrupt,
                   "the server's reply has the same marker again"};
    }
    request["Marker"] = *marker;
  }
}

base::Result<base::WipingString> ReadText(const std::string& path,
                                          std::size_t most) {
  base::WipingString text(most + 1, '\0');
  ASSIGN_OR_RETURN(const InputFile input, InputFile::Open(path));
  ASSIGN_OR_RETURN(
      const std::size_t size,
      ReadFull(input.source(),
               {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}));
  if (size > most) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} is longer than {} bytes", path, most)};
  }
  text.resize(size);
  return text;
}

}  // namespace tools::claviger
