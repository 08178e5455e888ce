// SPDX-License-Identifier: Apache-2.0
#include "kms/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace kms {
namespace {

using base::Error;
using base::ErrorCode;

struct FreeCertificate {
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};
using CertificateOwner = std::unique_ptr<X509, FreeCertificate>;

struct FreeKey {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
using KeyOwner = std::unique_ptr<EVP_PKEY, FreeKey>;

struct FreeBio {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};

// There is no password: without one, OpenSSL would ask on the terminal.
int NoPassword(char*, int, int, void*) { return -1; }

// Null if `der` is not exactly one.
CertificateOwner Parse(base::ByteView der) {
  const unsigned char* at = der.data();
  CertificateOwner certificate(
      d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  return at == der.data() + der.size() ? std::move(certificate) : nullptr;
}

Error NotOne() {
  ERR_clear_error();
  return {ErrorCode::kValidation,
          "A certificate is not the DER encoding of one X.509 certificate."};
}

}  // namespace

base::Status CheckCertificate(base::ByteView der) {
  if (Parse(der) == nullptr) {
    return NotOne();
  }
  return {};
}

base::Status CheckCertificateOf(base::ByteView der, base::ByteView spki) {
  const CertificateOwner certificate = Parse(der);
  if (certificate == nullptr) {
    return NotOne();
  }
  const unsigned char* at = spki.data();
  const KeyOwner key(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
  const EVP_PKEY* const certified = X509_get0_pubkey(certificate.get());
  const bool same = key != nullptr && certified != nullptr &&
                    EVP_PKEY_eq(certified, key.get()) == 1;
  ERR_clear_error();
  if (!same) {
    return Error{ErrorCode::kValidation,
                 "The certificate is not for the public key of the KMS key."};
  }
  return {};
}

bool IsPemCertificate(std::string_view pem) {
  const std::unique_ptr<BIO, FreeBio> text(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const auto read = [&text] {
    return CertificateOwner(
        PEM_read_bio_X509(text.get(), nullptr, NoPassword, nullptr));
  };
  const bool is_one = read() != nullptr && read() == nullptr;
  ERR_clear_error();
  return is_one;
}

}  // namespace kms
