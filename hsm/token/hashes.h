// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_HASHES_H_
#define HSM_TOKEN_HASHES_H_

#include <openssl/evp.h>

#include <cstddef>
#include <string_view>

#include "hsm/messages.h"
#include "hsm/token/cryptoki.h"

namespace hsm::token {

struct HashRow {
  Hash hash;
  std::size_t size;
  CK_MECHANISM_TYPE mechanism;
  CK_ULONG mgf1;
  const EVP_MD* (*evp)();
  // Of the DigestInfo, before the digest; hexadecimal (RFC 8017, 9.2, note 1).
  std::string_view digest_prefix;
};

inline constexpr HashRow kHashRows[] = {
    {Hash::kSha1, 20, CKM_SHA_1, CKG_MGF1_SHA1, EVP_sha1,
     "3021300906052b0e03021a05000414"},
    {Hash::kSha256, 32, CKM_SHA256, CKG_MGF1_SHA256, EVP_sha256,
     "3031300d060960864801650304020105000420"},
    {Hash::kSha384, 48, CKM_SHA384, CKG_MGF1_SHA384, EVP_sha384,
     "3041300d060960864801650304020205000430"},
    {Hash::kSha512, 64, CKM_SHA512, CKG_MGF1_SHA512, EVP_sha512,
     "3051300d060960864801650304020305000440"},
};

// Null if there is no such hash.
constexpr const HashRow* FindHash(Hash hash) {
  for (const HashRow& row : kHashRows) {
    if (row.hash == hash) {
      return &row;
    }
  }
  return nullptr;
}

}  // namespace hsm::token

#endif  // HSM_TOKEN_HASHES_H_
