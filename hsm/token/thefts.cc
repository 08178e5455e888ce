// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/thefts.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "hsm/token/attributes.h"
#include "hsm/token/risks.h"

namespace hsm::token {
namespace {

constexpr std::array<std::uint8_t, 16> kZeroIv{};

// Everything by which a token may wrap a secret key.
constexpr std::array kWrappings = {
    Mechanism{CKM_AES_KEY_WRAP},     Mechanism{CKM_AES_KEY_WRAP_PAD},
    Mechanism{CKM_AES_KEY_WRAP_KWP}, Mechanism{CKM_AES_ECB},
    Mechanism{CKM_AES_CBC, kZeroIv}, Mechanism{CKM_AES_CBC_PAD, kZeroIv}};

// What the thief has: sessions, the PIN behind them, and a key in sight.
struct Scene {
  Sessions& sessions;
  const Profile& profile;
  ObjectHandle victim;
};

bool IsSet(Session& session, ObjectHandle object, CK_ATTRIBUTE_TYPE type) {
  const auto answer = session.ReadAttribute(object, type);
  return answer.ok() && answer.value.size() == sizeof(CK_BBOOL) &&
         answer.value.front() == CK_TRUE;
}

// Whether the bytes of `object` can be had, now or by wrapping it.
bool IsOpen(Session& session, ObjectHandle object) {
  return session.ReadSecret(object).value.size() > 0 ||
         !IsSet(session, object, CKA_SENSITIVE) ||
         IsSet(session, object, CKA_EXTRACTABLE);
}

bool Read(Scene& scene) {
  return IsOpen(scene.sessions.anchor(), scene.victim);
}

bool Change(Scene& scene) {
  Session& session = scene.sessions.anchor();
  (void)session.SetAttributes(scene.victim,
                              Template().Set(CKA_SENSITIVE, false));
  (void)session.SetAttributes(scene.victim,
                              Template().Set(CKA_EXTRACTABLE, true));
  return IsOpen(session, scene.victim);
}

bool CopyWith(Scene& scene, CK_ATTRIBUTE_TYPE type, bool value) {
  Session& session = scene.sessions.anchor();
  const auto copy = session.CopyObject(
      scene.victim, Template().Set(CKA_TOKEN, false).Set(type, value));
  return copy.ok() && IsOpen(session, copy.value);
}

bool Copy(Scene& scene) {
  return CopyWith(scene, CKA_EXTRACTABLE, true) ||
         CopyWith(scene, CKA_SENSITIVE, false);
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

bool Wrap(Scene& scene) {
  Session& session = scene.sessions.anchor();
  const auto with = session.GenerateKey(CKM_AES_KEY_GEN, WrappingKey());
  if (!with.ok()) {
    return false;  // No wrapping keys, no such theft.
  }
  for (const Mechanism& mechanism : kWrappings) {
    if (session.WrapKey(mechanism, with.value, scene.victim).ok()) {
      return true;
    }
  }
  return false;
}

bool GainUsage(Scene& scene) {
  Session& session = scene.sessions.anchor();
  const auto copy = session.CopyObject(
      scene.victim, Template().Set(CKA_TOKEN, false).Set(CKA_WRAP, true));
  return copy.ok() && IsSet(session, copy.value, CKA_WRAP);
}

// A wrapped key that is unwrapped readable, although the wrapping key says that
// nothing may be.
bool UnwrapReadable(Scene& scene) {
  Session& session = scene.sessions.anchor();
  Template bound;
  bound.Set(CKA_SENSITIVE, true)
      .Set(CKA_EXTRACTABLE, false)
      .Set(CKA_PRIVATE, true);
  const auto with = session.GenerateKey(
      CKM_AES_KEY_GEN,
      WrappingKey().Set(CKA_UNWRAP_TEMPLATE, std::move(bound)));
  const auto key = session.GenerateKey(
      CKM_AES_KEY_GEN,
      MessageKeyTemplate({.allowed_mechanisms = false, .copyable = false})
          .Set(CKA_EXTRACTABLE, true));
  if (scene.profile.rfc5649 == 0 || !with.ok() || !key.ok()) {
    return true;  // Nothing binds it.
  }
  const Mechanism mechanism{scene.profile.rfc5649};
  const auto wrapped = session.WrapKey(mechanism, with.value, key.value);
  const auto unwrapped =
      session.UnwrapKey(mechanism, with.value, wrapped.value,
                        Template()
                            .Set(CKA_CLASS, CK_ULONG{CKO_SECRET_KEY})
                            .Set(CKA_KEY_TYPE, CK_ULONG{CKK_AES})
                            .Set(CKA_TOKEN, false)
                            .Set(CKA_PRIVATE, true)
                            .Set(CKA_SENSITIVE, false)
                            .Set(CKA_EXTRACTABLE, true));
  return !wrapped.ok() || (unwrapped.ok() && IsOpen(session, unwrapped.value));
}

bool Succeeds(Theft theft, Scene& scene) {
  switch (theft) {
    case Theft::kRead:
      return Read(scene);
    case Theft::kChange:
      return Change(scene);
    case Theft::kCopy:
      return Copy(scene);
    case Theft::kWrap:
      return Wrap(scene);
    case Theft::kGainUsage:
      return GainUsage(scene);
  }
  return true;
}

// A resident key's twin, as a session object, a message key, and the private
// key of a pair, if the token makes such.
base::Result<std::vector<ObjectHandle>> Victims(Sessions& sessions,
                                                const Profile& profile) {
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
  std::vector<ObjectHandle> victims = {twin, message_key};
  const KeyRef signs{.locator = {}, .algorithm = Algorithm::kP256Sign};
  const auto pair = session.GenerateKeyPair(
      CKM_EC_KEY_PAIR_GEN, PublicTemplate(signs),
      PrivateTemplate(signs, profile.attributes).Set(CKA_TOKEN, false));
  if (pair.ok()) {
    victims.push_back(pair.value.private_key);
  }
  return victims;
}

void Judge(const TheftRow& row, bool succeeded, Profile& profile) {
  profile.findings.push_back(
      {fmt::format("theft: {}", row.tried),
       std::string(succeeded ? row.meaning : "refused by the token")});
  if (!succeeded) {
    return;
  }
  if (row.risk.empty()) {
    profile.notes.emplace_back(row.meaning);
  } else {
    profile.risks.emplace_back(row.risk);
  }
}

}  // namespace

base::Status AttemptThefts(Sessions& sessions, Profile& profile) {
  ASSIGN_OR_RETURN(const auto victims, Victims(sessions, profile));
  for (const TheftRow& row : kThefts) {
    bool succeeded = false;
    for (const ObjectHandle victim : victims) {
      Scene scene{sessions, profile, victim};
      succeeded = Succeeds(row.theft, scene) || succeeded;
    }
    Judge(row, succeeded, profile);
  }
  Scene scene{sessions, profile, victims.front()};
  profile.unwrap_template = !UnwrapReadable(scene);
  profile.findings.push_back(
      {"theft: unwrap a key readable",
       profile.unwrap_template
           ? "refused by the token: CKA_UNWRAP_TEMPLATE binds"
           : "CKA_UNWRAP_TEMPLATE does not bind: no wrapped placement"});
  return {};
}

}  // namespace hsm::token
