// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMS_WEB_TOKEN_H_
#define TESTS_KMS_WEB_TOKEN_H_

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"

// An OpenID Connect provider's side, by OpenSSL alone. What fails here ends the
// test program.
namespace kms::identity {

std::string Base64UrlEncode(std::string_view text);

// "HEADER.PAYLOAD", which is what gets signed.
std::string SigningInput(std::string_view header, std::string_view payload);

// A key pair of a provider.
class SigningKey {
 public:
  static SigningKey Rsa(unsigned bits);
  static SigningKey Ec(const char* curve);  // "P-256"

  // The members of its JSON Web Key that make it one: "kty":"EC","crv":...
  std::string PublicMembers() const;

  // Of a JWS with this algorithm: "PS256".
  base::Bytes Sign(std::string_view algorithm, std::string_view message) const;

  // A whole token; the header tells the algorithm and this key's `kid`.
  std::string Token(std::string_view algorithm, std::string_view kid,
                    std::string_view payload) const;
  // With a header of one's own.
  std::string TokenOf(std::string_view algorithm, std::string_view header,
                      std::string_view payload) const;

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const noexcept;
  };
  explicit SigningKey(EVP_PKEY* key);

  std::unique_ptr<EVP_PKEY, Free> key_;
};

}  // namespace kms::identity

#endif  // TESTS_KMS_WEB_TOKEN_H_
