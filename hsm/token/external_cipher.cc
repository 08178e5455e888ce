// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/external_cipher.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/buffer.h"
#include "base/hash.h"
#include "base/random.h"
#include "hsm/token/gcm.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

enum class Format : std::uint8_t { kPlain = 1, kDerived = 3 };

Format FormatOf(Algorithm algorithm) {
  return algorithm == Algorithm::kXaes256Gcm ? Format::kDerived
                                             : Format::kPlain;
}

base::Bytes MetadataOf(Format format, std::uint32_t version,
                       base::ByteView p12) {
  base::Writer writer(kMaxExternalMetadata);
  writer.U8(static_cast<std::uint8_t>(format)).U32(version).Raw(p12);
  return {writer.view().begin(), writer.view().end()};
}

// Nothing if nobody makes such metadata for such a key.
std::optional<P12> ReadMetadata(Format format, base::ByteView metadata) {
  P12 p12{};
  const std::size_t size =
      1 + sizeof(std::uint32_t) + (format == Format::kDerived ? p12.size() : 0);
  if (metadata.size() != size ||
      metadata[0] != static_cast<std::uint8_t>(format)) {
    return std::nullopt;
  }
  if (format == Format::kDerived) {
    std::copy(metadata.end() - p12.size(), metadata.end(), p12.begin());
  }
  return p12;
}

base::Bytes BoundAad(base::ByteView aad, base::ByteView metadata) {
  base::Writer writer(kMaxExternalAad + kMaxExternalMetadata + 3);
  writer.U16(static_cast<std::uint16_t>(aad.size())).Raw(aad);
  writer.U8(static_cast<std::uint8_t>(metadata.size())).Raw(metadata);
  return {writer.view().begin(), writer.view().end()};
}

// The parts of what GCM made.
ExternalSealed Split(base::Bytes metadata, const Iv& iv,
                     base::ByteView ciphertext_and_tag) {
  const base::ByteView tag = ciphertext_and_tag.last(kTagSize);
  const base::ByteView ciphertext =
      ciphertext_and_tag.first(ciphertext_and_tag.size() - kTagSize);
  return {.metadata = std::move(metadata),
          .iv = {iv.begin(), iv.end()},
          .ciphertext = {ciphertext.begin(), ciphertext.end()},
          .tag = {tag.begin(), tag.end()}};
}

base::Result<ExternalSealed> SealDerived(Xaes& xaes, ObjectHandle object,
                                         const SealExternalRequest& request) {
  ASSIGN_OR_RETURN(const Xaes::Reservation reservation,
                   xaes.Reserve(request.key.locator, object));
  base::Bytes metadata = MetadataOf(Format::kDerived, request.version,
                                    PrefixOf(reservation.nonce));
  ASSIGN_OR_RETURN(
      const Sealed sealed,
      xaes.SealReserved(reservation, BoundAad(request.aad, metadata),
                        request.plaintext.Reveal()));
  return Split(std::move(metadata), IvOf(sealed.nonce), sealed.ciphertext);
}

base::Result<ExternalSealed> SealPlain(Sessions& sessions, ObjectHandle object,
                                       const SealExternalRequest& request) {
  base::Bytes metadata = MetadataOf(Format::kPlain, request.version, {});
  Iv iv;
  base::RandomBytes(iv);
  ASSIGN_OR_RETURN(
      const GcmSealed sealed,
      SealGcm(sessions, object, iv, BoundAad(request.aad, metadata),
              request.plaintext.Reveal()));
  return Split(std::move(metadata), sealed.iv, sealed.ciphertext);
}

// CiphertextDataIntegrityValue: of the very bytes that leave, and before they
// are tried.
base::Digest IntegrityOf(base::ByteView aad, const ExternalSealed& sealed) {
  base::Writer writer(kMaxExternalAad + kMaxExternalMetadata + kMaxPlaintext +
                      64);
  writer.Raw(aad).Raw(sealed.metadata).Raw(sealed.iv);
  writer.Raw(sealed.ciphertext).Raw(sealed.tag);
  return base::ThreadHasher().Sha256(writer.view());
}

base::Status CheckOpens(Sessions& sessions, Xaes& xaes, ObjectHandle object,
                        const SealExternalRequest& request,
                        const ExternalSealed& sealed) {
  const auto opened =
      OpenExternal(sessions, xaes, object,
                   {.key = request.key, .aad = request.aad, .sealed = sealed});
  if (!opened.has_value() &&
      opened.error().code != ErrorCode::kInvalidCiphertext) {
    return opened.error();
  }
  if (!opened.has_value() ||
      !base::ConstantTimeEqual(opened->Reveal(), request.plaintext.Reveal())) {
    return Error{ErrorCode::kCorrupt,
                 "the key does not decrypt what it encrypted"};
  }
  return {};
}

}  // namespace

base::Result<SealExternalReply> SealExternal(
    Sessions& sessions, Xaes& xaes, ObjectHandle object,
    const SealExternalRequest& request) {
  if (request.aad.size() > kMaxExternalAad) {
    return Error{ErrorCode::kInvalidArgument, "the AAD is too long"};
  }
  SealExternalReply reply;
  ASSIGN_OR_RETURN(reply.sealed,
                   FormatOf(request.key.algorithm) == Format::kDerived
                       ? SealDerived(xaes, object, request)
                       : SealPlain(sessions, object, request));
  if (request.want_integrity) {
    const base::Digest digest = IntegrityOf(request.aad, reply.sealed);
    RETURN_IF_ERROR(CheckOpens(sessions, xaes, object, request, reply.sealed));
    reply.integrity.assign(digest.begin(), digest.end());
  }
  return reply;
}

base::Result<base::Secret> OpenExternal(Sessions& sessions, Xaes& xaes,
                                        ObjectHandle object,
                                        const OpenExternalRequest& request) {
  const ExternalSealed& sealed = request.sealed;
  const Format format = FormatOf(request.key.algorithm);
  const std::optional<P12> p12 = ReadMetadata(format, sealed.metadata);
  Iv iv;
  if (!p12 || sealed.iv.size() != iv.size() || sealed.tag.size() != kTagSize ||
      sealed.ciphertext.size() > kMaxPlaintext ||
      request.aad.size() > kMaxExternalAad) {
    return Error{ErrorCode::kInvalidCiphertext, ""};
  }
  std::ranges::copy(sealed.iv, iv.begin());
  const base::Bytes aad = BoundAad(request.aad, sealed.metadata);
  Sealed whole;
  std::ranges::copy(iv, std::ranges::copy(*p12, whole.nonce.begin()).out);
  whole.ciphertext = sealed.ciphertext;
  whole.ciphertext.insert(whole.ciphertext.end(), sealed.tag.begin(),
                          sealed.tag.end());
  return format == Format::kDerived
             ? xaes.Open(request.key.locator, object, aad, whole)
             : OpenGcm(sessions, object, iv, aad, whole.ciphertext);
}

}  // namespace hsm::token
