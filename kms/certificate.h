// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CERTIFICATE_H_
#define KMS_CERTIFICATE_H_

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

}  // namespace kms

#endif  // KMS_CERTIFICATE_H_
