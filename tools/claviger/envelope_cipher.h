// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGER_ENVELOPE_CIPHER_H_
#define TOOLS_CLAVIGER_ENVELOPE_CIPHER_H_

#include <openssl/types.h>

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/secret.h"

namespace tools::claviger {

inline constexpr std::size_t kTagBytes = 16;

// The keys of one envelope, from its data key and all bytes of its header.
struct FileKeys {
  base::Secret file_key;    // AES-256.
  base::Digest commitment;  // Public: says which file key was meant.
};
FileKeys DeriveFileKeys(const base::Secret& data_key, base::ByteView salt,
                        const base::Digest& header_digest);

enum class Position : std::uint8_t { kInside = 0, kLast = 1 };

// A ChunkCipher is AES-256-GCM under one file key, with the STREAM nonces: the
// number of the chunk, and whether it is the last. Not synchronised.
class ChunkCipher {
 public:
  enum class Direction : std::uint8_t { kEncrypt, kDecrypt };

  // `header_digest` is authenticated with every chunk.
  ChunkCipher(Direction direction, const base::Secret& file_key,
              const base::Digest& header_digest);

  // Encrypts `chunk` into `out`, which has room for it and the tag.
  void Seal(std::uint64_t number, Position position, base::ByteView chunk,
            std::span<std::uint8_t> out);

  // Verifies and decrypts `sealed` (at least a tag long) into `out`, which has
  // room for all but the tag. Returns whether it is what was sealed under that
  // number and position; if not, `out` has been wiped.
  bool Open(std::uint64_t number, Position position, base::ByteView sealed,
            std::span<std::uint8_t> out);

 private:
  struct Free {
    void operator()(EVP_CIPHER_CTX* context) const;
  };
  void Start(std::uint64_t number, Position position);
  void Update(base::ByteView in, std::uint8_t* out);

  std::unique_ptr<EVP_CIPHER_CTX, Free> context_;
  base::Digest header_digest_;
};

}  // namespace tools::claviger

#endif  // TOOLS_CLAVIGER_ENVELOPE_CIPHER_H_
