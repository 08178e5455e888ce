// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_EPHEMERAL_CERTIFICATES_H_
#define PKCS11_MODULE_EPHEMERAL_CERTIFICATES_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pkcs11/kms.h"
#include "pkcs11/module/certificate.h"
#include "pkcs11/module/key.h"

namespace pkcs11::module {

// EphemeralCertificates are those that key pairs sign themselves for this
// process, for programs that see no key without one (Java). They say whose the
// key is and nothing that anybody should trust. Safe to call from any thread.
class EphemeralCertificates {
 public:
  struct SignatureRow;

  // Those of the pairs in `keys` that can sign and have no certificate, neither
  // with them nor in `others`. One kms:Sign each, once; what is refused is left
  // out for good, what fails until the next time.
  std::vector<CertificatePtr> For(
      const std::vector<std::shared_ptr<const Key>>& keys,
      const std::vector<HeldCertificate>& others, Kms& kms,
      OSSL_LIB_CTX* library);

 private:
  // Null if there is none.
  CertificatePtr OneFor(const Key& key, const SignatureRow& row, Kms& kms,
                        OSSL_LIB_CTX* library);

  // By ARN; null where the KMS refuses to sign. Guarded by StateLock.
  std::map<std::string, CertificatePtr> made_;
};

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_EPHEMERAL_CERTIFICATES_H_
