// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGER_ENVELOPE_HEADER_H_
#define TOOLS_CLAVIGER_ENVELOPE_HEADER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/result.h"

// The header of an envelope: docs/protocol/envelope.md is its specification.
namespace tools::claviger {

// Fills the front of `into` and returns how many bytes it wrote: at least one,
// or 0 at the end of the input.
using Source =
    std::function<base::Result<std::size_t>(std::span<std::uint8_t> into)>;

// Takes all of `bytes`, or fails.
using Sink = std::function<base::Status(base::ByteView bytes)>;

// Sorted by key, as the header holds it.
using EncryptionContext = std::map<std::string, std::string>;

inline constexpr std::uint8_t kMinChunkBits = 12;      // 4 KiB
inline constexpr std::uint8_t kDefaultChunkBits = 16;  // 64 KiB
inline constexpr std::uint8_t kMaxChunkBits = 24;      // 16 MiB

// An EnvelopeHeader is what an envelope says in clear. All of it is
// authenticated: who changes a bit of it gets another file key.
struct EnvelopeHeader {
  std::uint8_t chunk_bits = kDefaultChunkBits;  // A chunk is 2^chunk_bits.
  std::array<std::uint8_t, 32> salt{};
  base::Bytes wrapped_key;  // The CiphertextBlob of the data key.
  EncryptionContext context;

  std::size_t chunk_bytes() const { return std::size_t{1} << chunk_bits; }
};

// The bytes of `header`. Fails with kInvalidArgument if it breaks a bound.
base::Result<base::Bytes> EncodeHeader(const EnvelopeHeader& header);

// Reads the one spelling of a header off the front of `bytes`, all of which it
// must be. Fails with kCorrupt, saying what is wrong.
base::Result<EnvelopeHeader> DecodeHeader(base::ByteView bytes);

// Reads exactly the header's bytes from `source`, without looking into more
// than they need for that. Fails with kCorrupt if it is no envelope.
base::Result<base::Bytes> ReadHeaderBytes(const Source& source);

// Reads until `into` is full or the source ends; returns how much it has.
base::Result<std::size_t> ReadFull(const Source& source,
                                   std::span<std::uint8_t> into);

}  // namespace tools::claviger

#endif  // TOOLS_CLAVIGER_ENVELOPE_HEADER_H_
