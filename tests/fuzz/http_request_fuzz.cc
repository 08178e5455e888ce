// SPDX-License-Identifier: Apache-2.0
// The bytes of a client's connection. Whatever they are: no crash, the limits
// hold, and where the network cuts the stream makes no difference.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "kms/http/request_reader.h"

namespace {

using kms::http::RequestReader;
using Progress = RequestReader::Progress;

constexpr kms::http::RequestLimits kLimits = {
    .header_bytes = 512, .header_fields = 10, .body_bytes = 256};

void Require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// One text for each whole request in `bytes`, read `step` bytes at a time.
std::vector<std::string> ReadAll(std::string_view bytes, std::size_t step) {
  const kms::http::Peer peer{.address = "192.0.2.7", .unix_peer = std::nullopt};
  RequestReader reader(kLimits);
  std::vector<std::string> requests;
  while (true) {
    const Progress progress = reader.Parse();
    if (progress == Progress::kRefused) {
      Require(reader.refusal().status >= 400);
      return requests;
    }
    if (progress == Progress::kComplete) {
      const auto request = reader.Request(peer, kms::Door::kHttp);
      Require(request.body.size() <= kLimits.body_bytes);
      Require(request.headers.size() <= kLimits.header_fields);
      std::string text(request.method);
      text.append(" ").append(request.target).append("\n");
      for (const auto& [name, value] : request.headers) {
        text.append(name).append("=").append(value).append("\n");
      }
      text.append(request.body).append(reader.KeepsAlive() ? "+" : "-");
      requests.push_back(std::move(text));
      reader.Next();
      continue;
    }
    reader.TakeExpectsContinue();
    if (bytes.empty()) {
      return requests;
    }
    const auto space = reader.Space();
    Require(!space.empty() && space.size() <= kLimits.header_bytes);
    const std::size_t size = std::min({step, space.size(), bytes.size()});
    std::memcpy(space.data(), bytes.data(), size);
    reader.Received(size);
    bytes.remove_prefix(size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = ReadAll(bytes, bytes.size() + 1);
  Require(ReadAll(bytes, 1) == whole);
  Require(ReadAll(bytes, 7) == whole);
  return 0;
}
