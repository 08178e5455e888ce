// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/probe_gcm.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hsm/token/attributes.h"
#include "hsm/token/gcm.h"
#include "hsm/token/known_answers.h"
#include "hsm/token/quirks.h"
#include "hsm/token/xaes_derivation.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kKnownAnswer = "AES-256-GCM, known answer";

constexpr std::string_view kNoGcm =
    "no AES-GCM: it serves key pairs and HMAC keys, but no symmetric keys that "
    "encrypt, and cannot guard a store";

Iv HexIv(std::string_view text) {
  Iv iv{};
  std::ranges::copy(Hex(text), iv.begin());
  return iv;
}

// A session key with these attributes and a known value.
base::Result<ObjectHandle> Import(Sessions& sessions, Template attributes,
                                  base::ByteView value) {
  attributes.Remove(CKA_VALUE_LEN).Set(CKA_TOKEN, false).Set(CKA_VALUE, value);
  return sessions.anchor().CreateObject(attributes).Take();
}

// Whether the token says that it has no AES-GCM, whichever IV it is given.
base::Result<bool> HasNoGcm(Sessions& sessions, ObjectHandle key) {
  for (Iv iv : {HexIv(kGcmAnswer.iv), Iv{}}) {
    ASSIGN_OR_RETURN(Session* const session, sessions.Working());
    const auto answer = session->EncryptGcm(key, iv, Hex(kGcmAnswer.aad),
                                            Hex(kGcmAnswer.plaintext));
    if (answer.rv != CKR_MECHANISM_INVALID ||
        answer.function != "C_EncryptInit") {
      return false;
    }
  }
  return true;
}

// By what the token makes of an IV of zeros, which is what those want that make
// it themselves. Whoever leaves them as they are must be right about the IVs
// that we make.
base::Result<IvMaker> FindIvMaker(Sessions& sessions, ObjectHandle key) {
  const base::Bytes text = Hex(kGcmAnswer.plaintext);
  Iv iv{};
  ASSIGN_OR_RETURN(Session* const session, sessions.Working());
  const auto answer = session->EncryptGcm(key, iv, Hex(kGcmAnswer.aad), text);
  const std::size_t expected = text.size() + kTagSize;
  if (!answer.ok() || answer.value.size() <= expected) {
    return answer.ok() && iv != Iv{} ? IvMaker::kTokenInPlace
                                     : IvMaker::kCaller;
  }
  const std::size_t appended = answer.value.size() - expected;
  if (appended == iv.size()) {
    return IvMaker::kTokenAppends;
  }
  return Error{
      ErrorCode::kUnsupportedOperation,
      fmt::format("the token makes an IV of {} bytes and appends it to "
                  "the ciphertext; ours have room for {}. Let it take "
                  "the caller's, as Thales Luna does where HSM policy "
                  "12 allows algorithms that are not FIPS's",
                  appended, iv.size())};
}

// Fails if the token's AES-GCM is wrong. Encryption has a known answer only
// under an IV that the token takes.
base::Status CheckGcm(Sessions& sessions, ObjectHandle key) {
  const Iv iv = HexIv(kGcmAnswer.iv);
  const base::Bytes aad = Hex(kGcmAnswer.aad);
  const base::Bytes text = Hex(kGcmAnswer.plaintext);
  const base::Bytes expected = Hex(kGcmAnswer.ciphertext);
  ASSIGN_OR_RETURN(const GcmSealed sealed,
                   SealGcm(sessions, key, iv, aad, text));
  if (sealed.iv == iv && sealed.ciphertext != expected) {
    return Error{ErrorCode::kCorrupt, "the known answer is wrong"};
  }
  const auto opened = OpenGcm(sessions, key, iv, aad, expected);
  if (!opened.has_value() || !std::ranges::equal(opened->Reveal(), text)) {
    return Error{ErrorCode::kCorrupt, "the known answer does not decrypt"};
  }
  RETURN_IF_ERROR(RoundTrip(sessions, key, iv, text));
  const auto empty = RoundTrip(sessions, key, iv, {});
  if (!empty.has_value()) {
    return Error{ErrorCode::kCorrupt,
                 "an empty message does not decrypt: " + empty.error().message};
  }
  return {};
}

// What C_Decrypt answers if `byte` of the known answer is another.
base::Result<CK_RV> AnswerToForgery(Sessions& sessions, ObjectHandle key,
                                    std::size_t byte) {
  base::Bytes forged = Hex(kGcmAnswer.ciphertext);
  forged[byte] ^= 1;
  ASSIGN_OR_RETURN(Session* const session, sessions.Working());
  const auto answer = session->DecryptGcm(key, HexIv(kGcmAnswer.iv),
                                          Hex(kGcmAnswer.aad), forged);
  return answer.rv;
}

base::Status ProbeForgeries(Sessions& sessions, ObjectHandle key,
                            Profile& profile) {
  constexpr std::string_view kTried = "AES-256-GCM, forged ciphertext";
  const std::size_t last = Hex(kGcmAnswer.ciphertext).size() - 1;
  for (const std::size_t byte : {std::size_t{0}, last}) {
    ASSIGN_OR_RETURN(profile.bad_tag, AnswerToForgery(sessions, key, byte));
    if (!RejectsCiphertext(sessions.quirks(), profile.bad_tag)) {
      Refuse(profile, kTried,
             profile.bad_tag == CKR_OK
                 ? "accepted"
                 : "unknown answer " + RvText(profile.bad_tag));
      return {};
    }
  }
  AddFinding(profile, kTried, RvText(profile.bad_tag));
  return {};
}

base::Result<base::Secret> XaesOnToken(Sessions& sessions,
                                       const Profile& profile,
                                       const XaesAnswer& answer) {
  std::array<std::uint8_t, kAesKeySize> value;
  value.fill(answer.key_byte);
  const KeyRef resident{.locator = {}, .algorithm = Algorithm::kXaes256Gcm};
  ASSIGN_OR_RETURN(
      const ObjectHandle key,
      Import(sessions, KeyTemplate(resident, profile.attributes), value));
  ASSIGN_OR_RETURN(const base::Secret k1, DeriveK1(sessions, key));
  Nonce nonce;
  std::ranges::copy(answer.nonce, nonce.begin());
  const Template message_key = MessageKeyTemplate(profile.attributes);
  ASSIGN_OR_RETURN(
      const ObjectHandle derived,
      DeriveMessageKey(sessions, key, k1, PrefixOf(nonce), message_key));
  return OpenGcm(sessions, derived, IvOf(nonce), base::AsBytes(answer.aad),
                 Hex(answer.ciphertext));
}

void ProbeDerivation(Sessions& sessions, Profile& profile) {
  constexpr std::string_view kTried = "XAES-256-GCM, known answers";
  profile.algorithm = Algorithm::kXaes256Gcm;
  for (const XaesAnswer& answer : kXaesAnswers) {
    const auto opened = XaesOnToken(sessions, profile, answer);
    if (opened.has_value() && opened->RevealText() == answer.plaintext) {
      continue;
    }
    profile.algorithm = Algorithm::kAes256GcmCounter;
    const bool wrong = opened.has_value() ||
                       opened.error().code == ErrorCode::kInvalidCiphertext;
    std::string why = wrong ? "wrong answer" : opened.error().message;
    profile.notes.push_back(fmt::format(
        "no key derivation ({}): ciphertexts are AES-256-GCM with {}", why,
        profile.iv_maker == IvMaker::kCaller
            ? "counted nonces"
            : "IVs of the token, of which each key has fewer than 2^32"));
    AddFinding(profile, kTried, std::move(why));
    return;
  }
  AddFinding(profile, kTried, "right: keys can be derive-only");
}

base::Result<KeyStream> KeyStreamOnToken(Sessions& sessions,
                                         const Profile& profile) {
  const KeyRef counted{.locator = {},
                       .algorithm = Algorithm::kAes256GcmCounter};
  ASSIGN_OR_RETURN(const ObjectHandle key,
                   Import(sessions, KeyTemplate(counted, profile.attributes),
                          Hex(kGcmAnswer.key)));
  return KeyStreamOf(sessions, key, HexIv(kGcmAnswer.iv));
}

// Whether keys of kAes256GcmCounter can have a check value though the token
// takes no IV.
void ProbeKeyStream(Sessions& sessions, Profile& profile) {
  constexpr std::string_view kTried = "AES-256-ECB, known answer";
  profile.attributes.ecb_for_counted = true;
  auto stream = KeyStreamOnToken(sessions, profile);
  bool right = stream.has_value();
  for (std::size_t i = 0; right && i < stream->size(); ++i) {
    right = ((*stream)[i] ^ Hex(kGcmAnswer.plaintext)[i]) ==
            Hex(kGcmAnswer.ciphertext)[i];
  }
  if (right) {
    AddFinding(profile, kTried, "right");
    return;
  }
  profile.lacks.insert(Algorithm::kAes256GcmCounter);
  AddFinding(profile, kTried,
             stream.has_value() ? "wrong answer" : stream.error().message);
}

}  // namespace

base::Status ProbeGcm(Sessions& sessions, Profile& profile) {
  ASSIGN_OR_RETURN(const ObjectHandle key,
                   Import(sessions, MessageKeyTemplate(profile.attributes),
                          Hex(kGcmAnswer.key)));
  ASSIGN_OR_RETURN(const bool none, HasNoGcm(sessions, key));
  if (none) {
    profile.lacks.insert(Algorithm::kXaes256Gcm);
    profile.lacks.insert(Algorithm::kAes256GcmCounter);
    AddFinding(profile, kKnownAnswer, "the token has no AES-GCM");
    profile.notes.emplace_back(kNoGcm);
    return {};
  }
  const auto maker = FindIvMaker(sessions, key);
  if (!maker.has_value()) {
    Refuse(profile, kKnownAnswer, maker.error().message);
    return {};
  }
  profile.iv_maker = *maker;
  sessions.ivs().set_maker(*maker);
  if (const auto right = CheckGcm(sessions, key); !right.has_value()) {
    Refuse(profile, kKnownAnswer, right.error().message);
    return {};
  }
  AddFinding(profile, kKnownAnswer,
             fmt::format("right; {}", RowOf(*maker).words));
  RETURN_IF_ERROR(ProbeForgeries(sessions, key, profile));
  ProbeDerivation(sessions, profile);
  if (*maker != IvMaker::kCaller) {
    ProbeKeyStream(sessions, profile);
  }
  if (profile.lacks.contains(profile.algorithm)) {
    Refuse(profile, "encrypt by one of our algorithms",
           "the token makes the IVs of AES-GCM, and then needs "
           "CKM_AES_ECB_ENCRYPT_DATA or CKM_AES_ECB");
  }
  return {};
}

}  // namespace hsm::token
