// SPDX-License-Identifier: Apache-2.0
// RSA_padding_check_PKCS1_OAEP_mgf1 is deprecated in OpenSSL 3, which has no
// other constant-time OAEP decoding without a private key of its own.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "hsm/token/oaep.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "hsm/token/hashes.h"

namespace hsm::token {

base::Result<base::Secret> UnpadOaep(Hash hash, const base::Secret& padded) {
  const HashRow* row = FindHash(hash);
  if (row == nullptr) {
    return base::Error{base::ErrorCode::kInvalidArgument, "unknown hash"};
  }
  const int size = static_cast<int>(padded.size());
  base::Secret message(padded.size());
  const int message_size = RSA_padding_check_PKCS1_OAEP_mgf1(
      message.Reveal().data(), size, padded.Reveal().data(), size, size,
      nullptr, 0, row->evp(), row->evp());
  ERR_clear_error();
  if (message_size < 0) {
    return base::Error{base::ErrorCode::kInvalidCiphertext, ""};
  }
  message.Truncate(static_cast<std::size_t>(message_size));
  return message;
}

}  // namespace hsm::token
