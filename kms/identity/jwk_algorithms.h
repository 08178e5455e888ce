// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_IDENTITY_JWK_ALGORITHMS_H_
#define KMS_IDENTITY_JWK_ALGORITHMS_H_

#include <algorithm>
#include <array>
#include <string_view>

#include "kms/identity/jwk.h"

namespace kms::identity {

// One signature algorithm of RFC 7518 section 3.1.
struct SignatureAlgorithm {
  std::string_view name;
  KeyType key_type;
  const char* digest;  // OpenSSL's name.
  bool is_pss = false;
};

// Those that are accepted: no HMAC, whose key the provider would share, and not
// "none".
inline constexpr auto kSignatureAlgorithms = std::to_array<SignatureAlgorithm>({
    {"ES256", KeyType::kP256, "SHA256"},
    {"ES384", KeyType::kP384, "SHA384"},
    {"PS256", KeyType::kRsa, "SHA256", true},
    {"PS384", KeyType::kRsa, "SHA384", true},
    {"PS512", KeyType::kRsa, "SHA512", true},
    {"RS256", KeyType::kRsa, "SHA256"},
    {"RS384", KeyType::kRsa, "SHA384"},
    {"RS512", KeyType::kRsa, "SHA512"},
});
static_assert(std::ranges::is_sorted(kSignatureAlgorithms, {},
                                     &SignatureAlgorithm::name));

// nullptr if it is not accepted.
inline const SignatureAlgorithm* FindAlgorithm(std::string_view name) {
  const auto* const row =
      std::ranges::find(kSignatureAlgorithms, name, &SignatureAlgorithm::name);
  return row == kSignatureAlgorithms.end() ? nullptr : row;
}

}  // namespace kms::identity

#endif  // KMS_IDENTITY_JWK_ALGORITHMS_H_
