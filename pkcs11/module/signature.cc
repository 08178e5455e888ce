// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/signature.h"

#include <algorithm>
#include <optional>

#include "pkcs11/module/key_use.h"
#include "pkcs11/owners.h"

namespace pkcs11::module {
namespace {

// KMS's PSS has one hash for everything, and a salt as long as a digest.
Answer<const Hash*> PssHash(const Mechanism& row,
                            const CK_MECHANISM& mechanism) {
  const auto parameter = ParameterOf<CK_RSA_PKCS_PSS_PARAMS>(mechanism);
  const Hash* const hash =
      parameter.has_value() ? FindHash(parameter->hashAlg) : nullptr;
  if (hash == nullptr || !IsSignedByKms(*hash) ||
      (row.hash != nullptr && row.hash != hash) ||
      parameter->mgf != hash->mgf || parameter->sLen != hash->size) {
    return Failure(CKR_MECHANISM_PARAM_INVALID);
  }
  return hash;
}

// The plain form of PKCS#11 3.0 section 2.3.12 only: KMS has no context.
bool IsPlainEddsa(const CK_MECHANISM& mechanism) {
  if (HasNoParameter(mechanism)) {
    return true;
  }
  const auto parameter = ParameterOf<CK_EDDSA_PARAMS>(mechanism);
  return parameter.has_value() && parameter->phFlag == CK_FALSE &&
         parameter->ulContextDataLen == 0;
}

Answer<const Hash*> HashOf(const Mechanism& row,
                           const CK_MECHANISM& mechanism) {
  if (row.scheme == Scheme::kRsaPss) {
    return PssHash(row, mechanism);
  }
  const bool good = row.scheme == Scheme::kEddsa ? IsPlainEddsa(mechanism)
                                                 : HasNoParameter(mechanism);
  if (!good) {
    return Failure(CKR_MECHANISM_PARAM_INVALID);
  }
  return row.hash;
}

// The digest in the DigestInfo that a caller of CKM_RSA_PKCS wrapped it in.
Answer<KmsMessage> FromDigestInfo(base::ByteView input) {
  for (const Hash* const hash : Hashes()) {
    const base::Bytes prefix = *base::HexDecode(hash->prefix);
    if (IsSignedByKms(*hash) && input.size() == prefix.size() + hash->size &&
        std::ranges::equal(prefix, input.first(prefix.size()))) {
      const base::ByteView digest = input.subspan(prefix.size());
      return KmsMessage{{digest.begin(), digest.end()},
                        true,
                        "RSASSA_PKCS1_V1_5_" + std::string(hash->kms)};
    }
  }
  return Failure(CKR_DATA_INVALID,
                 "KMS signs DigestInfos of SHA-256, SHA-384 and SHA-512 only");
}

Answer<KmsMessage> EcdsaMessage(const Curve& curve, base::ByteView input) {
  std::optional<base::WipingBytes> digest = FitDigest(curve, input);
  if (!digest.has_value()) {
    return Failure(CKR_DATA_LEN_RANGE);
  }
  return KmsMessage{*std::move(digest), true,
                    "ECDSA_" + std::string(curve.hash->kms)};
}

}  // namespace

Answer<SignatureKind> ChooseSignature(const Object& object,
                                      const CK_MECHANISM& mechanism,
                                      CK_ATTRIBUTE_TYPE use) {
  ASSIGN_OR_FAIL(const Mechanism* row,
                 CheckKeyMayUse(object, mechanism, CKF_SIGN, use));
  ASSIGN_OR_FAIL(const Hash* hash, HashOf(*row, mechanism));
  return SignatureKind{row, hash, object.key};
}

std::size_t SizeOf(const SignatureKind& kind) {
  const KeySpec& spec = *kind.key->spec;
  if (spec.mac_hash != nullptr) {
    return spec.mac_hash->size;
  }
  return spec.curve != nullptr ? 2 * spec.curve->size : spec.bits / 8;
}

Answer<KmsMessage> ToKms(const SignatureKind& kind, base::ByteView input) {
  base::WipingBytes bytes(input.begin(), input.end());
  switch (kind.mechanism->scheme) {
    case Scheme::kRsaPkcs1:
      if (kind.hash == nullptr) {
        return FromDigestInfo(input);
      }
      return KmsMessage{std::move(bytes), true,
                        "RSASSA_PKCS1_V1_5_" + std::string(kind.hash->kms)};
    case Scheme::kRsaPss:
      if (bytes.size() != kind.hash->size) {
        return Failure(CKR_DATA_LEN_RANGE);
      }
      return KmsMessage{std::move(bytes), true,
                        "RSASSA_PSS_" + std::string(kind.hash->kms)};
    case Scheme::kEcdsa:
      return EcdsaMessage(*kind.key->spec->curve, input);
    case Scheme::kEddsa:
      if (bytes.empty()) {
        return Failure(CKR_DATA_LEN_RANGE);  // KMS signs no empty message.
      }
      return KmsMessage{std::move(bytes), false, "ED25519_SHA_512"};
    default:
      break;
  }
  return Failure(CKR_GENERAL_ERROR, "the mechanism makes no signatures");
}

Answer<base::Bytes> FromKms(const SignatureKind& kind,
                            base::Bytes kms_signature) {
  const std::size_t size = SizeOf(kind);
  if (kind.mechanism->scheme != Scheme::kEcdsa) {
    if (kms_signature.size() != size) {
      return Failure(CKR_DEVICE_ERROR,
                     "the server's signature has a wrong length");
    }
    return kms_signature;
  }
  const QuietQueue quiet;
  const unsigned char* at = kms_signature.data();
  const EcdsaSignature parsed(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(kms_signature.size())));
  base::Bytes raw(size);
  const int half = static_cast<int>(size / 2);
  // Padded: one in 128 signatures has an r or s with a leading zero byte.
  if (parsed == nullptr ||
      BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), raw.data(), half) != half ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), &raw[size / 2], half) !=
          half) {
    return Failure(CKR_DEVICE_ERROR, "the server's ECDSA signature is none");
  }
  return raw;
}

}  // namespace pkcs11::module
