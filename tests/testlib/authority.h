// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_TESTLIB_AUTHORITY_H_
#define TESTS_TESTLIB_AUTHORITY_H_

#include <memory>
#include <string>

namespace testlib {

// A certificate and its private key, both PEM.
struct Identity {
  std::string certificate;
  std::string key;
};

// An Authority issues certificates for TLS with keys of P-256. Aborts if
// OpenSSL cannot.
class Authority {
 public:
  explicit Authority(const std::string& name = "Authority of a test");
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  // Its own certificate, PEM.
  std::string certificate() const;

  // For a server or client called `name`. `not_after` is in the form of
  // ASN.1's UTCTime; it is valid from 2020 on.
  Identity Issue(const std::string& name,
                 const std::string& not_after = "491231235959Z") const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace testlib

#endif  // TESTS_TESTLIB_AUTHORITY_H_
