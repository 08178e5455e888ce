// SPDX-License-Identifier: Apache-2.0
#include "kms/client/request.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace kms::client {
namespace {

using base::Error;
using base::ErrorCode;
using base::HeaderView;

constexpr std::string_view kTargetPrefix = "TrentService.";
constexpr std::string_view kContentType = "application/x-amz-json-1.1";
constexpr std::string_view kUserAgent = "claviger/" CLAVIGER_VERSION;

// Visible ASCII: nothing that could end a header line.
bool IsVisible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

bool IsOperation(std::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  (c >= '0' && c <= '9') || c == '.';
         });
}

base::WipingString Serialize(std::string_view request_line,
                             const std::vector<HeaderView>& headers,
                             std::string_view body) {
  constexpr std::string_view kEnd = "\r\n";
  std::size_t size = request_line.size() + 2 * kEnd.size() + body.size();
  for (const HeaderView& header : headers) {
    size += header.name.size() + header.value.size() + 4;
  }
  base::WipingString text;
  text.reserve(size);
  text.append(request_line).append(kEnd);
  for (const HeaderView& header : headers) {
    text.append(header.name).append(": ").append(header.value).append(kEnd);
  }
  text.append(kEnd).append(body);
  return text;
}

}  // namespace

base::Status CheckRegion(std::string_view region) {
  if (region.empty() || !IsVisible(region) ||
      region.find('/') != std::string_view::npos) {
    return Error{ErrorCode::kInvalidArgument,
                 "'" + std::string(region) +
                     "' is no Region (AWS_REGION, or the profile's region)"};
  }
  return {};
}

base::Status CheckCredentials(const base::SigV4Credentials& credentials) {
  if (!IsVisible(credentials.access_key_id) ||
      credentials.access_key_id.find('/') != std::string::npos ||
      !IsVisible(credentials.session_token)) {
    return Error{ErrorCode::kInvalidArgument,
                 "the access key id or the session token (AWS_ACCESS_KEY_ID, "
                 "AWS_SESSION_TOKEN, or the profile's) holds a character that "
                 "it cannot have, such as a blank or a line end"};
  }
  return {};
}

base::Result<base::WipingString> CallRequest(const Options& options,
                                             std::string_view operation,
                                             std::string_view body,
                                             const Signing& signing) {
  if (!IsOperation(operation)) {
    return Error{ErrorCode::kInvalidArgument,
                 "'" + std::string(operation) + "' is no operation"};
  }
  const bool prefixed = operation.find('.') != std::string_view::npos;
  const std::string target =
      std::string(prefixed ? "" : kTargetPrefix).append(operation);
  const std::string host = HostHeader(options.endpoint);
  const std::string length = std::to_string(body.size());
  std::vector<HeaderView> headers = {{"Host", host},
                                     {"Content-Type", kContentType},
                                     {"X-Amz-Target", target},
                                     {"Content-Length", length},
                                     {"User-Agent", kUserAgent}};
  std::vector<base::Header> signature;
  if (signing.signer == nullptr) {
    headers.push_back({"X-Claviger-Region", options.region});
  } else {
    const base::SigV4Request request = {
        "POST", "/", "", headers, signing.hasher.Sha256(base::AsBytes(body))};
    ASSIGN_OR_RETURN(signature, signing.signer->Sign(request, signing.now));
  }
  for (const base::Header& header : signature) {
    headers.push_back({header.name, header.value});
  }
  return Serialize("POST / HTTP/1.1", headers, body);
}

base::Result<base::WipingString> GetRequest(const Options& options,
                                            std::string_view path) {
  if (!path.starts_with('/') || !IsVisible(path)) {
    return Error{ErrorCode::kInvalidArgument,
                 "'" + std::string(path) + "' is no path"};
  }
  const std::string host = HostHeader(options.endpoint);
  return Serialize("GET " + std::string(path) + " HTTP/1.1",
                   {{"Host", host}, {"User-Agent", kUserAgent}}, {});
}

}  // namespace kms::client
