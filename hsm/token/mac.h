// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_MAC_H_
#define HSM_TOKEN_MAC_H_

#include <cstddef>

#include "hsm/messages.h"
#include "hsm/token/sessions.h"

namespace hsm::token {

struct MacRow {
  Algorithm algorithm;
  CK_MECHANISM_TYPE mechanism;
  CK_ULONG key_size;
  std::size_t mac_size;
};

inline constexpr MacRow kMacRows[] = {
    {Algorithm::kHmacSha224, CKM_SHA224_HMAC, 32, 28},
    {Algorithm::kHmacSha256, CKM_SHA256_HMAC, 32, 32},
    {Algorithm::kHmacSha384, CKM_SHA384_HMAC, 48, 48},
    {Algorithm::kHmacSha512, CKM_SHA512_HMAC, 64, 64},
};

// Null if the algorithm is no HMAC.
constexpr const MacRow* FindMac(Algorithm algorithm) {
  for (const MacRow& row : kMacRows) {
    if (row.algorithm == algorithm) {
      return &row;
    }
  }
  return nullptr;
}

// HMAC by the key `object`. Failures are the token's (CodeOf); kInvalidArgument
// if the key is for something else, or the message is empty or longer than 4096
// bytes; kCorrupt if what the token gives cannot be that MAC.
base::Result<base::Bytes> Mac(Sessions& sessions, Algorithm algorithm,
                              ObjectHandle object, base::ByteView message);

// Uses `object` and returns its check value: its HMAC of "claviger-material-1",
// cut or extended by zeros to 32 bytes.
base::Result<CheckValue> SelfTestMac(Sessions& sessions, Algorithm algorithm,
                                     ObjectHandle object);

}  // namespace hsm::token

#endif  // HSM_TOKEN_MAC_H_
