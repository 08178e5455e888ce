// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_MESSAGE_H_
#define PKCS11_MODULE_MESSAGE_H_

#include <openssl/types.h>

#include "base/bytes.h"
#include "base/wiping.h"
#include "pkcs11/algorithms.h"
#include "pkcs11/module/answer.h"
#include "pkcs11/owners.h"

namespace pkcs11::module {

// The longest message that KMS takes whole, and that is kept for our own use.
inline constexpr std::size_t kMaxKmsMessage = 4096;
inline constexpr std::size_t kMaxOwnMessage = 64U << 20;

// A Message is what is to be signed, verified or hashed, as it arrives in
// parts: digested on the way, or kept, where the mechanism needs all of it.
class Message {
 public:
  // Without a hash the parts are kept: no more than `most` bytes.
  static Answer<Message> Create(const Hash* hash, OSSL_LIB_CTX* library,
                                std::size_t most = kMaxKmsMessage);

  // Fails with CKR_DATA_LEN_RANGE if what is kept grows too long.
  Status Update(base::ByteView part);

  // The digest, or all parts.
  Answer<base::WipingBytes> Finish();

 private:
  Message() = default;

  const Hash* hash_ = nullptr;
  std::size_t most_ = 0;
  DigestContext digest_;
  base::WipingBytes kept_;
};

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_MESSAGE_H_
