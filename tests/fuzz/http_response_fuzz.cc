// SPDX-License-Identifier: Apache-2.0
// A response is the same however its bytes arrive, and nothing beyond its end
// is taken.
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "kms/client/errors.h"
#include "kms/client/response.h"

namespace {

using kms::client::Response;
using kms::client::ResponseParser;

struct Parsed {
  Response response;
  std::size_t size;
};

// What a parser makes of `bytes` in pieces of `step`; nothing unless whole.
std::optional<Parsed> Parse(base::ByteView bytes, std::size_t step) {
  ResponseParser parser;
  std::size_t used = 0;
  while (used < bytes.size() && !parser.Done()) {
    const std::size_t piece = std::min(step, bytes.size() - used);
    const auto taken = parser.Feed(bytes.subspan(used, piece));
    if (!taken.has_value()) {
      return std::nullopt;
    }
    used += *taken;
  }
  if (!parser.Done()) {
    return std::nullopt;
  }
  return Parsed{std::move(parser).Take(), used};
}

}  // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* bytes, std::size_t size) {
  const base::ByteView input(bytes, size);
  const auto whole = Parse(input, input.size());
  const auto single = Parse(input, 1);
  if (whole.has_value() != single.has_value()) {
    std::abort();
  }
  if (whole.has_value()) {
    if (whole->size != single->size ||
        whole->response.status != single->response.status ||
        whole->response.body != single->response.body) {
      std::abort();
    }
    (void)kms::client::ErrorOf(whole->response);
  }
  return 0;
}
