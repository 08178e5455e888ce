// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_ALGORITHMS_H_
#define HSM_ALGORITHMS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "hsm/messages.h"

// The table of what every Algorithm is. It decides what the wire carries, how a
// key is made and which requests may use it.
namespace hsm {

enum class KeyKind : std::uint8_t { kAes, kRsa, kEc, kEdwards, kHmac };

// The one thing that a key is for.
enum class KeyUse : std::uint8_t {
  kEncrypt,
  kDecrypt,
  kSign,
  kAgree,
  kMac,
  kUnwrap,
  kWrap
};

struct AlgorithmRow {
  Algorithm algorithm;
  KeyKind kind;
  KeyUse use;
  int bits;  // Of the AES key, the modulus, the curve's field, the secret.
};

// clang-format off
inline constexpr std::array kAlgorithmRows = {
    AlgorithmRow{Algorithm::kXaes256Gcm, KeyKind::kAes, KeyUse::kEncrypt, 256},
    AlgorithmRow{Algorithm::kAes256GcmCounter, KeyKind::kAes, KeyUse::kEncrypt,
                 256},
    AlgorithmRow{Algorithm::kRsa2048Decrypt, KeyKind::kRsa, KeyUse::kDecrypt,
                 2048},
    AlgorithmRow{Algorithm::kRsa3072Decrypt, KeyKind::kRsa, KeyUse::kDecrypt,
                 3072},
    AlgorithmRow{Algorithm::kRsa4096Decrypt, KeyKind::kRsa, KeyUse::kDecrypt,
                 4096},
    AlgorithmRow{Algorithm::kRsa2048Sign, KeyKind::kRsa, KeyUse::kSign, 2048},
    AlgorithmRow{Algorithm::kRsa3072Sign, KeyKind::kRsa, KeyUse::kSign, 3072},
    AlgorithmRow{Algorithm::kRsa4096Sign, KeyKind::kRsa, KeyUse::kSign, 4096},
    AlgorithmRow{Algorithm::kP256Sign, KeyKind::kEc, KeyUse::kSign, 256},
    AlgorithmRow{Algorithm::kP384Sign, KeyKind::kEc, KeyUse::kSign, 384},
    AlgorithmRow{Algorithm::kP521Sign, KeyKind::kEc, KeyUse::kSign, 521},
    AlgorithmRow{Algorithm::kSecp256k1Sign, KeyKind::kEc, KeyUse::kSign, 256},
    AlgorithmRow{Algorithm::kEd25519Sign, KeyKind::kEdwards, KeyUse::kSign,
                 255},
    AlgorithmRow{Algorithm::kP256Agree, KeyKind::kEc, KeyUse::kAgree, 256},
    AlgorithmRow{Algorithm::kP384Agree, KeyKind::kEc, KeyUse::kAgree, 384},
    AlgorithmRow{Algorithm::kP521Agree, KeyKind::kEc, KeyUse::kAgree, 521},
    AlgorithmRow{Algorithm::kHmacSha224, KeyKind::kHmac, KeyUse::kMac, 256},
    AlgorithmRow{Algorithm::kHmacSha256, KeyKind::kHmac, KeyUse::kMac, 256},
    AlgorithmRow{Algorithm::kHmacSha384, KeyKind::kHmac, KeyUse::kMac, 384},
    AlgorithmRow{Algorithm::kHmacSha512, KeyKind::kHmac, KeyUse::kMac, 512},
    AlgorithmRow{Algorithm::kRsa2048Unwrap, KeyKind::kRsa, KeyUse::kUnwrap,
                 2048},
    AlgorithmRow{Algorithm::kRsa3072Unwrap, KeyKind::kRsa, KeyUse::kUnwrap,
                 3072},
    AlgorithmRow{Algorithm::kRsa4096Unwrap, KeyKind::kRsa, KeyUse::kUnwrap,
                 4096},
    AlgorithmRow{Algorithm::kAesWrap, KeyKind::kAes, KeyUse::kWrap, 256},
};
// clang-format on

// Null if there is no such algorithm.
constexpr const AlgorithmRow* FindAlgorithm(Algorithm algorithm) {
  for (const AlgorithmRow& row : kAlgorithmRows) {
    if (row.algorithm == algorithm) {
      return &row;
    }
  }
  return nullptr;
}

constexpr bool IsKeyPair(KeyKind kind) {
  return kind == KeyKind::kRsa || kind == KeyKind::kEc ||
         kind == KeyKind::kEdwards;
}

// Whether keys for that use may come in from outside: those of customers may,
// those that guard others may not.
constexpr bool IsImported(KeyUse use) {
  return use != KeyUse::kUnwrap && use != KeyUse::kWrap;
}

// How long an imported secret may be, in bytes. For HMAC: from the length of
// the hash to that of its block, beyond which a key is hashed (RFC 2104, 2 and
// 3). {0, 0} for key pairs.
struct SizeRange {
  std::size_t min = 0;
  std::size_t max = 0;
};
constexpr SizeRange ImportedSize(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kXaes256Gcm:
    case Algorithm::kAes256GcmCounter:
      return {32, 32};
    case Algorithm::kHmacSha224:
      return {28, 64};
    case Algorithm::kHmacSha256:
      return {32, 64};
    case Algorithm::kHmacSha384:
      return {48, 128};
    case Algorithm::kHmacSha512:
      return {64, 128};
    default:
      return {};
  }
}

}  // namespace hsm

#endif  // HSM_ALGORITHMS_H_
