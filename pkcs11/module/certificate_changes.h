// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_CERTIFICATE_CHANGES_H_
#define PKCS11_MODULE_CERTIFICATE_CHANGES_H_

#include "pkcs11/module/attributes.h"
#include "pkcs11/module/certificate.h"
#include "pkcs11/module/object.h"
#include "pkcs11/module/token.h"

// How certificates come to a token and go.
namespace pkcs11::module {

// The certificate in a template of C_CreateObject. Fails with
// CKR_TEMPLATE_INCOMPLETE without a CKA_VALUE, and with
// CKR_ATTRIBUTE_VALUE_INVALID if that is no X.509 certificate. What else the
// template says of it is taken from the certificate.
Answer<CertificatePtr> CertificateIn(const AttributeSet& wanted,
                                     OSSL_LIB_CTX* library);

// Keeps a certificate and returns its handle. The KMS keeps it with the key
// whose public key it is for, or else with those keys whose certificates it may
// have signed. If there is none, or the KMS keeps no certificates, it goes into
// the folder of the options; without one, fails with CKR_ACTION_PROHIBITED.
//
// A key has one certificate and its chain: another certificate takes the place
// of the first, and keeps the chain only if it goes on from there.
Answer<CK_OBJECT_HANDLE> AddTokenCertificate(Token& token,
                                             const CertificatePtr& certificate);

// Removes a certificate from wherever it is. That of a key takes its chain with
// it. One of the configuration stays: CKR_ACTION_PROHIBITED.
Status RemoveTokenCertificate(Token& token, const Object& object);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_CERTIFICATE_CHANGES_H_
