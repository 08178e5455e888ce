// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMS_OPENSSL_KEY_H_
#define TESTS_KMS_OPENSSL_KEY_H_

#include <openssl/types.h>

#include <memory>
#include <string_view>

#include "base/bytes.h"

// A second opinion: OpenSSL alone, in its own way, with algorithms by their AWS
// names. What fails here ends the test program.
namespace kms {

class OpensslKey {
 public:
  // A new key pair: "RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519", ...
  static OpensslKey Generate(std::string_view key_spec);
  static OpensslKey FromSpki(base::ByteView spki);
  static OpensslKey FromPkcs8(base::ByteView pkcs8);

  base::Bytes Spki() const;
  // Of a curve's key, with a compressed point or explicit parameters.
  base::Bytes CompressedSpki() const;
  base::Bytes ExplicitSpki() const;

  base::Bytes Sign(std::string_view algorithm, std::string_view message) const;
  bool Verifies(std::string_view algorithm, std::string_view message,
                base::ByteView signature) const;
  base::Bytes Encrypt(std::string_view algorithm, base::ByteView text) const;
  base::Bytes Decrypt(std::string_view algorithm, base::ByteView blob) const;
  base::Bytes Agree(const OpensslKey& other) const;

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const noexcept;
  };
  explicit OpensslKey(EVP_PKEY* key);

  std::unique_ptr<EVP_PKEY, Free> key_;
};

}  // namespace kms

#endif  // TESTS_KMS_OPENSSL_KEY_H_
