// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_IDENTITY_JWS_H_
#define KMS_IDENTITY_JWS_H_

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace kms::identity {

// A Jws is a token in the compact form of RFC 7515 section 3.1, taken apart.
// Nothing of it is verified.
struct Jws {
  std::string algorithm;
  std::string key_id;
  std::string payload;
  std::string_view signed_text;  // A view of the token.
  base::Bytes signature;
};

// Fails with kInvalidIdentityToken if `token` is longer than STS takes or has
// another form, if its header names a member twice, has no "alg" or "kid" that
// is a text, or has "crit", which names extensions that we would have to know.
base::Result<Jws> ParseJws(std::string_view token);

}  // namespace kms::identity

#endif  // KMS_IDENTITY_JWS_H_
