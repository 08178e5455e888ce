// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMS_CLIENT_CERTIFICATES_H_
#define TESTS_KMS_CLIENT_CERTIFICATES_H_

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace kms::client {

// What to put into a certificate.
struct Subject {
  std::string name = "test";
  std::string alternative_names;  // "DNS:a,IP:127.0.0.1"; empty: none.
  bool is_authority = false;
  long valid_from_seconds = -3600;  // Relative to now.
  long valid_for_seconds = 3600;    // Until now plus this.
  unsigned rsa_bits = 0;            // 0: a key on P-256.
};

// A Certificate is a key and an X.509 certificate of it, made for one
// test. Aborts if OpenSSL cannot.
class Certificate {
 public:
  // Signed by `issuer`, or by itself.
  explicit Certificate(const Subject& subject,
                       const Certificate* issuer = nullptr);

  void WriteCertificate(const std::string& path) const;
  void WriteKey(const std::string& path) const;

  X509* certificate() const { return certificate_.get(); }
  EVP_PKEY* key() const { return key_.get(); }

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  std::unique_ptr<EVP_PKEY, Free> key_;
  std::unique_ptr<X509, Free> certificate_;
};

}  // namespace kms::client

#endif  // TESTS_KMS_CLIENT_CERTIFICATES_H_
