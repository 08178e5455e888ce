// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/pair_test.h"

#include <array>
#include <initializer_list>
#include <string>

#include "base/random.h"
#include "hsm/algorithms.h"
#include "hsm/token/agree.h"
#include "hsm/token/rsa_decrypt.h"
#include "hsm/token/signatures.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMessageSize = 32;

Error Differs(const char* what) {
  return {ErrorCode::kCorrupt, std::string("the private key does not ") + what +
                                   " as its public key says"};
}

base::Status TestSignature(Sessions& sessions, const Pair& pair,
                           SignatureScheme scheme) {
  std::array<std::uint8_t, kMessageSize> message;
  base::RandomBytes(message);
  SignRequest request;
  request.key.algorithm = pair.algorithm;
  request.scheme = scheme;
  request.message = base::Secret::CopyOf(message);
  ASSIGN_OR_RETURN(const base::Bytes signature,
                   Sign(sessions, pair.private_key, request));
  if (pair.public_key != nullptr &&
      !pair.public_key->Verifies(scheme, Hash::kSha256, message, signature)) {
    return Differs("sign");
  }
  return {};
}

base::Status TestSignatures(Sessions& sessions, const Pair& pair,
                            KeyKind kind) {
  if (kind == KeyKind::kRsa) {
    RETURN_IF_ERROR(TestSignature(sessions, pair, SignatureScheme::kPss));
    return TestSignature(sessions, pair, SignatureScheme::kPkcs1);
  }
  return TestSignature(sessions, pair,
                       kind == KeyKind::kEdwards ? SignatureScheme::kEd25519
                                                 : SignatureScheme::kEcdsa);
}

// A token always tells the modulus of an RSA key: the public key is known.
base::Status TestDecryption(Sessions& sessions, const Profile& profile,
                            const Pair& pair) {
  if (pair.public_key == nullptr) {
    return Error{ErrorCode::kInternal, "an RSA key without its public key"};
  }
  std::array<std::uint8_t, kMessageSize> message;
  base::RandomBytes(message);
  for (const Hash hash : {Hash::kSha1, Hash::kSha256}) {
    ASSIGN_OR_RETURN(const base::Bytes ciphertext,
                     pair.public_key->Encrypt(hash, message));
    const auto opened =
        DecryptOaep(sessions, profile, pair.private_key, hash, ciphertext);
    if (!opened.has_value() &&
        opened.error().code != ErrorCode::kInvalidCiphertext) {
      return opened.error();
    }
    if (!opened.has_value() ||
        !base::ConstantTimeEqual(opened->Reveal(), message)) {
      return Differs("decrypt");
    }
  }
  return {};
}

base::Status TestAgreement(Sessions& sessions, const Pair& pair) {
  const Curve& curve = *FindCurve(pair.algorithm);
  ASSIGN_OR_RETURN(const PublicKey peer, PublicKey::NewPairOn(curve));
  ASSIGN_OR_RETURN(const base::Secret ours,
                   Agree(sessions, pair.algorithm, pair.private_key, peer));
  if (pair.public_key == nullptr) {
    return {};
  }
  ASSIGN_OR_RETURN(const base::Secret theirs, peer.Agree(*pair.public_key));
  if (!base::ConstantTimeEqual(ours.Reveal(), theirs.Reveal())) {
    return Differs("agree");
  }
  return {};
}

}  // namespace

base::Status TestPair(Sessions& sessions, const Profile& profile,
                      const Pair& pair) {
  const AlgorithmRow* row = FindAlgorithm(pair.algorithm);
  switch (row == nullptr ? KeyUse::kEncrypt : row->use) {
    case KeyUse::kSign:
      return TestSignatures(sessions, pair, row->kind);
    case KeyUse::kDecrypt:
    case KeyUse::kUnwrap:
      return TestDecryption(sessions, profile, pair);
    case KeyUse::kAgree:
      return TestAgreement(sessions, pair);
    case KeyUse::kEncrypt:
    case KeyUse::kMac:
    case KeyUse::kWrap:
      break;
  }
  return Error{ErrorCode::kInvalidArgument, "the algorithm has no key pairs"};
}

}  // namespace hsm::token
