// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/envelope_header.h"

#include <algorithm>
#include <utility>

#include "base/buffer.h"

namespace tools::claviger {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kMagic = "CLVGENV\n";
constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kAlgorithm = 1;  // AES-256-GCM, HKDF-SHA-256.
constexpr std::size_t kPrefixBytes = kMagic.size() + 3 + sizeof(std::uint32_t);

constexpr std::size_t kMaxWrappedKeyBytes = 6144;  // Of CiphertextBlob.
constexpr std::size_t kMaxContextBytes = 8192;     // AWS KMS quota, as JSON.
constexpr std::size_t kMaxContextPairs = 256;
constexpr std::size_t kMaxHeaderBytes = 32U << 10;

Error Damaged(std::string what) {
  return Error{ErrorCode::kCorrupt,
               "not an envelope, or damaged: " + std::move(what)};
}

base::Status CheckBounds(const EnvelopeHeader& header) {
  if (header.chunk_bits < kMinChunkBits || header.chunk_bits > kMaxChunkBits) {
    return Error{ErrorCode::kCorrupt,
                 "an envelope's chunks have from 4 KiB to 16 MiB"};
  }
  if (header.wrapped_key.empty() ||
      header.wrapped_key.size() > kMaxWrappedKeyBytes) {
    return Error{ErrorCode::kCorrupt,
                 "an envelope's wrapped data key has from 1 to 6144 bytes"};
  }
  std::size_t total = 0;
  for (const auto& [key, value] : header.context) {
    total += key.size() + value.size();
  }
  if (header.context.size() > kMaxContextPairs || total > kMaxContextBytes) {
    return Error{ErrorCode::kCorrupt,
                 "an encryption context has at most 256 pairs and 8 KiB"};
  }
  return {};
}

// The pairs must ascend strictly: so no key stands twice, and a context has one
// spelling.
base::Result<EncryptionContext> DecodeContext(base::Reader& reader) {
  ASSIGN_OR_RETURN(const std::uint32_t pairs, reader.U32());
  if (pairs > kMaxContextPairs) {
    return Damaged("too many pairs in its encryption context");
  }
  EncryptionContext context;
  for (std::uint32_t i = 0; i < pairs; ++i) {
    ASSIGN_OR_RETURN(const base::ByteView key, reader.Sized(kMaxContextBytes));
    ASSIGN_OR_RETURN(const base::ByteView value,
                     reader.Sized(kMaxContextBytes));
    std::string name(base::AsText(key));
    if (!context.empty() && context.rbegin()->first >= name) {
      return Damaged("its encryption context is not sorted");
    }
    context.emplace_hint(context.end(), std::move(name), base::AsText(value));
  }
  return context;
}

// Reads what stands before the length of the rest; returns the chunk's size.
base::Result<std::uint8_t> DecodePrefix(base::Reader& reader) {
  ASSIGN_OR_RETURN(const base::ByteView magic, reader.Take(kMagic.size()));
  if (base::AsText(magic) != kMagic) {
    return Damaged("it does not begin as one");
  }
  ASSIGN_OR_RETURN(const std::uint8_t version, reader.U8());
  ASSIGN_OR_RETURN(const std::uint8_t algorithm, reader.U8());
  if (version != kVersion || algorithm != kAlgorithm) {
    return Error{ErrorCode::kCorrupt,
                 "the envelope has version " + std::to_string(version) +
                     ", algorithm " + std::to_string(algorithm) +
                     "; this program reads version 1, algorithm 1"};
  }
  return reader.U8();
}

}  // namespace

base::Result<EnvelopeHeader> DecodeHeader(base::ByteView bytes) {
  base::Reader reader(bytes);
  EnvelopeHeader header;
  ASSIGN_OR_RETURN(header.chunk_bits, DecodePrefix(reader));
  ASSIGN_OR_RETURN(const std::uint32_t rest, reader.U32());
  if (rest != reader.left()) {
    return Damaged("its header has another length than it says");
  }
  ASSIGN_OR_RETURN(const base::ByteView salt, reader.Take(header.salt.size()));
  std::copy(salt.begin(), salt.end(), header.salt.begin());
  ASSIGN_OR_RETURN(const base::ByteView key, reader.Sized(kMaxWrappedKeyBytes));
  header.wrapped_key.assign(key.begin(), key.end());
  ASSIGN_OR_RETURN(header.context, DecodeContext(reader));
  RETURN_IF_ERROR(reader.End());
  RETURN_IF_ERROR(CheckBounds(header));
  return header;
}

base::Result<base::Bytes> EncodeHeader(const EnvelopeHeader& header) {
  if (const base::Status bounds = CheckBounds(header); !bounds.has_value()) {
    return Error{ErrorCode::kInvalidArgument, bounds.error().message};
  }
  base::Writer body(kMaxHeaderBytes);
  body.Raw(header.salt)
      .Sized(base::ByteView(header.wrapped_key))
      .U32(static_cast<std::uint32_t>(header.context.size()));
  for (const auto& [key, value] : header.context) {
    body.Sized(std::string_view(key)).Sized(std::string_view(value));
  }
  base::Writer whole(kMaxHeaderBytes);
  whole.Raw(base::AsBytes(kMagic))
      .U8(kVersion)
      .U8(kAlgorithm)
      .U8(header.chunk_bits)
      .Sized(body.view());
  if (!body.Ok() || !whole.Ok()) {
    return Error{ErrorCode::kInternal, "an envelope's header outgrew 32 KiB"};
  }
  return base::Bytes(whole.view().begin(), whole.view().end());
}

base::Result<std::size_t> ReadFull(const Source& source,
                                   std::span<std::uint8_t> into) {
  std::size_t have = 0;
  while (have < into.size()) {
    ASSIGN_OR_RETURN(const std::size_t got, source(into.subspan(have)));
    if (got == 0) {
      break;
    }
    have += got;
  }
  return have;
}

base::Result<base::Bytes> ReadHeaderBytes(const Source& source) {
  base::Bytes bytes(kPrefixBytes);
  ASSIGN_OR_RETURN(const std::size_t prefix, ReadFull(source, bytes));
  if (prefix < kPrefixBytes) {
    return Damaged("it is too short");
  }
  base::Reader reader(bytes);
  RETURN_IF_ERROR(DecodePrefix(reader));
  ASSIGN_OR_RETURN(const std::uint32_t rest, reader.U32());
  if (rest > kMaxHeaderBytes - kPrefixBytes) {
    return Damaged("its header is longer than 32 KiB");
  }
  bytes.resize(kPrefixBytes + rest);
  ASSIGN_OR_RETURN(const std::size_t got,
                   ReadFull(source, std::span(bytes).subspan(kPrefixBytes)));
  if (got < rest) {
    return Damaged("its header is cut off");
  }
  return bytes;
}

}  // namespace tools::claviger
