// SPDX-License-Identifier: Apache-2.0
#include "kms/key_spec.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace kms {
namespace {

using namespace std::string_view_literals;
using hsm::Algorithm;
using hsm::Hash;
using hsm::SignatureScheme;
using enum KeySpec;
using enum KeyUsage;

constexpr std::array kSymmetricDefaultOnly = {"SYMMETRIC_DEFAULT"sv};
constexpr std::array kOaep = {"RSAES_OAEP_SHA_1"sv, "RSAES_OAEP_SHA_256"sv};
constexpr std::array kRsaSigning = {
    "RSASSA_PKCS1_V1_5_SHA_256"sv, "RSASSA_PKCS1_V1_5_SHA_384"sv,
    "RSASSA_PKCS1_V1_5_SHA_512"sv, "RSASSA_PSS_SHA_256"sv,
    "RSASSA_PSS_SHA_384"sv,        "RSASSA_PSS_SHA_512"sv};
constexpr std::array kEcdsaSha256 = {"ECDSA_SHA_256"sv};
constexpr std::array kEcdsaSha384 = {"ECDSA_SHA_384"sv};
constexpr std::array kEcdsaSha512 = {"ECDSA_SHA_512"sv};
// Not ED25519_PH_SHA_512: SoftHSM makes a pure signature instead, and says
// nothing.
constexpr std::array kEd25519 = {"ED25519_SHA_512"sv};
constexpr std::array kEcdh = {"ECDH"sv};
constexpr std::array kHmacSha224 = {"HMAC_SHA_224"sv};
constexpr std::array kHmacSha256 = {"HMAC_SHA_256"sv};
constexpr std::array kHmacSha384 = {"HMAC_SHA_384"sv};
constexpr std::array kHmacSha512 = {"HMAC_SHA_512"sv};

// clang-format off
constexpr std::array kKinds = {
    KeyKind{kSymmetricDefault, kEncryptDecrypt, Algorithm::kXaes256Gcm, kSymmetricDefaultOnly},
    KeyKind{kRsa2048, kEncryptDecrypt, Algorithm::kRsa2048Decrypt, kOaep},
    KeyKind{kRsa2048, kSignVerify, Algorithm::kRsa2048Sign, kRsaSigning},
    KeyKind{kRsa3072, kEncryptDecrypt, Algorithm::kRsa3072Decrypt, kOaep},
    KeyKind{kRsa3072, kSignVerify, Algorithm::kRsa3072Sign, kRsaSigning},
    KeyKind{kRsa4096, kEncryptDecrypt, Algorithm::kRsa4096Decrypt, kOaep},
    KeyKind{kRsa4096, kSignVerify, Algorithm::kRsa4096Sign, kRsaSigning},
    KeyKind{kEccNistP256, kSignVerify, Algorithm::kP256Sign, kEcdsaSha256},
    KeyKind{kEccNistP256, kKeyAgreement, Algorithm::kP256Agree, kEcdh},
    KeyKind{kEccNistP384, kSignVerify, Algorithm::kP384Sign, kEcdsaSha384},
    KeyKind{kEccNistP384, kKeyAgreement, Algorithm::kP384Agree, kEcdh},
    KeyKind{kEccNistP521, kSignVerify, Algorithm::kP521Sign, kEcdsaSha512},
    KeyKind{kEccNistP521, kKeyAgreement, Algorithm::kP521Agree, kEcdh},
    KeyKind{kEccSecgP256k1, kSignVerify, Algorithm::kSecp256k1Sign, kEcdsaSha256},
    KeyKind{kEccNistEdwards25519, kSignVerify, Algorithm::kEd25519Sign, kEd25519},
    KeyKind{kHmac224, kGenerateVerifyMac, Algorithm::kHmacSha224, kHmacSha224},
    KeyKind{kHmac256, kGenerateVerifyMac, Algorithm::kHmacSha256, kHmacSha256},
    KeyKind{kHmac384, kGenerateVerifyMac, Algorithm::kHmacSha384, kHmacSha384},
    KeyKind{kHmac512, kGenerateVerifyMac, Algorithm::kHmacSha512, kHmacSha512},
};
// clang-format on
constexpr auto kOrder = [](const KeyKind& kind) {
  return std::pair(kind.spec, kind.usage);
};
static_assert(std::ranges::is_sorted(kKinds, {}, kOrder));

constexpr std::array kSigning = {
    SigningAlgorithm{"RSASSA_PSS_SHA_256", SignatureScheme::kPss,
                     Hash::kSha256},
    SigningAlgorithm{"RSASSA_PSS_SHA_384", SignatureScheme::kPss,
                     Hash::kSha384},
    SigningAlgorithm{"RSASSA_PSS_SHA_512", SignatureScheme::kPss,
                     Hash::kSha512},
    SigningAlgorithm{"RSASSA_PKCS1_V1_5_SHA_256", SignatureScheme::kPkcs1,
                     Hash::kSha256},
    SigningAlgorithm{"RSASSA_PKCS1_V1_5_SHA_384", SignatureScheme::kPkcs1,
                     Hash::kSha384},
    SigningAlgorithm{"RSASSA_PKCS1_V1_5_SHA_512", SignatureScheme::kPkcs1,
                     Hash::kSha512},
    SigningAlgorithm{"ECDSA_SHA_256", SignatureScheme::kEcdsa, Hash::kSha256},
    SigningAlgorithm{"ECDSA_SHA_384", SignatureScheme::kEcdsa, Hash::kSha384},
    SigningAlgorithm{"ECDSA_SHA_512", SignatureScheme::kEcdsa, Hash::kSha512},
    SigningAlgorithm{"ED25519_SHA_512", SignatureScheme::kEd25519,
                     Hash::kSha512},
};

struct OaepRow {
  std::string_view name;
  Hash hash;
};
constexpr std::array kOaepHashes = {
    OaepRow{"RSAES_OAEP_SHA_1", Hash::kSha1},
    OaepRow{"RSAES_OAEP_SHA_256", Hash::kSha256},
};

constexpr std::array kHashSizes = {
    std::pair{Hash::kSha1, std::size_t{20}},
    std::pair{Hash::kSha256, std::size_t{32}},
    std::pair{Hash::kSha384, std::size_t{48}},
    std::pair{Hash::kSha512, std::size_t{64}},
};

constexpr std::array kModulusSizes = {
    std::pair{kRsa2048, std::size_t{256}},
    std::pair{kRsa3072, std::size_t{384}},
    std::pair{kRsa4096, std::size_t{512}},
};

constexpr std::array kListNames = {
    std::pair{kEncryptDecrypt, "EncryptionAlgorithms"sv},
    std::pair{kSignVerify, "SigningAlgorithms"sv},
    std::pair{kGenerateVerifyMac, "MacAlgorithms"sv},
    std::pair{kKeyAgreement, "KeyAgreementAlgorithms"sv},
};

// The value of a total table; an enumerator without a row is a bug.
template <typename K, typename V, std::size_t kSize>
V Total(const std::array<std::pair<K, V>, kSize>& table, K key) {
  const auto it = std::ranges::find(table, key, &std::pair<K, V>::first);
  if (it == table.end()) {
    std::abort();
  }
  return it->second;
}

}  // namespace

std::span<const KeyKind> KeyKinds() { return kKinds; }

const KeyKind* FindKeyKind(KeySpec spec, KeyUsage usage) {
  const auto it =
      std::ranges::lower_bound(kKinds, std::pair(spec, usage), {}, kOrder);
  const bool found =
      it != kKinds.end() && it->spec == spec && it->usage == usage;
  return found ? &*it : nullptr;
}

const KeyKind& KindOf(const Key& key) {
  const KeyKind* const kind = FindKeyKind(key.spec, key.usage);
  if (kind == nullptr) {
    std::abort();  // INVARIANT: a key has a kind.
  }
  return *kind;
}

bool FitsKind(const KeyKind& kind, Algorithm algorithm) {
  return algorithm == kind.algorithm ||
         (kind.spec == kSymmetricDefault &&
          algorithm == Algorithm::kAes256GcmCounter);
}

bool HasAlgorithm(const KeyKind& kind, std::string_view algorithm) {
  return std::ranges::find(kind.algorithms, algorithm) != kind.algorithms.end();
}

std::string_view AlgorithmListName(KeyUsage usage) {
  return Total(kListNames, usage);
}

bool IsKeyPair(KeySpec spec) {
  return spec > kSymmetricDefault && spec < kHmac224;
}
static_assert(kRsa2048 > kSymmetricDefault && kEccNistEdwards25519 < kHmac224);

std::size_t ModulusSize(KeySpec spec) {
  const auto it = std::ranges::find(kModulusSizes, spec,
                                    &std::pair<KeySpec, std::size_t>::first);
  return it == kModulusSizes.end() ? 0 : it->second;
}

std::size_t HashSize(Hash hash) { return Total(kHashSizes, hash); }

const SigningAlgorithm* FindSigningAlgorithm(std::string_view name) {
  const auto it = std::ranges::find(kSigning, name, &SigningAlgorithm::name);
  return it == kSigning.end() ? nullptr : &*it;
}

std::optional<Hash> OaepHash(std::string_view algorithm) {
  const auto it = std::ranges::find(kOaepHashes, algorithm, &OaepRow::name);
  return it == kOaepHashes.end() ? std::nullopt : std::optional(it->hash);
}

std::size_t OaepMaximum(KeySpec spec, Hash hash) {
  return ModulusSize(spec) - 2 * HashSize(hash) - 2;
}

std::optional<Algorithm> DataKeyPairAlgorithm(KeySpec spec) {
  const auto it = std::ranges::find(kKinds, spec, &KeyKind::spec);
  if (it == kKinds.end() || !IsKeyPair(spec)) {
    return std::nullopt;
  }
  return it->algorithm;
}

}  // namespace kms
