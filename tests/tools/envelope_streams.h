// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_TOOLS_ENVELOPE_STREAMS_H_
#define TESTS_TOOLS_ENVELOPE_STREAMS_H_

#include <algorithm>
#include <cstddef>
#include <span>

#include "base/bytes.h"
#include "tools/claviger/envelope.h"

namespace tools::claviger {

// A Source of `bytes`, which must outlive it, in pieces of at most `step`.
inline Source From(base::ByteView bytes, std::size_t step = 100'000) {
  return
      [bytes, step](
          std::span<std::uint8_t> into) mutable -> base::Result<std::size_t> {
        const std::size_t size = std::min({into.size(), bytes.size(), step});
        std::copy_n(bytes.begin(), size, into.begin());
        bytes = bytes.subspan(size);
        return size;
      };
}

// A Sink that appends to `bytes`.
inline Sink Into(base::Bytes& bytes) {
  return [&bytes](base::ByteView piece) -> base::Status {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return {};
  };
}

// `size` bytes, none like its neighbours.
inline base::Bytes Pattern(std::size_t size) {
  base::Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::uint8_t>(i * 31 + (i >> 8) * 7);
  }
  return bytes;
}

// A copy of the `size` bytes at `begin`.
inline base::Bytes Cut(const base::Bytes& bytes, std::size_t begin,
                       std::size_t size = std::dynamic_extent) {
  const base::ByteView part = base::ByteView(bytes).subspan(begin, size);
  return {part.begin(), part.end()};
}

inline base::Secret TestKey(std::uint8_t fill = 7) {
  base::Secret key(kDataKeyBytes);
  std::ranges::fill(key.Reveal(), fill);
  return key;
}

inline EnvelopeHeader TestHeader(std::uint8_t chunk_bits = kMinChunkBits) {
  EnvelopeHeader header;
  header.chunk_bits = chunk_bits;
  header.salt.fill(0x5A);
  header.wrapped_key = Pattern(91 + 32);
  header.context = {{"purpose", "test"}, {"zone", ""}};
  return header;
}

// Opens and decrypts a whole envelope.
inline base::Status DecryptAll(base::ByteView envelope, const base::Secret& key,
                               base::Bytes& plaintext,
                               std::size_t step = 100'000) {
  const Source source = From(envelope, step);
  ASSIGN_OR_RETURN(const OpenedEnvelope opened, OpenEnvelope(source));
  return DecryptEnvelope(opened, key, source, Into(plaintext));
}

}  // namespace tools::claviger

#endif  // TESTS_TOOLS_ENVELOPE_STREAMS_H_
