// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/rsa_decrypt.h"

#include <algorithm>
#include <utility>

#include "hsm/algorithms.h"
#include "hsm/token/hashes.h"
#include "hsm/token/oaep.h"
#include "hsm/token/quirks.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

// What the token makes of the ciphertext; kInvalidCiphertext if it does not
// like it.
base::Result<base::Secret> DecryptBy(Sessions& sessions,
                                     const Mechanism& mechanism,
                                     ObjectHandle object,
                                     base::ByteView ciphertext) {
  ASSIGN_OR_RETURN(Session* const session, sessions.Working());
  auto answer = session->Decrypt(mechanism, object, ciphertext);
  if (answer.function == "C_Decrypt" &&
      RejectsCiphertext(sessions.quirks(), answer.rv)) {
    return Error{ErrorCode::kInvalidCiphertext, ""};
  }
  return std::move(answer).Take();
}

base::Result<base::Secret> DecryptPadded(Sessions& sessions,
                                         const HashRow& hash,
                                         ObjectHandle object,
                                         base::ByteView ciphertext) {
  const CK_RSA_PKCS_OAEP_PARAMS oaep = {.hash_alg = hash.mechanism,
                                        .mgf = hash.mgf1,
                                        .source = CKZ_DATA_SPECIFIED,
                                        .source_data = nullptr,
                                        .source_data_len = 0};
  const base::ByteView parameter(reinterpret_cast<const std::uint8_t*>(&oaep),
                                 sizeof(oaep));
  return DecryptBy(sessions, {CKM_RSA_PKCS_OAEP, parameter}, object,
                   ciphertext);
}

// The number that a token gives may lack its leading zeros.
base::Result<base::Secret> DecryptRaw(Sessions& sessions, const HashRow& hash,
                                      ObjectHandle object,
                                      base::ByteView ciphertext) {
  ASSIGN_OR_RETURN(const base::Secret number,
                   DecryptBy(sessions, {CKM_RSA_X_509}, object, ciphertext));
  if (number.size() > ciphertext.size()) {
    return Error{ErrorCode::kCorrupt, "raw RSA gave more than the modulus"};
  }
  base::Secret padded(ciphertext.size());
  std::ranges::copy(number.Reveal(),
                    padded.Reveal().last(number.size()).begin());
  return UnpadOaep(hash.hash, padded);
}

}  // namespace

base::Result<base::Secret> RsaDecrypt(Sessions& sessions,
                                      const Profile& profile,
                                      ObjectHandle object,
                                      const RsaDecryptRequest& request) {
  const AlgorithmRow* row = FindAlgorithm(request.key.algorithm);
  if (row == nullptr || row->use != KeyUse::kDecrypt) {
    return Error{ErrorCode::kInvalidArgument, "the key is not for decryption"};
  }
  if (request.ciphertext.size() != static_cast<std::size_t>(row->bits) / 8) {
    return Error{ErrorCode::kInvalidCiphertext, ""};
  }
  return DecryptOaep(sessions, profile, object, request.hash,
                     request.ciphertext);
}

base::Result<base::Secret> DecryptOaep(Sessions& sessions,
                                       const Profile& profile,
                                       ObjectHandle object, Hash hash_wanted,
                                       base::ByteView ciphertext) {
  const HashRow* hash = FindHash(hash_wanted);
  if (hash == nullptr ||
      (hash->hash != Hash::kSha1 && hash->hash != Hash::kSha256)) {
    return Error{ErrorCode::kInvalidArgument, "the hash is not for OAEP"};
  }
  const bool by_token =
      hash->hash == Hash::kSha1 ? profile.oaep_sha1 : profile.oaep_sha256;
  return by_token ? DecryptPadded(sessions, *hash, object, ciphertext)
                  : DecryptRaw(sessions, *hash, object, ciphertext);
}

}  // namespace hsm::token
