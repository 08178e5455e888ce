// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_IDENTITY_JWK_H_
#define KMS_IDENTITY_JWK_H_

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

// JSON Web Keys (RFC 7517), as far as identity providers sign with them.
namespace kms::identity {

enum class KeyType : std::uint8_t { kRsa, kP256, kP384 };

// A VerificationKey is the public key of a JSON Web Key. Immutable; safe to use
// from any thread.
class VerificationKey {
 public:
  // Its key ID, "kid".
  const std::string& id() const { return id_; }

  // Fails with kInvalidIdentityToken unless `algorithm`, a name of RFC 7518
  // section 3.1, is one that is accepted and fits the key, and `signature` is
  // the key's of `message`.
  base::Status Verify(std::string_view algorithm, std::string_view message,
                      base::ByteView signature) const;

 private:
  friend class KeySetReader;

  struct Free {
    void operator()(EVP_PKEY* key) const noexcept;
  };
  using Key = std::unique_ptr<EVP_PKEY, Free>;

  VerificationKey(std::string id, KeyType type, std::string algorithm, Key key)
      : id_(std::move(id)),
        type_(type),
        algorithm_(std::move(algorithm)),
        key_(std::move(key)) {}

  std::string id_;
  KeyType type_;
  std::string algorithm_;  // The only one, if the key names it; else empty.
  Key key_;
};

// Reads a JWK Set. Keys of a type, curve, use or algorithm that no accepted
// algorithm has are passed over. Fails with kInvalidArgument, saying which key
// is wrong and what to mend, if one of the others is malformed or weak, has no
// "kid" or that of another, if any key holds private members, and if none is
// left.
base::Result<std::vector<VerificationKey>> ParseKeySet(std::string_view text);

}  // namespace kms::identity

#endif  // KMS_IDENTITY_JWK_H_
