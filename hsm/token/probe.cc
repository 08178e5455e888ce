// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "hsm/token/attributes.h"
#include "hsm/token/gcm.h"
#include "hsm/token/known_answers.h"
#include "hsm/token/probe_macs.h"
#include "hsm/token/probe_pairs.h"
#include "hsm/token/quirks.h"
#include "hsm/token/thefts.h"
#include "hsm/token/xaes_derivation.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kIvInPlace =
    "the token chooses the IV itself, and writes it over the caller's; our "
    "ciphertexts need one that the caller chooses";

constexpr std::string_view kNoGcm =
    "no AES-GCM: it serves key pairs and HMAC keys, but no symmetric keys that "
    "encrypt, and cannot guard a store";

// Only for our own constants.
base::Bytes Hex(std::string_view text) {
  return base::HexDecode(text).value_or(base::Bytes());
}

Iv HexIv(std::string_view text) {
  Iv iv{};
  std::ranges::copy(Hex(text), iv.begin());
  return iv;
}

void Find(Profile& profile, std::string_view tried, std::string outcome) {
  profile.findings.push_back({std::string(tried), std::move(outcome)});
}

void Refuse(Profile& profile, std::string_view tried, std::string reason) {
  Find(profile, tried, reason);
  if (profile.refusal.empty()) {
    profile.refusal = fmt::format("{}: {}", tried, reason);
  }
}

// A session key with these attributes and a known value.
base::Result<ObjectHandle> Import(Sessions& sessions, Template& attributes,
                                  base::ByteView value) {
  attributes.Remove(CKA_VALUE_LEN).Set(CKA_VALUE, value);
  return sessions.anchor().CreateObject(attributes).Take();
}

// Which of the optional attributes a key can be made with, and whether it then
// is what was asked for.
base::Status ProbeAttributes(Sessions& sessions, Profile& profile) {
  constexpr std::string_view kTried =
      "make a key with the product's attributes";
  constexpr std::array kChoices = {
      AttributeSupport{true, true}, AttributeSupport{false, true},
      AttributeSupport{true, false}, AttributeSupport{false, false}};
  Session& session = sessions.anchor();
  Answer<ObjectHandle> key;
  for (const AttributeSupport& choice : kChoices) {
    if ((choice.allowed_mechanisms && !sessions.quirks().allowed_mechanisms) ||
        (choice.copyable && !sessions.quirks().copyable)) {
      continue;
    }
    profile.attributes = choice;
    key = session.GenerateKey(CKM_AES_KEY_GEN, MessageKeyTemplate(choice));
    if (key.ok()) {
      break;
    }
  }
  if (key.rv == CKR_FUNCTION_NOT_SUPPORTED || key.rv == CKR_MECHANISM_INVALID) {
    Refuse(profile, kTried,
           fmt::format("the token makes no AES keys in a session ({}: {}), "
                       "without which nothing can be found out about it",
                       key.function, RvText(key.rv)));
    return {};
  }
  RETURN_IF_ERROR(key.Done());
  for (const auto& [type, name, wanted] :
       {std::tuple{CKA_SENSITIVE, "CKA_SENSITIVE", true},
        std::tuple{CKA_EXTRACTABLE, "CKA_EXTRACTABLE", false},
        std::tuple{CKA_PRIVATE, "CKA_PRIVATE", true}}) {
    const auto value = session.ReadAttribute(key.value, type);
    if (!value.ok() || value.value.size() != sizeof(CK_BBOOL) ||
        (value.value.front() == CK_TRUE) != wanted) {
      Refuse(profile, kTried, fmt::format("{} is not {}", name, wanted));
    }
  }
  std::string lacking;
  if (!profile.attributes.allowed_mechanisms) {
    lacking += " without CKA_ALLOWED_MECHANISMS";
  }
  if (!profile.attributes.copyable) {
    lacking += " without CKA_COPYABLE";
  }
  Find(profile, kTried, lacking.empty() ? "done" : "done," + lacking);
  if (!lacking.empty()) {
    profile.notes.push_back("keys are made" + lacking);
  }
  return {};
}

// Whether the token takes no IV but zeros, and makes one in their place, as AWS
// CloudHSM says of itself.
base::Result<bool> MakesIvInPlace(Sessions& sessions, ObjectHandle key) {
  Iv iv{};
  ASSIGN_OR_RETURN(Session* const session, sessions.Working());
  return session->EncryptGcm(key, iv, Hex(kGcmAnswer.aad), iv).ok() &&
         iv != Iv{};
}

// Whether the token says that it has no AES-GCM, whichever IV it is given.
base::Result<bool> HasNoGcm(Sessions& sessions, ObjectHandle key) {
  for (const Iv& chosen : {HexIv(kGcmAnswer.iv), Iv{}}) {
    Iv iv = chosen;
    ASSIGN_OR_RETURN(Session* const session, sessions.Working());
    const auto answer =
        session->EncryptGcm(key, iv, Hex(kGcmAnswer.aad), chosen);
    if (answer.rv != CKR_MECHANISM_INVALID ||
        answer.function != "C_EncryptInit") {
      return false;
    }
  }
  return true;
}

// What is wrong with the token's AES-GCM, or nothing.
base::Result<std::optional<std::string>> FaultOfGcm(Sessions& sessions,
                                                    ObjectHandle key) {
  const Iv wanted_iv = HexIv(kGcmAnswer.iv);
  Iv iv = wanted_iv;  // A token that makes the IV itself writes to it.
  const base::Bytes aad = Hex(kGcmAnswer.aad);
  const base::Bytes expected = Hex(kGcmAnswer.ciphertext);
  ASSIGN_OR_RETURN(Session* const session, sessions.Working());
  auto answer = session->EncryptGcm(key, iv, aad, Hex(kGcmAnswer.plaintext));
  if (!answer.ok()) {
    ASSIGN_OR_RETURN(const bool in_place, MakesIvInPlace(sessions, key));
    if (in_place) {
      return std::string(kIvInPlace);
    }
  }
  ASSIGN_OR_RETURN(const base::Bytes sealed, std::move(answer).Take());
  if (iv != wanted_iv) {
    return std::string(kIvInPlace);
  }
  if (sealed.size() != expected.size()) {
    return "the token chooses the IV itself, and appends it to the ciphertext; "
           "ours need one that the caller chooses";
  }
  if (sealed != expected) {
    return "the known answer is wrong";
  }
  ASSIGN_OR_RETURN(const base::Bytes empty,
                   SealGcm(sessions, key, iv, aad, {}));
  if (!OpenGcm(sessions, key, iv, aad, empty).has_value()) {
    return "an empty message does not decrypt";
  }
  return std::nullopt;
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

base::Status ProbeGcm(Sessions& sessions, Profile& profile) {
  constexpr std::string_view kTried = "AES-256-GCM, known answer";
  Template attributes = MessageKeyTemplate(profile.attributes);
  ASSIGN_OR_RETURN(const ObjectHandle key,
                   Import(sessions, attributes, Hex(kGcmAnswer.key)));
  ASSIGN_OR_RETURN(const bool none, HasNoGcm(sessions, key));
  if (none) {
    profile.lacks.insert(Algorithm::kXaes256Gcm);
    profile.lacks.insert(Algorithm::kAes256GcmCounter);
    Find(profile, kTried, "the token has no AES-GCM");
    profile.notes.emplace_back(kNoGcm);
    return {};
  }
  const auto fault = FaultOfGcm(sessions, key);
  if (!fault.has_value() || fault->has_value()) {
    Refuse(profile, kTried,
           fault.has_value() ? **fault : fault.error().message);
    return {};
  }
  Find(profile, kTried, "right; the caller chooses the IV");
  const std::size_t last = Hex(kGcmAnswer.ciphertext).size() - 1;
  for (const std::size_t byte : {std::size_t{0}, last}) {
    ASSIGN_OR_RETURN(profile.bad_tag, AnswerToForgery(sessions, key, byte));
    if (!RejectsCiphertext(sessions.quirks(), profile.bad_tag)) {
      Refuse(profile, "AES-256-GCM, forged ciphertext",
             profile.bad_tag == CKR_OK
                 ? "accepted"
                 : "unknown answer " + RvText(profile.bad_tag));
      return {};
    }
  }
  Find(profile, "AES-256-GCM, forged ciphertext", RvText(profile.bad_tag));
  return {};
}

base::Result<base::Bytes> XaesOnToken(Sessions& sessions,
                                      const Profile& profile,
                                      const XaesAnswer& answer) {
  std::array<std::uint8_t, kAesKeySize> value;
  value.fill(answer.key_byte);
  const KeyRef resident{.locator = {}, .algorithm = Algorithm::kXaes256Gcm};
  Template attributes = KeyTemplate(resident, profile.attributes);
  attributes.Set(CKA_TOKEN, false);
  ASSIGN_OR_RETURN(const ObjectHandle key, Import(sessions, attributes, value));
  ASSIGN_OR_RETURN(const base::Secret k1, DeriveK1(sessions, key));
  Nonce nonce;
  std::ranges::copy(answer.nonce, nonce.begin());
  const Template message_key = MessageKeyTemplate(profile.attributes);
  ASSIGN_OR_RETURN(
      const ObjectHandle derived,
      DeriveMessageKey(sessions, key, k1, PrefixOf(nonce), message_key));
  return SealGcm(sessions, derived, IvOf(nonce), base::AsBytes(answer.aad),
                 base::AsBytes(answer.plaintext));
}

void ProbeDerivation(Sessions& sessions, Profile& profile) {
  constexpr std::string_view kTried = "XAES-256-GCM, known answers";
  profile.algorithm = Algorithm::kXaes256Gcm;
  for (const XaesAnswer& answer : kXaesAnswers) {
    const auto sealed = XaesOnToken(sessions, profile, answer);
    if (sealed.has_value() && *sealed == Hex(answer.ciphertext)) {
      continue;
    }
    profile.algorithm = Algorithm::kAes256GcmCounter;
    std::string why =
        sealed.has_value() ? "wrong answer" : sealed.error().message;
    profile.notes.push_back(
        "no key derivation (" + why +
        "): ciphertexts are AES-256-GCM with counted nonces");
    Find(profile, kTried, std::move(why));
    return;
  }
  Find(profile, kTried, "right: keys can be derive-only");
}

// Whether CKA_ALLOWED_MECHANISMS binds.
base::Status ProbeAllowedMechanisms(Sessions& sessions, Profile& profile) {
  constexpr std::string_view kTried = "use a key by a mechanism not allowed";
  ASSIGN_OR_RETURN(
      const ObjectHandle key,
      sessions.anchor()
          .GenerateKey(CKM_AES_KEY_GEN, MessageKeyTemplate(profile.attributes))
          .Take());
  ASSIGN_OR_RETURN(Session* const session, sessions.Working());
  if (!session->StartEncryption({CKM_AES_ECB}, key).ok()) {
    Find(profile, kTried, "refused by the token");
    return {};
  }
  Find(profile, kTried, "CKA_ALLOWED_MECHANISMS does not bind");
  profile.notes.emplace_back(
      "CKA_ALLOWED_MECHANISMS does not bind: whoever has the PIN can use keys "
      "by any mechanism that their usages permit");
  return {};
}

bool UnwrapsRfc5649(Sessions& sessions, CK_MECHANISM_TYPE mechanism) {
  Session& session = sessions.anchor();
  Template wrapping;
  wrapping.Set(CKA_CLASS, CK_ULONG{CKO_SECRET_KEY})
      .Set(CKA_KEY_TYPE, CK_ULONG{CKK_AES})
      .Set(CKA_TOKEN, false)
      .Set(CKA_PRIVATE, true)
      .Set(CKA_UNWRAP, true);
  const auto with =
      Import(sessions, wrapping, Hex(kRfc5649Answer.wrapping_key));
  if (!with.has_value()) {
    return false;
  }
  const base::Bytes expected = Hex(kRfc5649Answer.key);
  const auto key = session.UnwrapKey(
      {mechanism}, *with, Hex(kRfc5649Answer.wrapped),
      ReadableTemplate(expected.size()).Remove(CKA_VALUE_LEN));
  return key.ok() &&
         std::ranges::equal(session.ReadSecret(key.value).value.Reveal(),
                            expected);
}

void ProbeWrapping(Sessions& sessions, Profile& profile) {
  // One id, two meanings: NSS pads by PKCS#7 under CKM_AES_KEY_WRAP_PAD.
  for (const CK_MECHANISM_TYPE mechanism :
       {CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD}) {
    if (profile.rfc5649 == 0 && UnwrapsRfc5649(sessions, mechanism)) {
      profile.rfc5649 = mechanism;
    }
  }
  Find(profile, "RFC 5649 key unwrapping, known answer",
       profile.rfc5649 == 0
           ? "no mechanism does it"
           : fmt::format("right, by mechanism {:#x}", profile.rfc5649));
}

}  // namespace

base::Result<Profile> Probe(Sessions& sessions) {
  Profile profile;
  RETURN_IF_ERROR(ProbeAttributes(sessions, profile));
  if (!profile.refusal.empty()) {
    return profile;
  }
  RETURN_IF_ERROR(ProbeGcm(sessions, profile));
  if (profile.encrypts()) {
    ProbeDerivation(sessions, profile);
  }
  RETURN_IF_ERROR(ProbeAllowedMechanisms(sessions, profile));
  ProbeWrapping(sessions, profile);
  RETURN_IF_ERROR(ProbeMacs(sessions, profile));
  RETURN_IF_ERROR(ProbePairs(sessions, profile));
  RETURN_IF_ERROR(AttemptThefts(sessions, profile));
  return profile;
}

}  // namespace hsm::token
