// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/thefts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "hsm/token/attributes.h"
#include "hsm/token/known_rsa_object.h"
#include "hsm/token/risks.h"
#include "hsm/token/wrap_theft.h"

namespace hsm::token {
namespace {

// A key in sight of the thief, who has sessions and the PIN behind them.
struct Prey {
  std::string_view name;
  ObjectHandle key;
  Victim kind;
  CK_ATTRIBUTE_TYPE bytes;  // What would give its bytes away.
};

struct Scene {
  Sessions& sessions;
  WrapThief& wrap_thief;
};

Tried Refused() { return {}; }
Tried NotTried(std::string why) { return {Attempt::kNotTried, std::move(why)}; }
Tried Succeeded() { return {Attempt::kSucceeded, ""}; }

// Whether the bytes of `key` can be had, now or by wrapping it.
Tried Open(Session& session, ObjectHandle key, CK_ATTRIBUTE_TYPE bytes) {
  const auto sensitive = session.ReadAttribute(key, CKA_SENSITIVE);
  const auto extractable = session.ReadAttribute(key, CKA_EXTRACTABLE);
  if (!session.ReadAttribute(key, bytes).value.empty() ||
      (sensitive.ok() && sensitive.value != base::Bytes{CK_TRUE}) ||
      (extractable.ok() && extractable.value != base::Bytes{CK_FALSE})) {
    return Succeeded();
  }
  if (!sensitive.ok() || !extractable.ok()) {
    return NotTried("CKA_SENSITIVE or CKA_EXTRACTABLE cannot be read: " +
                    RvText(sensitive.ok() ? extractable.rv : sensitive.rv));
  }
  return Refused();
}

Tried Read(Scene& scene, const Prey& prey) {
  return Open(scene.sessions.anchor(), prey.key, prey.bytes);
}

// The calls of the next three say nothing that a token could object to but
// what they are for: whatever it answers is its refusal, unless it is dead.
Tried Change(Scene& scene, const Prey& prey) {
  Session& session = scene.sessions.anchor();
  for (const auto& [type, value] :
       {std::pair{CKA_SENSITIVE, false}, std::pair{CKA_EXTRACTABLE, true}}) {
    const auto set =
        session.SetAttributes(prey.key, Template().Set(type, value));
    if (IsOfToken(CodeOf(set.rv))) {
      return NotTried(RvText(set.rv));
    }
  }
  return Open(session, prey.key, prey.bytes);
}

Tried CopyWith(Scene& scene, const Prey& prey, CK_ATTRIBUTE_TYPE type,
               bool value) {
  Session& session = scene.sessions.anchor();
  auto copy = session.CopyObject(
      prey.key, Template().Set(CKA_TOKEN, false).Set(type, value));
  if (!copy.ok()) {
    copy = session.CopyObject(prey.key, Template().Set(type, value));
  }
  if (copy.ok()) {
    return Open(session, copy.value, prey.bytes);
  }
  return IsOfToken(CodeOf(copy.rv)) ? NotTried(RvText(copy.rv)) : Refused();
}

Tried Copy(Scene& scene, const Prey& prey) {
  return Worse(CopyWith(scene, prey, CKA_EXTRACTABLE, true),
               CopyWith(scene, prey, CKA_SENSITIVE, false));
}

Tried Wrap(Scene& scene, const Prey& prey) {
  return scene.wrap_thief.Try(prey.key, prey.kind);
}

Tried GainUsage(Scene& scene, const Prey& prey) {
  Session& session = scene.sessions.anchor();
  const CK_ATTRIBUTE_TYPE usage =
      prey.kind == Victim::kSecret ? CKA_WRAP : CKA_UNWRAP;
  const auto copy = session.CopyObject(
      prey.key, Template().Set(CKA_TOKEN, false).Set(usage, true));
  return copy.ok() && session.ReadAttribute(copy.value, usage).value ==
                          base::Bytes{CK_TRUE}
             ? Succeeded()
             : Refused();
}

Template WrappingKey() {
  Template key;
  key.Set(CKA_CLASS, CK_ULONG{CKO_SECRET_KEY})
      .Set(CKA_KEY_TYPE, CK_ULONG{CKK_AES})
      .Set(CKA_VALUE_LEN, kAesKeySize)
      .Set(CKA_TOKEN, false)
      .Set(CKA_PRIVATE, true)
      .Set(CKA_WRAP, true)
      .Set(CKA_UNWRAP, true);
  return key;
}

// A key wrapped and unwrapped again by `with`, as nothing that our wrapping
// keys let out may be.
Answer<ObjectHandle> UnwrapLoose(Session& session, const Mechanism& mechanism,
                                 ObjectHandle with, ObjectHandle key,
                                 std::pair<bool, bool> sensitive_extractable) {
  const auto wrapped = session.WrapKey(mechanism, with, key);
  if (!wrapped.ok()) {
    return {wrapped.rv, wrapped.function, {}};
  }
  return session.UnwrapKey(
      mechanism, with, wrapped.value,
      Template()
          .Set(CKA_CLASS, CK_ULONG{CKO_SECRET_KEY})
          .Set(CKA_KEY_TYPE, CK_ULONG{CKK_AES})
          .Set(CKA_TOKEN, false)
          .Set(CKA_PRIVATE, true)
          .Set(CKA_SENSITIVE, sensitive_extractable.first)
          .Set(CKA_EXTRACTABLE, sensitive_extractable.second));
}

// A wrapped key that is unwrapped readable, although the wrapping key says that
// nothing may be. A refusal counts only where a wrapping key that says nothing
// does it: the token might object to something else.
Tried UnwrapReadable(Session& session, const Profile& profile) {
  Template bound;
  bound.Set(CKA_SENSITIVE, true)
      .Set(CKA_EXTRACTABLE, false)
      .Set(CKA_PRIVATE, true);
  const auto unbound = session.GenerateKey(CKM_AES_KEY_GEN, WrappingKey());
  const auto with = session.GenerateKey(
      CKM_AES_KEY_GEN,
      WrappingKey().Set(CKA_UNWRAP_TEMPLATE, std::move(bound)));
  const auto key = session.GenerateKey(
      CKM_AES_KEY_GEN,
      MessageKeyTemplate({.allowed_mechanisms = false, .copyable = false})
          .Set(CKA_EXTRACTABLE, true));
  if (profile.rfc5649 == 0 || !unbound.ok() || !with.ok() || !key.ok()) {
    return Succeeded();  // Nothing binds it.
  }
  const Mechanism mechanism{profile.rfc5649};
  for (const auto& loose : {std::pair{false, false}, std::pair{true, true},
                            std::pair{false, true}}) {
    const auto control =
        UnwrapLoose(session, mechanism, unbound.value, key.value, loose);
    if (!control.ok()) {
      return NotTried(
          fmt::format("{}: {}", control.function, RvText(control.rv)));
    }
    const auto unwrapped =
        UnwrapLoose(session, mechanism, with.value, key.value, loose);
    // Some tokens put the template in the place of what is asked for.
    if (unwrapped.ok() && Open(session, unwrapped.value, CKA_VALUE).attempt !=
                              Attempt::kRefused) {
      return Succeeded();
    }
  }
  return Refused();
}

// Not a risk that can be taken, and so not of kThefts.
void JudgeUnwrapping(Session& session, Profile& profile) {
  const Tried tried = UnwrapReadable(session, profile);
  profile.unwrap_template = tried.attempt == Attempt::kRefused;
  profile.findings.push_back(
      {"theft: unwrap a key readable",
       tried.attempt == Attempt::kRefused
           ? "refused by the token: CKA_UNWRAP_TEMPLATE binds"
       : tried.attempt == Attempt::kNotTried
           ? fmt::format("could not be tried: {}: no wrapped placement",
                         tried.how)
           : "CKA_UNWRAP_TEMPLATE does not bind: no wrapped placement"});
}

Tried TryOn(Theft theft, Scene& scene, const Prey& prey) {
  switch (theft) {
    case Theft::kRead:
      return Read(scene, prey);
    case Theft::kChange:
      return Change(scene, prey);
    case Theft::kCopy:
      return Copy(scene, prey);
    case Theft::kWrap:
      return Wrap(scene, prey);
    case Theft::kGainUsage:
      return GainUsage(scene, prey);
  }
  return NotTried("nobody knows how");
}

Answer<ObjectHandle> MakeEcPrey(Session& session, const Profile& profile) {
  const KeyRef signs{.locator = {}, .algorithm = Algorithm::kP256Sign};
  const auto pair = session.GenerateKeyPair(
      CKM_EC_KEY_PAIR_GEN, PublicTemplate(signs),
      PrivateTemplate(signs, profile.attributes).Set(CKA_TOKEN, false));
  return {pair.rv, pair.function, pair.value.private_key};
}

// One that everybody knows, unless the token takes none from outside: a new one
// takes long.
Answer<ObjectHandle> MakeRsaPrey(Session& session, const Profile& profile) {
  const KeyRef signs{.locator = {}, .algorithm = Algorithm::kRsa2048Sign};
  Template known = PrivateTemplate(signs, profile.attributes);
  SetKnownRsaKey(known.Set(CKA_TOKEN, false));
  const auto created = session.CreateObject(known);
  if (created.ok()) {
    return created;
  }
  const auto pair = session.GenerateKeyPair(
      CKM_RSA_PKCS_KEY_PAIR_GEN, PublicTemplate(signs),
      PrivateTemplate(signs, profile.attributes).Set(CKA_TOKEN, false));
  return {pair.rv, pair.function, pair.value.private_key};
}

// What there is to steal, and what there should be and is not.
struct Loot {
  std::vector<Prey> prey;
  std::string missing;
};

struct PairRow {
  std::string_view name;
  std::vector<Algorithm> of;  // Empty: the probe has not looked.
  CK_ATTRIBUTE_TYPE bytes;
  Answer<ObjectHandle> (*make)(Session&, const Profile&);
};

bool MakesNone(const PairRow& row, const Profile& profile, CK_RV rv) {
  return rv == CKR_MECHANISM_INVALID || rv == CKR_FUNCTION_NOT_SUPPORTED ||
         (!row.of.empty() &&
          std::ranges::all_of(row.of, [&](Algorithm algorithm) {
            return profile.lacks.contains(algorithm);
          }));
}

// The private keys of pairs that the token makes.
void AddPrivateKeys(Session& session, Profile& profile, Loot& loot) {
  const std::array rows = {
      PairRow{"a P-256 key",
              {Algorithm::kP256Sign, Algorithm::kP256Agree},
              CKA_VALUE,
              MakeEcPrey},
      PairRow{"an RSA key", {}, CKA_PRIVATE_EXPONENT, MakeRsaPrey}};
  for (const PairRow& row : rows) {
    const auto made = row.make(session, profile);
    if (made.ok()) {
      loot.prey.push_back(
          {row.name, made.value, Victim::kPrivateKey, row.bytes});
      continue;
    }
    if (MakesNone(row, profile, made.rv)) {
      profile.findings.push_back({fmt::format("theft of {}", row.name),
                                  "the token makes none to steal"});
      continue;
    }
    loot.missing += fmt::format("{}there is no session object of {}: {}: {}",
                                loot.missing.empty() ? "" : ", ", row.name,
                                made.function, RvText(made.rv));
  }
}

// A resident key's twin, as a session object, a message key, and private keys.
base::Result<Loot> LayOut(Sessions& sessions, Profile& profile) {
  Session& session = sessions.anchor();
  const KeyRef key{.locator = {}, .algorithm = profile.algorithm};
  ASSIGN_OR_RETURN(
      const ObjectHandle twin,
      session
          .GenerateKey(
              CKM_AES_KEY_GEN,
              KeyTemplate(key, profile.attributes).Set(CKA_TOKEN, false))
          .Take());
  ASSIGN_OR_RETURN(
      const ObjectHandle message_key,
      session
          .GenerateKey(CKM_AES_KEY_GEN, MessageKeyTemplate(profile.attributes))
          .Take());
  Loot loot;
  loot.prey = {{"an AES key", twin, Victim::kSecret, CKA_VALUE},
               {"a message key", message_key, Victim::kSecret, CKA_VALUE}};
  AddPrivateKeys(session, profile, loot);
  return loot;
}

std::string OutcomeOf(const TheftRow& row, const Tried& tried) {
  switch (tried.attempt) {
    case Attempt::kRefused:
      return "refused by the token";
    case Attempt::kNotTried:
      return "could not be tried: " + tried.how;
    case Attempt::kSucceeded:
      break;
  }
  return fmt::format("{} ({})", row.meaning, tried.how);
}

// What could not be tried proves nothing, and counts as what succeeds.
void Judge(const TheftRow& row, const Tried& tried, Profile& profile) {
  profile.findings.push_back(
      {fmt::format("theft: {}", row.tried), OutcomeOf(row, tried)});
  if (tried.attempt == Attempt::kRefused) {
    return;
  }
  const bool untried = tried.attempt == Attempt::kNotTried;
  std::string meaning =
      untried ? fmt::format("the theft \"{}\" could not be tried ({})",
                            row.tried, tried.how)
              : std::string(row.meaning);
  if (row.risk.empty()) {
    profile.notes.push_back(std::move(meaning));
    return;
  }
  profile.risks.emplace_back(row.risk);
  if (untried) {
    profile.untried.emplace(row.risk, std::move(meaning));
  }
}

}  // namespace

base::Status AttemptThefts(Sessions& sessions, Profile& profile) {
  ASSIGN_OR_RETURN(const Loot loot, LayOut(sessions, profile));
  WrapThief wrap_thief(sessions.anchor());
  Scene scene{sessions, wrap_thief};
  for (const TheftRow& row : kThefts) {
    Tried worst;
    if (!loot.missing.empty()) {
      worst = NotTried(loot.missing);
    }
    for (const Prey& prey : loot.prey) {
      Tried tried = TryOn(row.theft, scene, prey);
      tried.how = fmt::format("{}{}{}", prey.name,
                              tried.how.empty() ? "" : ": ", tried.how);
      worst = Worse(std::move(worst), std::move(tried));
    }
    Judge(row, worst, profile);
  }
  JudgeUnwrapping(sessions.anchor(), profile);
  return {};
}

}  // namespace hsm::token
