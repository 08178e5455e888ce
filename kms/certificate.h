// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CERTIFICATE_H_
#define KMS_CERTIFICATE_H_

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

// X.509 certificates (RFC 5280) that are attached to keys. Whom they name, who
// has signed them and until when they hold is for those to judge who use them.
namespace kms {

// Fails with kValidation unless `der` is exactly one certificate.
base::Status CheckCertificate(base::ByteView der);

// Fails with kValidation unless `der` is exactly one certificate, for the
// public key `spki` (SubjectPublicKeyInfo).
base::Status CheckCertificateOf(base::ByteView der, base::ByteView spki);

// Whether `pem` is one certificate in textual encoding (RFC 7468) and nothing
// else but white space: text around it may be a private key.
bool IsPemCertificate(std::string_view pem);

}  // namespace kms

#endif  // KMS_CERTIFICATE_H_
