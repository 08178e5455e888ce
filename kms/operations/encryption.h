// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_ENCRYPTION_H_
#define KMS_OPERATIONS_ENCRYPTION_H_

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "kms/operations/call.h"

// Encryption and decryption of messages under keys of every spec that can:
// symmetric ones in the token; RSAES-OAEP with the public key here, with the
// private key in the token.
namespace kms::operations {

// A Side is one end of an operation: its name in AWS's sentences, and the
// members of the request that are about it.
struct Side {
  std::string_view operation;
  std::string_view algorithm;  // "EncryptionAlgorithm"
  std::string_view context;    // "EncryptionContext"
};

// The algorithm that the request asks for; SYMMETRIC_DEFAULT if it says none.
std::string_view AlgorithmOf(const Call& call, const Side& side);

// Whether that is a public key algorithm.
bool IsAsymmetric(const Call& call, const Side& side);

// Fails with kValidation if such an algorithm is asked for without the key, in
// member `key_member`, that only a symmetric ciphertext names itself.
base::Status RequireKeyOfAsymmetric(const Call& call, const Side& side,
                                    std::string_view key_member);

// Usage of the key, its algorithm, the context, in AWS's order.
base::Status CheckSide(const Call& call, const Key& key, const Side& side);

struct Encrypted {
  base::Bytes blob;
  std::optional<MaterialId> material;  // Of symmetric keys.
};
// Fails with kValidation if RSA cannot hold that much.
boost::asio::awaitable<base::Result<Encrypted>> EncryptUnder(
    Call& call, const Key& key, const Side& side, base::Secret plaintext);

struct Decrypted {
  base::Secret plaintext;
  std::optional<MaterialId> material;  // Of symmetric keys.
};
// Decrypts what is in the member CiphertextBlob, which `resolve` has parsed if
// it is of a symmetric key. Fails with kInvalidCiphertext, without a message.
boost::asio::awaitable<base::Result<Decrypted>> DecryptUnder(Call& call,
                                                             const Key& key,
                                                             const Side& side);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_ENCRYPTION_H_
