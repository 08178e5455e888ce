// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_KEY_PAIRS_H_
#define HSM_TOKEN_KEY_PAIRS_H_

#include <memory>

#include "hsm/messages.h"
#include "hsm/token/key_maker.h"
#include "hsm/token/public_key.h"
#include "hsm/token/session_object.h"

// Key pairs: the private key is on the token, the public key is told once.
namespace hsm::token {

// A pair of session objects, which go with it, and what the public one says.
struct SessionPair {
  std::unique_ptr<SessionObject> public_half;
  std::unique_ptr<SessionObject> private_half;
  PublicKey public_key;
};

// Whether the private half can be wrapped, which is why it is made.
enum class Extractable : std::uint8_t { kNever, kOnce };

// kInvalidArgument if the algorithm has no key pairs.
base::Result<SessionPair> NewSessionPair(
    Session& session, const KeyRef& key, const AttributeSupport& support,
    Extractable extractable = Extractable::kNever);

// Generates the pair, on the token; an RSA pair in the session, since that
// takes seconds and there needs no lock, and copies its private key to the
// token. Otherwise as MakeKey. Returns the SubjectPublicKeyInfo.
// kUnsupportedOperation if the token cannot make such pairs, or copy objects.
base::Result<base::Bytes> MakeKeyPair(Workshop workshop, const KeyRef& key);

// The public half that either half of an RSA pair tells. kCorrupt if its
// modulus does not have that many bits.
base::Result<PublicKey> RsaPublicKey(Session& session, ObjectHandle object,
                                     int bits);

// Uses the private key `object`. Returns the check value: of RSA keys, SHA-256
// of the SubjectPublicKeyInfo; of the others zeros, since tokens do not tell
// the public key of a private one.
base::Result<CheckValue> CheckPair(Workshop workshop, Algorithm algorithm,
                                   ObjectHandle object);

}  // namespace hsm::token

#endif  // HSM_TOKEN_KEY_PAIRS_H_
