// SPDX-License-Identifier: Apache-2.0
#include "kms/certificate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>

#include "base/pem.h"

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
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t begin = pem.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) {
    return false;
  }
  pem = pem.substr(begin, pem.find_last_not_of(kBlank) + 1 - begin);
  const auto found = base::CertificatesInPem(pem);
  return pem.starts_with("-----BEGIN CERTIFICATE-----") &&
         pem.ends_with("-----END CERTIFICATE-----") && found &&
         found->size() == 1 && CheckCertificate(found->front());
}

}  // namespace kms
