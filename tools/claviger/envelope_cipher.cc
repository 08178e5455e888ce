// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/envelope_cipher.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "base/wiping.h"

namespace tools::claviger {
namespace {

constexpr std::size_t kNonceBytes = 12;
constexpr std::string_view kLabel = "claviger-envelope-1";

// OpenSSL refuses these calls for want of memory or of AES itself; neither
// leaves a way on.
void Require(bool ok) {
  if (!ok) {
    std::abort();
  }
}

// HKDF-Expand's block `number` (RFC 5869 2.3), whose input is `before`, the
// label, the digest and the number.
base::Digest Expand(base::ByteView pseudorandom_key, base::ByteView before,
                    const base::Digest& header_digest, std::uint8_t number) {
  base::WipingBytes input(before.begin(), before.end());
  const base::ByteView label = base::AsBytes(kLabel);
  input.insert(input.end(), label.begin(), label.end());
  input.insert(input.end(), header_digest.begin(), header_digest.end());
  input.push_back(number);
  return base::ThreadHasher().HmacSha256(pseudorandom_key, input);
}

// Eleven bytes of number, one of position.
std::array<std::uint8_t, kNonceBytes> Nonce(std::uint64_t number,
                                            Position position) {
  std::array<std::uint8_t, kNonceBytes> nonce{};
  nonce.back() = static_cast<std::uint8_t>(position);
  for (std::size_t i = kNonceBytes - 2; number != 0; --i, number >>= 8) {
    nonce[i] = static_cast<std::uint8_t>(number & 0xFF);
  }
  return nonce;
}

}  // namespace

FileKeys DeriveFileKeys(const base::Secret& data_key, base::ByteView salt,
                        const base::Digest& header_digest) {
  base::Digest extracted =
      base::ThreadHasher().HmacSha256(salt, data_key.Reveal());
  base::Digest file_key = Expand(extracted, {}, header_digest, 1);
  FileKeys keys{base::Secret::CopyOf(file_key),
                Expand(extracted, file_key, header_digest, 2)};
  OPENSSL_cleanse(extracted.data(), extracted.size());
  OPENSSL_cleanse(file_key.data(), file_key.size());
  return keys;
}

void ChunkCipher::Free::operator()(EVP_CIPHER_CTX* context) const {
  EVP_CIPHER_CTX_free(context);  // Wipes the key schedule.
}

ChunkCipher::ChunkCipher(Direction direction, const base::Secret& file_key,
                         const base::Digest& header_digest)
    : context_(EVP_CIPHER_CTX_new()), header_digest_(header_digest) {
  Require(context_ != nullptr &&
          EVP_CipherInit_ex(context_.get(), EVP_aes_256_gcm(), nullptr,
                            file_key.Reveal().data(), nullptr,
                            direction == Direction::kEncrypt ? 1 : 0) == 1);
}

void ChunkCipher::Start(std::uint64_t number, Position position) {
  const auto nonce = Nonce(number, position);
  Require(EVP_CipherInit_ex(context_.get(), nullptr, nullptr, nullptr,
                            nonce.data(), -1) == 1);
  Update(header_digest_, nullptr);
}

void ChunkCipher::Update(base::ByteView in, std::uint8_t* out) {
  int size = 0;
  Require(EVP_CipherUpdate(context_.get(), out, &size, in.data(),
                           static_cast<int>(in.size())) == 1);
}

void ChunkCipher::Seal(std::uint64_t number, Position position,
                       base::ByteView chunk, std::span<std::uint8_t> out) {
  Start(number, position);
  if (!chunk.empty()) {
    Update(chunk, out.data());
  }
  std::uint8_t* const tag = out.data() + chunk.size();
  int none = 0;
  Require(EVP_CipherFinal_ex(context_.get(), tag, &none) == 1 &&
          EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes,
                              tag) == 1);
}

bool ChunkCipher::Open(std::uint64_t number, Position position,
                       base::ByteView sealed, std::span<std::uint8_t> out) {
  const base::ByteView body = sealed.first(sealed.size() - kTagBytes);
  std::array<std::uint8_t, kTagBytes> tag{};
  std::ranges::copy(sealed.last(kTagBytes), tag.begin());
  Start(number, position);
  if (!body.empty()) {
    Update(body, out.data());
  }
  int none = 0;
  std::array<std::uint8_t, kTagBytes> rest{};  // GCM never fills it.
  Require(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes,
                              tag.data()) == 1);
  if (EVP_CipherFinal_ex(context_.get(), rest.data(), &none) == 1) {
    return true;
  }
  OPENSSL_cleanse(out.data(), body.size());
  return false;
}

}  // namespace tools::claviger
