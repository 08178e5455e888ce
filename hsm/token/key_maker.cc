// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/key_maker.h"

#include <fmt/format.h>

#include "base/log.h"
#include "hsm/token/attributes.h"
#include "hsm/token/quirks.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

base::Status CheckFree(Workshop& workshop, const TokenLock::Hold& hold,
                       const Locator& locator) {
  const auto taken = workshop.index.Search(hold, locator);
  if (!taken.has_value() && taken.error().code == ErrorCode::kNotFound) {
    return {};
  }
  if (!taken.has_value() && taken.error().code != ErrorCode::kCorrupt) {
    return taken.error();
  }
  return Error{ErrorCode::kAlreadyExists,
               fmt::format("the token already has a key object {}",
                           base::HexEncode(locator.bytes))};
}

Answer<ObjectHandle> GenerateOnce(Workshop& workshop, Session& session,
                                  const KeyRef& key) {
  return session.GenerateKey(CKM_AES_KEY_GEN,
                             KeyTemplate(key, workshop.profile.attributes));
}

// A call that failed may have left a half-made object. It bears the locator
// that nothing bore before the call, under the same hold: it is ours.
base::Status SweepFailed(Workshop& workshop, const TokenLock::Hold& hold,
                         const Locator& locator) {
  const auto litter = workshop.index.Search(hold, locator);
  workshop.index.Remove(locator);
  if (!litter.has_value()) {
    return litter.error().code == ErrorCode::kNotFound ? base::Status()
                                                       : litter.error();
  }
  return workshop.connection.sessions().anchor().DestroyObject(*litter).Done();
}

base::Result<ObjectHandle> Generate(Workshop& workshop, const KeyRef& key) {
  ASSIGN_OR_RETURN(const auto hold, workshop.connection.lock().Take());
  RETURN_IF_ERROR(CheckFree(workshop, hold, key.locator));
  Sessions& sessions = workshop.connection.sessions();
  ASSIGN_OR_RETURN(Session * session, sessions.Working());
  auto made = GenerateOnce(workshop, *session, key);
  if (!made.ok() && WorthRetrying(made.rv)) {
    base::LogWarning("C_GenerateKey: {}; trying once more", RvText(made.rv));
    RETURN_IF_ERROR(SweepFailed(workshop, hold, key.locator));
    ASSIGN_OR_RETURN(session, sessions.Working());
    made = GenerateOnce(workshop, *session, key);
  }
  if (!made.ok()) {
    RETURN_IF_ERROR(SweepFailed(workshop, hold, key.locator));
  }
  RETURN_IF_ERROR(made.Done());
  return made.value;
}

}  // namespace

base::Result<CheckValue> MakeKey(Workshop workshop, const KeyRef& key) {
  RETURN_IF_ERROR(workshop.cipher.CheckSupported(key.algorithm));
  ASSIGN_OR_RETURN(const ObjectHandle object, Generate(workshop, key));
  auto check_value = workshop.cipher.SelfTest(key.algorithm, object);
  if (!check_value.has_value()) {
    ASSIGN_OR_RETURN(const auto hold, workshop.connection.lock().Take());
    Session& anchor = workshop.connection.sessions().anchor();
    RETURN_IF_ERROR(anchor.DestroyObject(object).Done());
    const bool dead = check_value.error().code == ErrorCode::kHsmUnavailable;
    return Error{
        dead ? ErrorCode::kHsmUnavailable : ErrorCode::kCorrupt,
        "the new key failed its self-test: " + check_value.error().message};
  }
  RETURN_IF_ERROR(workshop.connection.Sync());
  workshop.index.Add(key.locator, object);
  return check_value;
}

base::Status DestroyKey(Workshop workshop, const Locator& locator) {
  RETURN_IF_ERROR(workshop.cipher.Forget(locator));
  {
    ASSIGN_OR_RETURN(const auto hold, workshop.connection.lock().Take());
    ASSIGN_OR_RETURN(const ObjectHandle object,
                     workshop.index.Search(hold, locator));
    workshop.index.Remove(locator);
    Session& anchor = workshop.connection.sessions().anchor();
    RETURN_IF_ERROR(anchor.DestroyObject(object).Done());
  }
  return workshop.connection.Sync();
}

}  // namespace hsm::token
