// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/signatures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "hsm/algorithms.h"
#include "hsm/token/curves.h"
#include "hsm/token/hashes.h"
#include "hsm/token/openssl.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxMessage = 4096;
constexpr std::size_t kEd25519Signature = 64;

bool Fits(KeyKind kind, SignatureScheme scheme) {
  switch (scheme) {
    case SignatureScheme::kPss:
    case SignatureScheme::kPkcs1:
      return kind == KeyKind::kRsa;
    case SignatureScheme::kEcdsa:
      return kind == KeyKind::kEc;
    case SignatureScheme::kEd25519:
      return kind == KeyKind::kEdwards;
  }
  return false;
}

// SHA-1 is not for signatures any more.
base::Status CheckRequest(const AlgorithmRow* row, const SignRequest& request) {
  if (row == nullptr || row->use != KeyUse::kSign ||
      !Fits(row->kind, request.scheme)) {
    return Error{ErrorCode::kInvalidArgument,
                 "the key does not sign by that scheme"};
  }
  const std::size_t size = request.message.size();
  if (request.scheme == SignatureScheme::kEd25519) {
    if (size == 0 || size > kMaxMessage) {
      return Error{
          ErrorCode::kInvalidArgument,
          fmt::format("a message of {} bytes, not 1 to {}", size, kMaxMessage)};
    }
    return {};
  }
  const HashRow* hash = FindHash(request.hash);
  if (hash == nullptr || hash->hash == Hash::kSha1) {
    return Error{ErrorCode::kInvalidArgument, "the hash is not for signatures"};
  }
  if (size != hash->size) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("a digest of {} bytes, not {}", size, hash->size)};
  }
  return {};
}

base::Result<base::Bytes> SignSized(Sessions& sessions,
                                    const Mechanism& mechanism,
                                    ObjectHandle object, base::ByteView message,
                                    std::size_t size) {
  ASSIGN_OR_RETURN(Session* const session, sessions.Working());
  ASSIGN_OR_RETURN(base::Bytes signature,
                   session->Sign(mechanism, object, message).Take());
  if (signature.size() != size) {
    return Error{
        ErrorCode::kCorrupt,
        fmt::format("a signature of {} bytes, not {}", signature.size(), size)};
  }
  return signature;
}

base::Result<base::Bytes> SignRsa(Sessions& sessions, ObjectHandle object,
                                  const SignRequest& request,
                                  std::size_t size) {
  const HashRow& hash = *FindHash(request.hash);
  const base::ByteView digest = request.message.Reveal();
  if (request.scheme == SignatureScheme::kPss) {
    const CK_RSA_PKCS_PSS_PARAMS pss = {
        .hash_alg = hash.mechanism, .mgf = hash.mgf1, .s_len = hash.size};
    const base::ByteView parameter(reinterpret_cast<const std::uint8_t*>(&pss),
                                   sizeof(pss));
    return SignSized(sessions, {CKM_RSA_PKCS_PSS, parameter}, object, digest,
                     size);
  }
  ASSIGN_OR_RETURN(base::Bytes info, base::HexDecode(hash.digest_prefix));
  info.insert(info.end(), digest.begin(), digest.end());
  return SignSized(sessions, {CKM_RSA_PKCS}, object, info, size);
}

// Ecdsa-Sig-Value of r || s.
base::Result<base::Bytes> AsDer(base::ByteView raw) {
  const auto half = raw.size() / 2;
  BignumOwner r(BN_bin2bn(raw.data(), static_cast<int>(half), nullptr));
  BignumOwner s(
      BN_bin2bn(raw.subspan(half).data(), static_cast<int>(half), nullptr));
  const EcdsaSignature signature(ECDSA_SIG_new());
  if (r == nullptr || s == nullptr || signature == nullptr ||
      ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) {
    return Error{ErrorCode::kInternal, "OpenSSL cannot hold a signature"};
  }
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  const int size = i2d_ECDSA_SIG(signature.get(), nullptr);
  base::Bytes der(static_cast<std::size_t>(std::max(size, 0)));
  unsigned char* at = der.data();
  if (size <= 0 || i2d_ECDSA_SIG(signature.get(), &at) != size) {
    return Error{ErrorCode::kInternal, "OpenSSL cannot encode a signature"};
  }
  return der;
}

// FIPS 186-5, 6.4: of a hash longer than the curve, the leftmost bits. Tokens
// disagree about who cuts.
base::Result<base::Bytes> SignEcdsa(Sessions& sessions, ObjectHandle object,
                                    const SignRequest& request,
                                    const Curve& curve) {
  const base::ByteView digest = request.message.Reveal();
  ASSIGN_OR_RETURN(const base::Bytes raw,
                   SignSized(sessions, {CKM_ECDSA}, object,
                             digest.first(std::min(digest.size(), curve.size)),
                             2 * curve.size));
  return AsDer(raw);
}

}  // namespace

base::Result<base::Bytes> Sign(Sessions& sessions, ObjectHandle object,
                               const SignRequest& request) {
  const AlgorithmRow* row = FindAlgorithm(request.key.algorithm);
  RETURN_IF_ERROR(CheckRequest(row, request));
  switch (row->kind) {
    case KeyKind::kRsa:
      return SignRsa(sessions, object, request,
                     static_cast<std::size_t>(row->bits) / 8);
    case KeyKind::kEc:
      return SignEcdsa(sessions, object, request,
                       *FindCurve(request.key.algorithm));
    case KeyKind::kEdwards:
      return SignSized(sessions, {CKM_EDDSA}, object, request.message.Reveal(),
                       kEd25519Signature);
    case KeyKind::kAes:
    case KeyKind::kHmac:
      break;  // CheckRequest() has refused them.
  }
  return Error{ErrorCode::kInvalidArgument, "the key does not sign"};
}

}  // namespace hsm::token
