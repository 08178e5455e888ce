// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/probe_pairs.h"

#include <openssl/core_names.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "hsm/token/attributes.h"
#include "hsm/token/data_key_pair.h"
#include "hsm/token/hashes.h"
#include "hsm/token/key_pairs.h"
#include "hsm/token/key_wrap.h"
#include "hsm/token/known_rsa_object.h"
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
    {Algorithm::kP384Agree, "ECDH with P-384"},
    {Algorithm::kP521Agree, "ECDH with P-521"},
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
      .Set(CKA_UNWRAP, true);
  SetKnownRsaKey(key);
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

// Unwraps a secret, and refuses what was changed.
base::Status TryUnwrapping(Sessions& sessions, ObjectHandle key, Hash hash) {
  ASSIGN_OR_RETURN(const base::Bytes modulus,
                   base::HexDecode(kKnownRsaKey.modulus));
  ASSIGN_OR_RETURN(const PublicKey public_key,
                   PublicKey::OfRsa(modulus, kPublicExponent));
  std::array<std::uint8_t, 32> secret;
  base::RandomBytes(secret);
  ASSIGN_OR_RETURN(base::Bytes wrapped, public_key.Encrypt(hash, secret));
  const HashRow& row = *FindHash(hash);
  const CK_RSA_PKCS_OAEP_PARAMS oaep = {.hash_alg = row.mechanism,
                                        .mgf = row.mgf1,
                                        .source = CKZ_DATA_SPECIFIED,
                                        .source_data = nullptr,
                                        .source_data_len = 0};
  const Mechanism mechanism{
      CKM_RSA_PKCS_OAEP,
      {reinterpret_cast<const std::uint8_t*>(&oaep), sizeof(oaep)}};
  Session& anchor = sessions.anchor();
  Template readable = ReadableTemplate(secret.size());
  readable.Remove(CKA_VALUE_LEN);
  ASSIGN_OR_RETURN(const ObjectHandle object,
                   anchor.UnwrapKey(mechanism, key, wrapped, readable).Take());
  const auto read = anchor.ReadSecret(object);
  if (!base::ConstantTimeEqual(read.value.Reveal(), secret)) {
    return Error{ErrorCode::kCorrupt, "the known answer is wrong"};
  }
  wrapped.back() ^= 1;
  if (anchor.UnwrapKey(mechanism, key, wrapped, readable).ok()) {
    return Error{ErrorCode::kCorrupt, "a forged ciphertext is accepted"};
  }
  return {};
}

base::Result<PkeyOwner> KnownPair() {
  ParamBuilder builder(OSSL_PARAM_BLD_new());
  std::vector<BignumOwner> numbers;
  for (const auto& [name, value] :
       {std::pair{OSSL_PKEY_PARAM_RSA_N, kKnownRsaKey.modulus},
        std::pair{OSSL_PKEY_PARAM_RSA_E, std::string_view("010001")},
        std::pair{OSSL_PKEY_PARAM_RSA_D, kKnownRsaKey.private_exponent},
        std::pair{OSSL_PKEY_PARAM_RSA_FACTOR1, kKnownRsaKey.prime_1},
        std::pair{OSSL_PKEY_PARAM_RSA_FACTOR2, kKnownRsaKey.prime_2},
        std::pair{OSSL_PKEY_PARAM_RSA_EXPONENT1, kKnownRsaKey.exponent_1},
        std::pair{OSSL_PKEY_PARAM_RSA_EXPONENT2, kKnownRsaKey.exponent_2},
        std::pair{OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
                  kKnownRsaKey.coefficient}}) {
    const base::Bytes bytes = base::HexDecode(value).value_or(base::Bytes());
    numbers.emplace_back(
        BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
    OSSL_PARAM_BLD_push_BN(builder.get(), name, numbers.back().get());
  }
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyContext context(
      EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr ||
      EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params.get()) !=
          1) {
    return Error{ErrorCode::kInternal, "OpenSSL cannot make the known pair"};
  }
  return PkeyOwner(key);
}

// Unwraps the PKCS#8 of a private key as one of ours.
base::Status TryPrivateKey(Sessions& sessions, const Profile& profile,
                           Algorithm algorithm, const base::Secret& pkcs8,
                           const PublicKey& public_key) {
  std::array<std::uint8_t, 32> secret;
  base::RandomBytes(secret);
  ASSIGN_OR_RETURN(const base::Bytes wrapped,
                   WrapRfc5649(secret, pkcs8.Reveal()));
  Session& anchor = sessions.anchor();
  Template wrapping = UnwrappingTemplate(profile.rfc5649, profile.attributes);
  wrapping.Set(CKA_VALUE, secret);
  ASSIGN_OR_RETURN(const ObjectHandle with,
                   anchor.CreateObject(wrapping).Take());
  const KeyRef key{.locator = {}, .algorithm = algorithm};
  ASSIGN_OR_RETURN(
      const ObjectHandle object,
      anchor
          .UnwrapKey({profile.rfc5649}, with, wrapped,
                     SessionPrivateTemplate(key, profile.attributes))
          .Take());
  return TestPair(sessions, profile,
                  {.algorithm = algorithm,
                   .private_key = object,
                   .public_key = &public_key});
}

base::Status TryRsaKey(Sessions& sessions, const Profile& profile) {
  ASSIGN_OR_RETURN(const PkeyOwner pair, KnownPair());
  ASSIGN_OR_RETURN(const base::Secret pkcs8, PrivateKeyInfo(pair.get()));
  ASSIGN_OR_RETURN(const base::Bytes modulus,
                   base::HexDecode(kKnownRsaKey.modulus));
  ASSIGN_OR_RETURN(const PublicKey public_key,
                   PublicKey::OfRsa(modulus, kPublicExponent));
  return TryPrivateKey(sessions, profile, Algorithm::kRsa2048Sign, pkcs8,
                       public_key);
}

base::Status TryEcKey(Sessions& sessions, const Profile& profile) {
  ASSIGN_OR_RETURN(const DataKeyPair pair,
                   MakeDataKeyPair(Algorithm::kP256Sign));
  ASSIGN_OR_RETURN(
      const PublicKey public_key,
      PublicKey::OfPeer(*FindCurve(Algorithm::kP256Sign), pair.public_key));
  return TryPrivateKey(sessions, profile, Algorithm::kP256Sign,
                       pair.private_key, public_key);
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
  const auto unwraps1 = TryUnwrapping(sessions, *key, Hash::kSha1);
  const auto unwraps256 = TryUnwrapping(sessions, *key, Hash::kSha256);
  profile.unwraps_oaep_sha1 = unwraps1.has_value();
  profile.unwraps_oaep_sha256 = unwraps256.has_value();
  profile.findings.push_back(
      {"unwrapping by RSAES-OAEP with SHA-1", Outcome(unwraps1)});
  profile.findings.push_back(
      {"unwrapping by RSAES-OAEP with SHA-256", Outcome(unwraps256)});
}

void ProbePrivateKeys(Sessions& sessions, Profile& profile) {
  if (profile.rfc5649 == 0) {
    return;  // Said already.
  }
  const auto rsa = TryRsaKey(sessions, profile);
  const auto ec = TryEcKey(sessions, profile);
  profile.unwraps_rsa = rsa.has_value();
  profile.unwraps_ec = ec.has_value();
  profile.findings.push_back({"unwrapping an RSA key", Outcome(rsa)});
  profile.findings.push_back({"unwrapping a P-256 key", Outcome(ec)});
}

}  // namespace

base::Status ProbePairs(Sessions& sessions, Profile& profile) {
  for (const auto& [algorithm, tried] : kPairs) {
    base::Status status = TryPair(sessions, profile, algorithm);
    if (!status.has_value()) {  // It would be missed until the next start.
      status = TryPair(sessions, profile, algorithm);
    }
    if (!status.has_value() && IsOfToken(status.error().code)) {
      return status;  // That says nothing of what a token can.
    }
    if (!status.has_value()) {
      profile.lacks.insert(algorithm);
    }
    profile.findings.push_back({std::string(tried), Outcome(status)});
  }
  ProbeOaep(sessions, profile);
  ProbePrivateKeys(sessions, profile);
  return {};
}

}  // namespace hsm::token
