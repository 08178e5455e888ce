// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/probe_pairs.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/random.h"
#include "hsm/token/attributes.h"
#include "hsm/token/key_pairs.h"
#include "hsm/token/known_rsa_key.h"
#include "hsm/token/pair_test.h"
#include "hsm/token/rsa_decrypt.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

constexpr struct {
  Algorithm algorithm;
  std::string_view tried;
} kPairs[] = {
    {Algorithm::kP256Sign, "ECDSA with P-256"},
    {Algorithm::kP384Sign, "ECDSA with P-384"},
    {Algorithm::kP521Sign, "ECDSA with P-521"},
    {Algorithm::kSecp256k1Sign, "ECDSA with secp256k1"},
    {Algorithm::kEd25519Sign, "Ed25519"},
    {Algorithm::kP256Agree, "ECDH with P-256"},
};

base::Status TryPair(Sessions& sessions, const Profile& profile,
                     Algorithm algorithm) {
  const KeyRef key{.locator = {}, .algorithm = algorithm};
  ASSIGN_OR_RETURN(const SessionPair pair,
                   NewSessionPair(sessions.anchor(), key, profile.attributes));
  return TestPair(sessions, profile,
                  {.algorithm = algorithm,
                   .private_key = pair.private_half->handle(),
                   .public_key = &pair.public_key});
}

base::Result<ObjectHandle> ImportKnownKey(Sessions& sessions) {
  Template key;
  key.Set(CKA_CLASS, CK_ULONG{CKO_PRIVATE_KEY})
      .Set(CKA_KEY_TYPE, CK_ULONG{CKK_RSA})
      .Set(CKA_TOKEN, false)
      .Set(CKA_PRIVATE, true)
      .Set(CKA_SENSITIVE, true)
      .Set(CKA_EXTRACTABLE, false)
      .Set(CKA_DECRYPT, true)
      .Set(CKA_PUBLIC_EXPONENT, kPublicExponent);
  for (const auto& [type, value] :
       {std::pair{CKA_MODULUS, kKnownRsaKey.modulus},
        std::pair{CKA_PRIVATE_EXPONENT, kKnownRsaKey.private_exponent},
        std::pair{CKA_PRIME_1, kKnownRsaKey.prime_1},
        std::pair{CKA_PRIME_2, kKnownRsaKey.prime_2},
        std::pair{CKA_EXPONENT_1, kKnownRsaKey.exponent_1},
        std::pair{CKA_EXPONENT_2, kKnownRsaKey.exponent_2},
        std::pair{CKA_COEFFICIENT, kKnownRsaKey.coefficient}}) {
    key.Set(type, base::HexDecode(value).value_or(base::Bytes()));
  }
  return sessions.anchor().CreateObject(key).Take();
}

// Decrypts, and refuses what was changed in the way that we know.
base::Status TryDecryption(Sessions& sessions, const Profile& profile,
                           ObjectHandle key, Hash hash) {
  ASSIGN_OR_RETURN(const base::Bytes modulus,
                   base::HexDecode(kKnownRsaKey.modulus));
  ASSIGN_OR_RETURN(const PublicKey public_key,
                   PublicKey::OfRsa(modulus, kPublicExponent));
  std::array<std::uint8_t, 32> message;
  base::RandomBytes(message);
  RsaDecryptRequest request;
  request.key.algorithm = Algorithm::kRsa2048Decrypt;
  request.hash = hash;
  ASSIGN_OR_RETURN(request.ciphertext, public_key.Encrypt(hash, message));
  ASSIGN_OR_RETURN(const base::Secret opened,
                   RsaDecrypt(sessions, profile, key, request));
  if (!base::ConstantTimeEqual(opened.Reveal(), message)) {
    return Error{ErrorCode::kCorrupt, "the known answer is wrong"};
  }
  request.ciphertext.back() ^= 1;
  const auto forged = RsaDecrypt(sessions, profile, key, request);
  if (forged.has_value()) {
    return Error{ErrorCode::kCorrupt, "a forged ciphertext is accepted"};
  }
  return forged.error().code == ErrorCode::kInvalidCiphertext
             ? base::Status()
             : base::Status(forged.error());
}

std::string Outcome(const base::Status& status) {
  return status.has_value() ? "right" : status.error().message;
}

void ProbeOaep(Sessions& sessions, Profile& profile) {
  const auto key = ImportKnownKey(sessions);
  if (!key.has_value()) {
    profile.findings.push_back({"RSAES-OAEP, known key", key.error().message});
    return;
  }
  Profile by_token;
  by_token.oaep_sha1 = by_token.oaep_sha256 = true;
  const auto sha1 = TryDecryption(sessions, by_token, *key, Hash::kSha1);
  const auto sha256 = TryDecryption(sessions, by_token, *key, Hash::kSha256);
  const auto raw = TryDecryption(sessions, Profile(), *key, Hash::kSha256);
  profile.oaep_sha1 = sha1.has_value();
  profile.oaep_sha256 = sha256.has_value();
  profile.findings.push_back({"RSAES-OAEP with SHA-1", Outcome(sha1)});
  profile.findings.push_back({"RSAES-OAEP with SHA-256", Outcome(sha256)});
  profile.findings.push_back(
      {"RSAES-OAEP with SHA-256, unpadded here", Outcome(raw)});
}

}  // namespace

void ProbePairs(Sessions& sessions, Profile& profile) {
  for (const auto& [algorithm, tried] : kPairs) {
    profile.findings.push_back(
        {std::string(tried), Outcome(TryPair(sessions, profile, algorithm))});
  }
  ProbeOaep(sessions, profile);
}

}  // namespace hsm::token
