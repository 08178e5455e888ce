// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_CURVES_H_
#define HSM_TOKEN_CURVES_H_

#include <cstddef>
#include <string_view>

#include "hsm/messages.h"

namespace hsm::token {

// A named curve, as a token, OpenSSL and the standards know it.
struct Curve {
  const char* group;     // OpenSSL's name of it.
  std::string_view oid;  // CKA_EC_PARAMS: DER, hexadecimal (SEC 2, RFC 8410).
  std::size_t size;      // Bytes of a coordinate, r, s and a shared secret.
};

inline constexpr Curve kP256 = {"prime256v1", "06082a8648ce3d030107", 32};
inline constexpr Curve kP384 = {"secp384r1", "06052b81040022", 48};
inline constexpr Curve kP521 = {"secp521r1", "06052b81040023", 66};
inline constexpr Curve kSecp256k1 = {"secp256k1", "06052b8104000a", 32};
inline constexpr Curve kEd25519 = {"ED25519", "06032b6570", 32};

// Null if keys of this algorithm lie on no curve.
constexpr const Curve* FindCurve(Algorithm algorithm) {
  constexpr struct {
    Algorithm algorithm;
    const Curve& curve;
  } kRows[] = {
      {Algorithm::kP256Sign, kP256},
      {Algorithm::kP256Agree, kP256},
      {Algorithm::kP384Sign, kP384},
      {Algorithm::kP384Agree, kP384},
      {Algorithm::kP521Sign, kP521},
      {Algorithm::kP521Agree, kP521},
      {Algorithm::kEd25519Sign, kEd25519},
      {Algorithm::kSecp256k1Sign, kSecp256k1},
  };
  for (const auto& row : kRows) {
    if (row.algorithm == algorithm) {
      return &row.curve;
    }
  }
  return nullptr;
}

}  // namespace hsm::token

#endif  // HSM_TOKEN_CURVES_H_
