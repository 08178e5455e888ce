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

bool IsKnown(std::uint8_t version, std::uint8_t algorithm, std::uint8_t kind) {
  return version == kVersion &&
         algorithm >=
             static_cast<std::uint8_t>(CiphertextAlgorithm::kXaes256Gcm) &&
         algorithm <= static_cast<std::uint8_t>(
                          CiphertextAlgorithm::kExternalKeyStore) &&
         (kind == static_cast<std::uint8_t>(KeyIdKind::kUuid) ||
          kind == static_cast<std::uint8_t>(KeyIdKind::kMultiRegion));
}

base::Result<base::Bytes> ReadSized(base::Reader& reader) {
  ASSIGN_OR_RETURN(const std::uint8_t size, reader.U8());
  ASSIGN_OR_RETURN(const ByteView bytes, reader.Take(size));
  return base::Bytes(bytes.begin(), bytes.end());
}

// All of an outer layer but its ciphertext.
base::Result<hsm::ExternalSealed> ReadOuter(base::Reader& reader) {
  hsm::ExternalSealed outer;
  ASSIGN_OR_RETURN(outer.metadata, ReadSized(reader));
  ASSIGN_OR_RETURN(outer.iv, ReadSized(reader));
  ASSIGN_OR_RETURN(const ByteView tag, reader.Take(hsm::kTagSize));
  outer.tag.assign(tag.begin(), tag.end());
  return outer;
}

base::Result<hsm::Nonce> ReadNonce(base::Reader& reader) {
  hsm::Nonce nonce;
  ASSIGN_OR_RETURN(const ByteView bytes, reader.Take(nonce.size()));
  std::ranges::copy(bytes, nonce.begin());
  return nonce;
}

base::Result<base::Bytes> ReadSealed(base::Reader& reader) {
  const ByteView rest = reader.rest();
  if (rest.size() < hsm::kTagSize) {
    return base::Error{base::ErrorCode::kCorrupt, "no tag"};
  }
  return base::Bytes(rest.begin(), rest.end());
}

// A foreign blob's fields, or the Reader's kCorrupt.
base::Result<Ciphertext> Read(ByteView blob) {
  base::Reader reader(blob);
  ASSIGN_OR_RETURN(const std::uint8_t version, reader.U8());
  ASSIGN_OR_RETURN(const std::uint8_t algorithm, reader.U8());
  ASSIGN_OR_RETURN(const std::uint8_t kind, reader.U8());
  if (!IsKnown(version, algorithm, kind)) {
    return base::Error{base::ErrorCode::kCorrupt, "unknown format"};
  }
  Ciphertext ciphertext;
  ciphertext.header.algorithm = static_cast<CiphertextAlgorithm>(algorithm);
  ciphertext.header.key_id.kind = static_cast<KeyIdKind>(kind);
  ASSIGN_OR_RETURN(const ByteView key_id, reader.Take(16));
  ASSIGN_OR_RETURN(const ByteView material, reader.Take(32));
  std::ranges::copy(key_id, ciphertext.header.key_id.bytes.begin());
  std::ranges::copy(material, ciphertext.header.material.begin());
  const bool is_external =
      ciphertext.header.algorithm == CiphertextAlgorithm::kExternalKeyStore;
  if (is_external) {
    ASSIGN_OR_RETURN(ciphertext.outer, ReadOuter(reader));
  }
  ASSIGN_OR_RETURN(ciphertext.sealed.nonce, ReadNonce(reader));
  base::Bytes& rest =
      is_external ? ciphertext.outer.ciphertext : ciphertext.sealed.ciphertext;
  ASSIGN_OR_RETURN(rest, ReadSealed(reader));
  if (is_external && !IsOuterLayer(ciphertext.outer)) {
    return base::Error{base::ErrorCode::kCorrupt, "no outer layer"};
  }
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

base::Bytes SerializeCiphertext(const CiphertextHeader& header,
                                const hsm::Nonce& nonce,
                                const hsm::ExternalSealed& outer) {
  const HeaderBytes head = EncodeHeader(header);
  base::Bytes blob;
  blob.reserve(head.size() + 2 + outer.metadata.size() + outer.iv.size() +
               outer.tag.size() + nonce.size() + outer.ciphertext.size());
  blob.insert(blob.end(), head.begin(), head.end());
  for (const base::Bytes* const part : {&outer.metadata, &outer.iv}) {
    blob.push_back(static_cast<std::uint8_t>(part->size()));
    blob.insert(blob.end(), part->begin(), part->end());
  }
  blob.insert(blob.end(), outer.tag.begin(), outer.tag.end());
  blob.insert(blob.end(), nonce.begin(), nonce.end());
  blob.insert(blob.end(), outer.ciphertext.begin(), outer.ciphertext.end());
  return blob;
}

bool IsOuterLayer(const hsm::ExternalSealed& outer) {
  return outer.metadata.size() <= hsm::kMaxExternalMetadata &&
         (outer.iv.size() == 12 || outer.iv.size() == 16) &&
         outer.tag.size() == hsm::kTagSize &&
         outer.ciphertext.size() >= hsm::kTagSize;
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
