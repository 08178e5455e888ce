// SPDX-License-Identifier: Apache-2.0
// What is not an envelope under the fuzzer's key is refused; what has a proper
// header has exactly one.
#include <algorithm>
#include <cstdlib>

#include "tools/claviger/envelope.h"

namespace {

using tools::claviger::EnvelopeHeader;
using tools::claviger::OpenedEnvelope;

void Require(bool ok) {
  if (!ok) {
    std::abort();
  }
}

void CheckHeader(const OpenedEnvelope& opened) {
  const auto again = tools::claviger::EncodeHeader(opened.header);
  Require(again.has_value() && *again == opened.header_bytes);
}

// What opens must, sealed again under the same header, be the same envelope.
void CheckWhole(const EnvelopeHeader& header, const base::Secret& key,
                base::ByteView plaintext, base::ByteView envelope) {
  base::Bytes again;
  const base::Status sealed = EncryptEnvelope(
      header, key,
      [&](std::span<std::uint8_t> into) {
        const std::size_t size = std::min(into.size(), plaintext.size());
        std::copy_n(plaintext.begin(), size, into.begin());
        plaintext = plaintext.subspan(size);
        return base::Result<std::size_t>(size);
      },
      [&](base::ByteView bytes) {
        again.insert(again.end(), bytes.begin(), bytes.end());
        return base::Status();
      });
  Require(sealed.has_value() && std::ranges::equal(again, envelope));
}

}  // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* bytes, std::size_t size) {
  const base::ByteView envelope(bytes, size);
  base::ByteView rest = envelope;
  const tools::claviger::Source source = [&](std::span<std::uint8_t> into) {
    const std::size_t now = std::min(into.size(), rest.size());
    std::copy_n(rest.begin(), now, into.begin());
    rest = rest.subspan(now);
    return base::Result<std::size_t>(now);
  };
  const auto opened = tools::claviger::OpenEnvelope(source);
  if (!opened.has_value()) {
    return 0;
  }
  CheckHeader(*opened);
  const base::Secret key(tools::claviger::kDataKeyBytes);  // All zero.
  base::Bytes plaintext;
  const base::Status status = DecryptEnvelope(
      *opened, key, source, [&](base::ByteView piece) -> base::Status {
        plaintext.insert(plaintext.end(), piece.begin(), piece.end());
        return {};
      });
  if (status.has_value()) {
    CheckWhole(opened->header, key, plaintext, envelope);
  }
  return 0;
}
