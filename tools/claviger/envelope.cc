// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/envelope.h"

#include <optional>
#include <utility>

#include "base/wiping.h"
#include "tools/claviger/envelope_cipher.h"

namespace tools::claviger {
namespace {

using base::Error;
using base::ErrorCode;

// Far below the 2^61 blocks that GCM's counter mode could bear under one key,
// and more than any disk holds.
constexpr std::uint64_t kMaxChunks = std::uint64_t{1} << 32;

struct Piece {
  base::ByteView bytes;  // Borrowed until the next one is read.
  std::uint64_t number;
  Position position;
};

// A PieceReader cuts a source into pieces of one size. It reads one byte ahead,
// since only what follows a full piece tells whether it was the last.
class PieceReader {
 public:
  PieceReader(const Source& source, std::size_t piece_bytes)
      : source_(source), buffer_(piece_bytes + 1) {}

  // The next piece: full, or the last.
  base::Result<Piece> Next() {
    if (number_ > 0) {
      buffer_.front() = buffer_.back();
    }
    const std::size_t ahead = number_ > 0 ? 1 : 0;
    ASSIGN_OR_RETURN(const std::size_t got,
                     ReadFull(source_, std::span(buffer_).subspan(ahead)));
    if (number_ == kMaxChunks) {
      return Error{ErrorCode::kLimitExceeded,
                   "an envelope has at most 2^32 chunks: choose larger ones"};
    }
    const std::size_t have = ahead + got;
    const bool last = have < buffer_.size();
    const std::size_t size = last ? have : have - 1;
    return Piece{base::ByteView(buffer_).first(size), number_++,
                 last ? Position::kLast : Position::kInside};
  }

 private:
  const Source& source_;
  base::WipingBytes buffer_;
  std::uint64_t number_ = 0;
};

base::Status CheckDataKey(const base::Secret& data_key) {
  if (data_key.size() != kDataKeyBytes) {
    return Error{ErrorCode::kInvalidArgument,
                 "the data key has " + std::to_string(data_key.size()) +
                     " bytes instead of 32"};
  }
  return {};
}

// Says why a piece does not verify. To try the other position gives nothing
// away: whoever can ask may as well compute it.
Error WhyRefused(ChunkCipher& cipher, const Piece& piece,
                 std::span<std::uint8_t> scratch) {
  const bool last = piece.position == Position::kLast;
  const Position other = last ? Position::kInside : Position::kLast;
  const bool verifies = piece.bytes.size() >= kTagBytes &&
                        cipher.Open(piece.number, other, piece.bytes, scratch);
  if (!verifies) {
    return Error{ErrorCode::kInvalidCiphertext,
                 "the envelope has been changed or cut off in chunk " +
                     std::to_string(piece.number)};
  }
  return Error{ErrorCode::kInvalidCiphertext,
               last ? "the envelope has been cut off after chunk " +
                          std::to_string(piece.number)
                    : "there are bytes after the envelope's last chunk"};
}

}  // namespace

base::Status EncryptEnvelope(const EnvelopeHeader& header,
                             const base::Secret& data_key, const Source& source,
                             const Sink& sink) {
  RETURN_IF_ERROR(CheckDataKey(data_key));
  ASSIGN_OR_RETURN(const base::Bytes header_bytes, EncodeHeader(header));
  const base::Digest digest = base::ThreadHasher().Sha256(header_bytes);
  const FileKeys keys = DeriveFileKeys(data_key, header.salt, digest);
  RETURN_IF_ERROR(sink(header_bytes));
  RETURN_IF_ERROR(sink(keys.commitment));

  ChunkCipher cipher(ChunkCipher::Direction::kEncrypt, keys.file_key, digest);
  PieceReader chunks(source, header.chunk_bytes());
  base::Bytes sealed(header.chunk_bytes() + kTagBytes);
  for (;;) {
    ASSIGN_OR_RETURN(const Piece chunk, chunks.Next());
    cipher.Seal(chunk.number, chunk.position, chunk.bytes, sealed);
    RETURN_IF_ERROR(
        sink(base::ByteView(sealed).first(chunk.bytes.size() + kTagBytes)));
    if (chunk.position == Position::kLast) {
      return {};
    }
  }
}

base::Result<OpenedEnvelope> OpenEnvelope(const Source& source) {
  OpenedEnvelope envelope;
  ASSIGN_OR_RETURN(envelope.header_bytes, ReadHeaderBytes(source));
  ASSIGN_OR_RETURN(envelope.header, DecodeHeader(envelope.header_bytes));
  return envelope;
}

base::Status DecryptEnvelope(const OpenedEnvelope& envelope,
                             const base::Secret& data_key, const Source& source,
                             const Sink& sink) {
  RETURN_IF_ERROR(CheckDataKey(data_key));
  const EnvelopeHeader& header = envelope.header;
  const base::Digest digest =
      base::ThreadHasher().Sha256(envelope.header_bytes);
  const FileKeys keys = DeriveFileKeys(data_key, header.salt, digest);
  base::Digest commitment{};
  ASSIGN_OR_RETURN(const std::size_t got, ReadFull(source, commitment));
  if (got < commitment.size() ||
      !base::ConstantTimeEqual(commitment, keys.commitment)) {
    return Error{ErrorCode::kInvalidCiphertext,
                 "the envelope's header has been changed or cut off, or "
                 "belongs to another data key"};
  }

  ChunkCipher cipher(ChunkCipher::Direction::kDecrypt, keys.file_key, digest);
  PieceReader pieces(source, header.chunk_bytes() + kTagBytes);
  base::WipingBytes plaintext(header.chunk_bytes());
  for (;;) {
    ASSIGN_OR_RETURN(const Piece piece, pieces.Next());
    const std::size_t size = piece.bytes.size();
    // An empty last chunk is the encryption of an empty file, and nothing else:
    // else one file would have two envelopes.
    const bool possible =
        size > kTagBytes || (size == kTagBytes && piece.number == 0);
    if (!possible ||
        !cipher.Open(piece.number, piece.position, piece.bytes, plaintext)) {
      return WhyRefused(cipher, piece, plaintext);
    }
    RETURN_IF_ERROR(sink(base::ByteView(plaintext).first(size - kTagBytes)));
    if (piece.position == Position::kLast) {
      return {};
    }
  }
}

}  // namespace tools::claviger
