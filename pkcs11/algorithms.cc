// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/algorithms.h"

#include <algorithm>
#include <array>

namespace pkcs11 {
namespace {

using enum Usage;

constexpr std::array kHashes = {&kSha1, &kSha224, &kSha256, &kSha384, &kSha512};

constexpr Curve kP256 = {"prime256v1", "06082a8648ce3d030107", 32, &kSha256};
constexpr Curve kP384 = {"secp384r1", "06052b81040022", 48, &kSha384};
constexpr Curve kP521 = {"secp521r1", "06052b81040023", 66, &kSha512};
constexpr Curve kP256k1 = {"secp256k1", "06052b8104000a", 32, &kSha256};
constexpr Curve kEd25519 = {"ED25519", "06032b6570", 32, nullptr};

constexpr std::array kKeySpecs = {
    KeySpec{"ECC_NIST_EDWARDS25519", CKK_EC_EDWARDS, 255, &kEd25519, nullptr},
    KeySpec{"ECC_NIST_P256", CKK_EC, 256, &kP256, nullptr},
    KeySpec{"ECC_NIST_P384", CKK_EC, 384, &kP384, nullptr},
    KeySpec{"ECC_NIST_P521", CKK_EC, 521, &kP521, nullptr},
    KeySpec{"ECC_SECG_P256K1", CKK_EC, 256, &kP256k1, nullptr},
    KeySpec{"HMAC_224", CKK_SHA224_HMAC, 224, nullptr, &kSha224},
    KeySpec{"HMAC_256", CKK_SHA256_HMAC, 256, nullptr, &kSha256},
    KeySpec{"HMAC_384", CKK_SHA384_HMAC, 384, nullptr, &kSha384},
    KeySpec{"HMAC_512", CKK_SHA512_HMAC, 512, nullptr, &kSha512},
    KeySpec{"RSA_2048", CKK_RSA, 2048, nullptr, nullptr},
    KeySpec{"RSA_3072", CKK_RSA, 3072, nullptr, nullptr},
    KeySpec{"RSA_4096", CKK_RSA, 4096, nullptr, nullptr},
    KeySpec{"SYMMETRIC_DEFAULT", CKK_AES, 256, nullptr, nullptr},
};
static_assert(std::ranges::is_sorted(kKeySpecs, {}, &KeySpec::name));

struct MacType {
  CK_KEY_TYPE type;
  const Hash* hash;
};
constexpr std::array kMacTypes = {
    MacType{CKK_SHA_1_HMAC, &kSha1},    MacType{CKK_SHA224_HMAC, &kSha224},
    MacType{CKK_SHA256_HMAC, &kSha256}, MacType{CKK_SHA384_HMAC, &kSha384},
    MacType{CKK_SHA512_HMAC, &kSha512},
};

struct UsageRow {
  Usage usage;
  std::string_view name;
};
constexpr std::array kUsages = {
    UsageRow{kSignVerify, "SIGN_VERIFY"},
    UsageRow{kEncryptDecrypt, "ENCRYPT_DECRYPT"},
    UsageRow{kGenerateVerifyMac, "GENERATE_VERIFY_MAC"},
    UsageRow{kKeyAgreement, "KEY_AGREEMENT"},
};

// Without CKF_HW, as the slots are without CKF_HW_SLOT: whether the token
// behind the KMS is hardware is not known here, and hashing and verifying are
// software.
constexpr CK_FLAGS kSign = CKF_SIGN | CKF_VERIFY;
constexpr CK_FLAGS kWrap = CKF_WRAP | CKF_UNWRAP;
constexpr CK_FLAGS kEncrypt = CKF_ENCRYPT | CKF_DECRYPT;
constexpr CK_FLAGS kOnCurve =
    CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS;
constexpr CK_FLAGS kSignOnCurve = kSign | kOnCurve;
constexpr CK_FLAGS kMakePair = CKF_GENERATE_KEY_PAIR;
constexpr CK_FLAGS kMakePairOnCurve = kMakePair | kOnCurve;
constexpr CK_FLAGS kAgree = CKF_DERIVE | kOnCurve;

// What the KMS does with its keys. The others are for keys of sessions.
constexpr std::array kKmsSchemes = {
    Scheme::kRsaPkcs1, Scheme::kRsaPss, Scheme::kEcdsa, Scheme::kEddsa,
    Scheme::kHmac,     Scheme::kOaep,   Scheme::kEcdh,  Scheme::kEnvelope,
};

// Not CKM_RSA_X_509 and not SHA-1: KMS makes no such RSA signatures.
constexpr std::array kMechanisms = {
    // clang-format off
    Mechanism{CKM_RSA_PKCS_KEY_PAIR_GEN, Scheme::kGenerate, CKK_RSA, kSignVerify, nullptr, kMakePair},
    Mechanism{CKM_RSA_PKCS, Scheme::kRsaPkcs1, CKK_RSA, kSignVerify, nullptr, kSign},
    Mechanism{CKM_RSA_PKCS_OAEP, Scheme::kOaep, CKK_RSA, kEncryptDecrypt, nullptr, kEncrypt | kWrap},
    Mechanism{CKM_RSA_PKCS_PSS, Scheme::kRsaPss, CKK_RSA, kSignVerify, nullptr, kSign},
    Mechanism{CKM_SHA256_RSA_PKCS, Scheme::kRsaPkcs1, CKK_RSA, kSignVerify, &kSha256, kSign},
    Mechanism{CKM_SHA384_RSA_PKCS, Scheme::kRsaPkcs1, CKK_RSA, kSignVerify, &kSha384, kSign},
    Mechanism{CKM_SHA512_RSA_PKCS, Scheme::kRsaPkcs1, CKK_RSA, kSignVerify, &kSha512, kSign},
    Mechanism{CKM_SHA256_RSA_PKCS_PSS, Scheme::kRsaPss, CKK_RSA, kSignVerify, &kSha256, kSign},
    Mechanism{CKM_SHA384_RSA_PKCS_PSS, Scheme::kRsaPss, CKK_RSA, kSignVerify, &kSha384, kSign},
    Mechanism{CKM_SHA512_RSA_PKCS_PSS, Scheme::kRsaPss, CKK_RSA, kSignVerify, &kSha512, kSign},
    Mechanism{CKM_SHA_1, Scheme::kDigest, CKK_GENERIC_SECRET, kSignVerify, &kSha1, CKF_DIGEST},
    Mechanism{CKM_SHA_1_HMAC, Scheme::kHmac, CKK_SHA_1_HMAC, kGenerateVerifyMac, &kSha1, kSign},
    Mechanism{CKM_SHA_1_HMAC_GENERAL, Scheme::kHmacGeneral, CKK_SHA_1_HMAC, kGenerateVerifyMac, &kSha1, kSign},
    Mechanism{CKM_SHA256, Scheme::kDigest, CKK_GENERIC_SECRET, kSignVerify, &kSha256, CKF_DIGEST},
    Mechanism{CKM_SHA256_HMAC, Scheme::kHmac, CKK_SHA256_HMAC, kGenerateVerifyMac, &kSha256, kSign},
    Mechanism{CKM_SHA256_HMAC_GENERAL, Scheme::kHmacGeneral, CKK_SHA256_HMAC, kGenerateVerifyMac, &kSha256, kSign},
    Mechanism{CKM_SHA224, Scheme::kDigest, CKK_GENERIC_SECRET, kSignVerify, &kSha224, CKF_DIGEST},
    Mechanism{CKM_SHA224_HMAC, Scheme::kHmac, CKK_SHA224_HMAC, kGenerateVerifyMac, &kSha224, kSign},
    Mechanism{CKM_SHA224_HMAC_GENERAL, Scheme::kHmacGeneral, CKK_SHA224_HMAC, kGenerateVerifyMac, &kSha224, kSign},
    Mechanism{CKM_SHA384, Scheme::kDigest, CKK_GENERIC_SECRET, kSignVerify, &kSha384, CKF_DIGEST},
    Mechanism{CKM_SHA384_HMAC, Scheme::kHmac, CKK_SHA384_HMAC, kGenerateVerifyMac, &kSha384, kSign},
    Mechanism{CKM_SHA384_HMAC_GENERAL, Scheme::kHmacGeneral, CKK_SHA384_HMAC, kGenerateVerifyMac, &kSha384, kSign},
    Mechanism{CKM_SHA512, Scheme::kDigest, CKK_GENERIC_SECRET, kSignVerify, &kSha512, CKF_DIGEST},
    Mechanism{CKM_SHA512_HMAC, Scheme::kHmac, CKK_SHA512_HMAC, kGenerateVerifyMac, &kSha512, kSign},
    Mechanism{CKM_SHA512_HMAC_GENERAL, Scheme::kHmacGeneral, CKK_SHA512_HMAC, kGenerateVerifyMac, &kSha512, kSign},
    Mechanism{CKM_SHA3_256, Scheme::kDigest, CKK_GENERIC_SECRET, kSignVerify, &kSha3With256, CKF_DIGEST},
    Mechanism{CKM_SHA3_224, Scheme::kDigest, CKK_GENERIC_SECRET, kSignVerify, &kSha3With224, CKF_DIGEST},
    Mechanism{CKM_SHA3_384, Scheme::kDigest, CKK_GENERIC_SECRET, kSignVerify, &kSha3With384, CKF_DIGEST},
    Mechanism{CKM_SHA3_512, Scheme::kDigest, CKK_GENERIC_SECRET, kSignVerify, &kSha3With512, CKF_DIGEST},
    Mechanism{CKM_GENERIC_SECRET_KEY_GEN, Scheme::kGenerate, CKK_GENERIC_SECRET, kGenerateVerifyMac, nullptr, CKF_GENERATE},
    Mechanism{CKM_EC_KEY_PAIR_GEN, Scheme::kGenerate, CKK_EC, kSignVerify, nullptr, kMakePairOnCurve},
    Mechanism{CKM_ECDSA, Scheme::kEcdsa, CKK_EC, kSignVerify, nullptr, kSignOnCurve},
    Mechanism{CKM_ECDSA_SHA1, Scheme::kEcdsa, CKK_EC, kSignVerify, &kSha1, kSignOnCurve},
    Mechanism{CKM_ECDSA_SHA224, Scheme::kEcdsa, CKK_EC, kSignVerify, &kSha224, kSignOnCurve},
    Mechanism{CKM_ECDSA_SHA256, Scheme::kEcdsa, CKK_EC, kSignVerify, &kSha256, kSignOnCurve},
    Mechanism{CKM_ECDSA_SHA384, Scheme::kEcdsa, CKK_EC, kSignVerify, &kSha384, kSignOnCurve},
    Mechanism{CKM_ECDSA_SHA512, Scheme::kEcdsa, CKK_EC, kSignVerify, &kSha512, kSignOnCurve},
    Mechanism{CKM_ECDSA_SHA3_224, Scheme::kEcdsa, CKK_EC, kSignVerify, &kSha3With224, kSignOnCurve},
    Mechanism{CKM_ECDSA_SHA3_256, Scheme::kEcdsa, CKK_EC, kSignVerify, &kSha3With256, kSignOnCurve},
    Mechanism{CKM_ECDSA_SHA3_384, Scheme::kEcdsa, CKK_EC, kSignVerify, &kSha3With384, kSignOnCurve},
    Mechanism{CKM_ECDSA_SHA3_512, Scheme::kEcdsa, CKK_EC, kSignVerify, &kSha3With512, kSignOnCurve},
    Mechanism{CKM_ECDH1_DERIVE, Scheme::kEcdh, CKK_EC, kKeyAgreement, nullptr, kAgree},
    Mechanism{CKM_ECDH1_COFACTOR_DERIVE, Scheme::kEcdh, CKK_EC, kKeyAgreement, nullptr, kAgree},
    Mechanism{CKM_EC_EDWARDS_KEY_PAIR_GEN, Scheme::kGenerate, CKK_EC_EDWARDS, kSignVerify, nullptr, kMakePairOnCurve},
    Mechanism{CKM_EDDSA, Scheme::kEddsa, CKK_EC_EDWARDS, kSignVerify, nullptr, kSignOnCurve},
    Mechanism{CKM_AES_KEY_GEN, Scheme::kGenerate, CKK_AES, kEncryptDecrypt, nullptr, CKF_GENERATE},
    Mechanism{CKM_AES_ECB, Scheme::kAesEcb, CKK_AES, kEncryptDecrypt, nullptr, kEncrypt},
    Mechanism{CKM_AES_CBC, Scheme::kAesCbc, CKK_AES, kEncryptDecrypt, nullptr, kEncrypt},
    Mechanism{CKM_AES_CBC_PAD, Scheme::kAesCbcPad, CKK_AES, kEncryptDecrypt, nullptr, kEncrypt | kWrap},
    Mechanism{CKM_AES_CTR, Scheme::kAesCtr, CKK_AES, kEncryptDecrypt, nullptr, kEncrypt},
    Mechanism{CKM_AES_GCM, Scheme::kAesGcm, CKK_AES, kEncryptDecrypt, nullptr, kEncrypt | kWrap},
    Mechanism{CKM_AES_KEY_WRAP, Scheme::kAesWrap, CKK_AES, kEncryptDecrypt, nullptr, kWrap},
    Mechanism{CKM_AES_KEY_WRAP_PAD, Scheme::kAesWrapPad, CKK_AES, kEncryptDecrypt, nullptr, kWrap},
    Mechanism{CKM_KMS_ENVELOPE, Scheme::kEnvelope, CKK_AES, kEncryptDecrypt, nullptr, kEncrypt | kWrap},
    Mechanism{CKM_KMS_DATA_KEY_GEN, Scheme::kGenerate, CKK_AES, kEncryptDecrypt, nullptr, CKF_GENERATE},
    // clang-format on
};
static_assert(std::ranges::is_sorted(kMechanisms, {}, &Mechanism::type));

}  // namespace

std::span<const Hash* const> Hashes() { return kHashes; }

const Hash* FindHash(CK_MECHANISM_TYPE digest) {
  const auto* const found = std::ranges::find(kHashes, digest, &Hash::digest);
  return found == kHashes.end() ? nullptr : *found;
}

bool IsSignedByKms(const Hash& hash) { return hash.size >= kSha256.size; }

std::optional<base::WipingBytes> FitDigest(const Curve& curve,
                                           base::ByteView digest) {
  const std::size_t size = curve.hash->size;
  // Of P-521, KMS's digest is shorter than the number.
  if (digest.empty() || (digest.size() > size && size < curve.size)) {
    return std::nullopt;
  }
  base::WipingBytes fitted(size);
  const base::ByteView used = digest.first(std::min(digest.size(), size));
  std::ranges::copy(used, fitted.end() - std::ssize(used));
  return fitted;
}

bool HasPublicKey(const KeySpec& spec) {
  return spec.curve != nullptr || spec.type == CKK_RSA;
}

const KeySpec* FindKeySpec(std::string_view name) {
  const auto* const it =
      std::ranges::lower_bound(kKeySpecs, name, {}, &KeySpec::name);
  return it != kKeySpecs.end() && it->name == name ? it : nullptr;
}

std::span<const KeySpec> KeySpecs() { return kKeySpecs; }

std::string_view UsageName(Usage usage) {
  return std::ranges::find(kUsages, usage, &UsageRow::usage)->name;
}

std::optional<Usage> ParseUsage(std::string_view name) {
  const auto* const it = std::ranges::find(kUsages, name, &UsageRow::name);
  return it != kUsages.end() ? std::optional<Usage>(it->usage) : std::nullopt;
}

std::span<const Mechanism> Mechanisms() { return kMechanisms; }

const Mechanism* FindMechanism(CK_MECHANISM_TYPE type) {
  const auto* const it =
      std::ranges::lower_bound(kMechanisms, type, {}, &Mechanism::type);
  return it != kMechanisms.end() && it->type == type ? it : nullptr;
}

bool Fits(const Mechanism& mechanism, const KeySpec& spec, Usage usage) {
  return std::ranges::find(kKmsSchemes, mechanism.scheme) !=
             kKmsSchemes.end() &&
         mechanism.key_type == spec.type && mechanism.usage == usage;
}

bool FitsSessionKey(const Mechanism& mechanism, CK_KEY_TYPE type) {
  switch (mechanism.scheme) {
    case Scheme::kGenerate:
    case Scheme::kEnvelope:
    case Scheme::kDigest:
      return false;
    case Scheme::kHmac:
    case Scheme::kHmacGeneral:
      return mechanism.key_type == type || type == CKK_GENERIC_SECRET;
    default:
      return mechanism.key_type == type;
  }
}

const Hash* MacHash(CK_KEY_TYPE type) {
  const auto* const row = std::ranges::find(kMacTypes, type, &MacType::type);
  return row == kMacTypes.end() ? nullptr : row->hash;
}

}  // namespace pkcs11
