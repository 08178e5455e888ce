// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "hsm/token/attributes.h"
#include "hsm/token/known_answers.h"
#include "hsm/token/probe_gcm.h"
#include "hsm/token/probe_macs.h"
#include "hsm/token/probe_pairs.h"
#include "hsm/token/quirks.h"
#include "hsm/token/thefts.h"

namespace hsm::token {
namespace {

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
  AddFinding(profile, kTried, lacking.empty() ? "done" : "done," + lacking);
  if (!lacking.empty()) {
    profile.notes.push_back("keys are made" + lacking);
  }
  return {};
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
    AddFinding(profile, kTried, "refused by the token");
    return {};
  }
  AddFinding(profile, kTried, "CKA_ALLOWED_MECHANISMS does not bind");
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
  const base::Bytes value = Hex(kRfc5649Answer.wrapping_key);
  const auto with = session.CreateObject(wrapping.Set(CKA_VALUE, value));
  if (!with.ok()) {
    return false;
  }
  const base::Bytes expected = Hex(kRfc5649Answer.key);
  const auto key = session.UnwrapKey(
      {mechanism}, with.value, Hex(kRfc5649Answer.wrapped),
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
  AddFinding(profile, "RFC 5649 key unwrapping, known answer",
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
  RETURN_IF_ERROR(ProbeAllowedMechanisms(sessions, profile));
  ProbeWrapping(sessions, profile);
  RETURN_IF_ERROR(ProbeMacs(sessions, profile));
  RETURN_IF_ERROR(ProbePairs(sessions, profile));
  RETURN_IF_ERROR(AttemptThefts(sessions, profile));
  return profile;
}

}  // namespace hsm::token
