// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_CERTIFICATE_FILES_H_
#define PKCS11_MODULE_CERTIFICATE_FILES_H_

#include <string>
#include <vector>

#include "pkcs11/module/certificate.h"

// Certificates in files: those that the configuration names, and those that are
// kept in a folder because the KMS cannot.
namespace pkcs11::module {

// The certificates in a file (PEM, of which other parts are ignored, or the DER
// of one) or in the files *.pem, *.crt, *.cer and *.der of a folder, in the
// order of their names. Fails with kInvalidArgument, naming the file, if one
// cannot be read or has no certificate. A folder may be empty.
base::Result<std::vector<CertificatePtr>> ReadCertificates(
    const std::string& path, OSSL_LIB_CTX* library);

// All that ReadCertificates() reads from each of `paths`.
base::Result<std::vector<CertificatePtr>> ReadAllCertificates(
    const std::vector<std::string>& paths, OSSL_LIB_CTX* library);

// Writes `certificate` into `folder`, from where ReadCertificates() reads it.
// Fails with kIo.
base::Status WriteCertificate(const std::string& folder,
                              const Certificate& certificate);

// Removes what WriteCertificate() wrote. Fails with kIo.
base::Status RemoveCertificateFile(const std::string& folder,
                                   const Certificate& certificate);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_CERTIFICATE_FILES_H_
