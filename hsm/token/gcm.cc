// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/gcm.h"

#include <fmt/format.h>

#include <algorithm>

#include "hsm/token/quirks.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

}  // namespace

Iv IvOf(const Nonce& nonce) {
  Iv iv;
  std::copy_n(nonce.end() - iv.size(), iv.size(), iv.begin());
  return iv;
}

base::Result<base::Bytes> SealGcm(Sessions& sessions, ObjectHandle key,
                                  const Iv& iv, base::ByteView aad,
                                  base::ByteView plaintext) {
  if (plaintext.size() > kMaxPlaintext) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("plaintext of {} bytes, at most {}",
                             plaintext.size(), kMaxPlaintext)};
  }
  ASSIGN_OR_RETURN(Session* const session, sessions.Working());
  ASSIGN_OR_RETURN(base::Bytes ciphertext,
                   session->EncryptGcm(key, iv, aad, plaintext).Take());
  if (ciphertext.size() != plaintext.size() + kTagSize) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("AES-GCM of {} bytes gave {}", plaintext.size(),
                             ciphertext.size())};
  }
  return ciphertext;
}

base::Result<base::Secret> OpenGcm(Sessions& sessions, ObjectHandle key,
                                   const Iv& iv, base::ByteView aad,
                                   base::ByteView ciphertext) {
  if (ciphertext.size() < kTagSize ||
      ciphertext.size() > kMaxPlaintext + kTagSize) {
    return Error{ErrorCode::kInvalidCiphertext, ""};
  }
  ASSIGN_OR_RETURN(Session* const session, sessions.Working());
  auto answer = session->DecryptGcm(key, iv, aad, ciphertext);
  if (answer.function == "C_Decrypt" &&
      RejectsCiphertext(sessions.quirks(), answer.rv)) {
    return Error{ErrorCode::kInvalidCiphertext, ""};
  }
  ASSIGN_OR_RETURN(base::Secret plaintext, std::move(answer).Take());
  if (plaintext.size() != ciphertext.size() - kTagSize) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("AES-GCM of {} bytes gave {}", ciphertext.size(),
                             plaintext.size())};
  }
  return plaintext;
}

base::Result<base::Bytes> RoundTrip(Sessions& sessions, ObjectHandle key,
                                    const Iv& iv, base::ByteView text) {
  ASSIGN_OR_RETURN(base::Bytes sealed, SealGcm(sessions, key, iv, {}, text));
  const auto opened = OpenGcm(sessions, key, iv, {}, sealed);
  if (!opened.has_value() &&
      opened.error().code != ErrorCode::kInvalidCiphertext) {
    return opened.error();
  }
  if (!opened.has_value() || !base::ConstantTimeEqual(opened->Reveal(), text)) {
    return Error{ErrorCode::kCorrupt,
                 "the key does not decrypt what it encrypted"};
  }
  return sealed;
}

}  // namespace hsm::token
