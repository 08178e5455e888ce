// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_CERTIFICATE_H_
#define PKCS11_MODULE_CERTIFICATE_H_

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace pkcs11::module {

// A Certificate is an X.509 certificate, and what Cryptoki says about one. Does
// not change once it is made. Safe to read from any thread.
struct Certificate {
  base::Bytes der;
  base::Bytes subject;  // DER, as are the next three.
  base::Bytes issuer;
  base::Bytes serial;
  base::Bytes spki;
  std::string name;        // Whom it names; empty: nobody that has a name.
  std::string start_date;  // "20260102"; empty: it cannot be written so.
  std::string end_date;
  bool is_authority = false;  // By its basicConstraints.
  std::string fingerprint;    // SHA-256 of `der`, hexadecimal.
  base::Bytes sha1;           // Of `der`.
  base::Bytes key_sha1;       // Of `spki`.
};

using CertificatePtr = std::shared_ptr<const Certificate>;

// Where a certificate is kept, and so who can remove it.
enum class CertificateSource : std::uint8_t {
  kConfiguration,  // Only who writes that.
  kServer,         // The KMS keeps it with a key.
  kFolder,         // Of TokenOptions.
  kEphemeral,      // Nobody: this process has made it up.
};

struct HeldCertificate {
  CertificatePtr certificate;
  CertificateSource source = CertificateSource::kConfiguration;
};

// Fails with kInvalidArgument unless `der` is exactly one certificate. Whether
// it is valid is for others to judge. `library` is borrowed for the call.
base::Result<CertificatePtr> ParseCertificate(base::ByteView der,
                                              OSSL_LIB_CTX* library);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_CERTIFICATE_H_
