// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_CERTIFICATE_OBJECT_H_
#define PKCS11_MODULE_CERTIFICATE_OBJECT_H_

#include <memory>
#include <vector>

#include "pkcs11/module/certificate.h"
#include "pkcs11/module/object.h"

namespace pkcs11::module {

// The attributes of a certificate as an object of a token or of a session.
// Without those that say whose it is: CKA_TOKEN, CKA_ID, CKA_LABEL...
void AddCertificate(const Certificate& certificate, AttributeSet& attributes);

// The objects of all certificates that a token has: those that the KMS keeps
// with `keys`, and `others`, which come from `source`. A certificate for the
// public key of a key has its CKA_ID and its CKA_LABEL, and is there once for
// each such key; any other is there once, with the SHA-1 of its
// SubjectPublicKeyInfo for CKA_ID and its own name for label. In the order of
// their CKA_UNIQUE_ID, those of keys first.
std::vector<std::shared_ptr<const Object>> CertificateObjects(
    const std::vector<std::shared_ptr<const Key>>& keys,
    const std::vector<HeldCertificate>& others);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_CERTIFICATE_OBJECT_H_
