// SPDX-License-Identifier: Apache-2.0
#include "kms/ciphertext.h"

#include <algorithm>
#include <array>

#include "base/buffer.h"

namespace kms {
namespace {

using base::ByteView;

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHeaderSize =
    3 + 16 + 32;  // Everything before the nonce.
constexpr std::string_view kMaterialDomain = "claviger-material-1";

using HeaderBytes = std::array<std::uint8_t, kHeaderSize>;

HeaderBytes EncodeHeader(const CiphertextHeader& header) {
  HeaderBytes bytes;
  bytes[0] = kVersion;
  bytes[1] = static_cast<std::uint8_t>(header.algorithm);
  bytes[2] = static_cast<std::uint8_t>(header.key_id.kind);
  auto* const end = std::ranges::copy(header.key_id.bytes, &bytes[3]).out;
  std::ranges::copy(header.material, end);
  return bytes;
}

std::array<std::uint8_t, 4> BigEndian32(std::size_t value) {
  return {static_cast<std::uint8_t>(value >> 24),
          static_cast<std::uint8_t>(value >> 16),
          static_cast<std::uint8_t>(value >> 8),
          static_cast<std::uint8_t>(value)};
}

void UpdateSized(std::string_view text, base::Hasher& hasher) {
  hasher.Update(BigEndian32(text.size()));
  hasher.Update(base::AsBytes(text));
}

// A foreign blob's fields, or the Reader's kCorrupt.
base::Result<Ciphertext> Read(ByteView blob) {
  base::Reader reader(blob);
  ASSIGN_OR_RETURN(const std::uint8_t version, reader.U8());
  ASSIGN_OR_RETURN(const std::uint8_t algorithm, reader.U8());
  ASSIGN_OR_RETURN(const std::uint8_t kind, reader.U8());
  const bool known =
      version == kVersion && (algorithm == 1 || algorithm == 2) &&
      (kind == static_cast<std::uint8_t>(KeyIdKind::kUuid) ||
       kind == static_cast<std::uint8_t>(KeyIdKind::kMultiRegion));
  if (!known) {
    return base::Error{base::ErrorCode::kCorrupt, "unknown format"};
  }
  Ciphertext ciphertext;
  ciphertext.header.algorithm = static_cast<hsm::Algorithm>(algorithm);
  ciphertext.header.key_id.kind = static_cast<KeyIdKind>(kind);
  ASSIGN_OR_RETURN(const ByteView key_id, reader.Take(16));
  ASSIGN_OR_RETURN(const ByteView material, reader.Take(32));
  ASSIGN_OR_RETURN(const ByteView nonce, reader.Take(24));
  std::ranges::copy(key_id, ciphertext.header.key_id.bytes.begin());
  std::ranges::copy(material, ciphertext.header.material.begin());
  std::ranges::copy(nonce, ciphertext.sealed.nonce.begin());
  if (reader.left() < hsm::kTagSize) {
    return base::Error{base::ErrorCode::kCorrupt, "no tag"};
  }
  ciphertext.sealed.ciphertext.assign(reader.rest().begin(),
                                      reader.rest().end());
  return ciphertext;
}

}  // namespace

base::Result<Ciphertext> ParseCiphertext(ByteView blob) {
  auto ciphertext = Read(blob);
  if (!ciphertext) {
    return base::Error{base::ErrorCode::kInvalidCiphertext, ""};
  }
  return ciphertext;
}

base::Bytes SerializeCiphertext(const CiphertextHeader& header,
                                const hsm::Sealed& sealed) {
  const HeaderBytes head = EncodeHeader(header);
  base::Bytes blob;
  blob.reserve(head.size() + sealed.nonce.size() + sealed.ciphertext.size());
  blob.insert(blob.end(), head.begin(), head.end());
  blob.insert(blob.end(), sealed.nonce.begin(), sealed.nonce.end());
  blob.insert(blob.end(), sealed.ciphertext.begin(), sealed.ciphertext.end());
  return blob;
}

hsm::Aad CiphertextAad(const CiphertextHeader& header,
                       const EncryptionContext& context, base::Hasher& hasher) {
  hasher.Start();
  hasher.Update(EncodeHeader(header));
  hasher.Update(BigEndian32(context.size()));
  for (const auto& [key, value] : context) {
    UpdateSized(key, hasher);
    UpdateSized(value, hasher);
  }
  return hasher.Finish();
}

MaterialId MakeMaterialId(const KeyIdBytes& key_id,
                          const hsm::CheckValue& check_value,
                          base::Hasher& hasher) {
  hasher.Start();
  hasher.Update(base::AsBytes(kMaterialDomain));
  hasher.Update(key_id.bytes);
  hasher.Update(check_value);
  return hasher.Finish();
}

}  // namespace kms
