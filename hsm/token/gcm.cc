// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/gcm.h"

#include <fmt/format.h>

#include <algorithm>

#include "hsm/token/quirks.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

// The IV of what the token answered, of which `answer` loses what is appended;
// `written` is what stands where ours was.
base::Result<Iv> TakeIv(Ivs& ivs, ObjectHandle key, const Iv& wanted,
                        Iv written, base::Bytes& answer) {
  if (ivs.maker() == IvMaker::kCaller) {
    return written == wanted
               ? base::Result<Iv>(wanted)
               : Error{ErrorCode::kCorrupt,
                       "the token wrote another IV over the caller's"};
  }
  if (ivs.maker() == IvMaker::kTokenAppends) {
    std::copy_n(answer.end() - written.size(), written.size(), written.begin());
    answer.resize(answer.size() - written.size());
  }
  RETURN_IF_ERROR(ivs.Note(key, written));
  return written;
}

}  // namespace

Iv IvOf(const Nonce& nonce) {
  Iv iv;
  std::copy_n(nonce.end() - iv.size(), iv.size(), iv.begin());
  return iv;
}

Nonce WithIv(Nonce nonce, const Iv& iv) {
  std::ranges::copy(iv, nonce.end() - iv.size());
  return nonce;
}

base::Result<GcmSealed> SealGcm(Sessions& sessions, ObjectHandle key,
                                const Iv& wanted, base::ByteView aad,
                                base::ByteView plaintext) {
  if (plaintext.size() > kMaxPlaintext) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("plaintext of {} bytes, at most {}",
                             plaintext.size(), kMaxPlaintext)};
  }
  ASSIGN_OR_RETURN(Session* const session, sessions.Working());
  const IvMaker maker = sessions.ivs().maker();
  // A token that makes the IV takes zeros.
  Iv iv = maker == IvMaker::kCaller ? wanted : Iv{};
  ASSIGN_OR_RETURN(base::Bytes ciphertext,
                   session->EncryptGcm(key, iv, aad, plaintext).Take());
  if (ciphertext.size() !=
      plaintext.size() + kTagSize + RowOf(maker).appended) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("AES-GCM of {} bytes gave {}", plaintext.size(),
                             ciphertext.size())};
  }
  ASSIGN_OR_RETURN(iv, TakeIv(sessions.ivs(), key, wanted, iv, ciphertext));
  return GcmSealed{.iv = iv, .ciphertext = std::move(ciphertext)};
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

base::Result<GcmSealed> RoundTrip(Sessions& sessions, ObjectHandle key,
                                  const Iv& wanted, base::ByteView text) {
  ASSIGN_OR_RETURN(GcmSealed sealed, SealGcm(sessions, key, wanted, {}, text));
  const auto opened = OpenGcm(sessions, key, sealed.iv, {}, sealed.ciphertext);
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

base::Result<KeyStream> KeyStreamOf(Sessions& sessions, ObjectHandle key,
                                    const Iv& iv) {
  // NIST SP 800-38D 7.1: the block of counter 1 is for the tag.
  base::Bytes blocks;
  for (const std::uint8_t counter : std::array<std::uint8_t, 2>{2, 3}) {
    blocks.insert(blocks.end(), iv.begin(), iv.end());
    blocks.insert(blocks.end(), {0, 0, 0, counter});
  }
  ASSIGN_OR_RETURN(Session* const session, sessions.Working());
  ASSIGN_OR_RETURN(const base::Bytes encrypted,
                   session->Encrypt({CKM_AES_ECB}, key, blocks).Take());
  KeyStream stream;
  if (encrypted.size() != stream.size()) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("AES-ECB of {} bytes gave {}", blocks.size(),
                             encrypted.size())};
  }
  std::ranges::copy(encrypted, stream.begin());
  return stream;
}

}  // namespace hsm::token
