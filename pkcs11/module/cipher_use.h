// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_CIPHER_USE_H_
#define PKCS11_MODULE_CIPHER_USE_H_

#include <cstddef>

#include "base/bytes.h"
#include "base/wiping.h"
#include "pkcs11/module/answer.h"

namespace pkcs11::module {

// What is encrypted and decrypted: a text, or a key that is wrapped.
enum class CipherUse : std::uint8_t { kText, kKey };

// What the mechanism and the key must be good for.
struct CipherFlags {
  CK_FLAGS flag;
  CK_ATTRIBUTE_TYPE use;
};
constexpr CipherFlags FlagsOfEncryption(CipherUse use) {
  return use == CipherUse::kKey ? CipherFlags{CKF_WRAP, CKA_WRAP}
                                : CipherFlags{CKF_ENCRYPT, CKA_ENCRYPT};
}
constexpr CipherFlags FlagsOfDecryption(CipherUse use) {
  return use == CipherUse::kKey ? CipherFlags{CKF_UNWRAP, CKA_UNWRAP}
                                : CipherFlags{CKF_DECRYPT, CKA_DECRYPT};
}

// A CollectedText keeps the whole text of an operation, up to a length.
class CollectedText {
 public:
  CollectedText(std::size_t most, CK_RV too_long)
      : most_(most), too_long_(too_long) {}

  // Returns the output so far: none.
  Answer<base::WipingBytes> Add(base::ByteView part) {
    if (part.size() > most_ - bytes_.size()) {
      return Failure(too_long_);
    }
    bytes_.insert(bytes_.end(), part.begin(), part.end());
    return base::WipingBytes();
  }
  base::ByteView bytes() const { return bytes_; }

 private:
  const std::size_t most_;
  const CK_RV too_long_;
  base::WipingBytes bytes_;
};

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_CIPHER_USE_H_
