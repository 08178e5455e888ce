// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_TESTLIB_CERTIFICATE_H_
#define TESTS_TESTLIB_CERTIFICATE_H_

#include <string>

#include "base/bytes.h"

namespace testlib {

// What to put into a certificate.
struct CertificateText {
  std::string subject = "test";  // Its common name; empty: no name.
  std::string issuer = "issuer";
  bool is_authority = false;
  long serial = 1;
  base::Bytes spki = {};  // Empty: of a key that nobody else has.
};

// The DER of an X.509 certificate, signed by a key that nobody has. Valid from
// 2026-01-02 to 2036-01-02. Aborts if OpenSSL cannot.
base::Bytes MakeCertificate(const CertificateText& text);

}  // namespace testlib

#endif  // TESTS_TESTLIB_CERTIFICATE_H_
