// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/key_maker.h"

#include <fmt/format.h>

#include "base/log.h"
#include "hsm/token/attributes.h"
#include "hsm/token/mac.h"
#include "hsm/token/quirks.h"
#include "hsm/token/wrapping_key.h"

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

base::Status SweepOnce(Workshop& workshop, const TokenLock::Hold& hold,
                       const Locator& locator) {
  const auto litter = workshop.index.Search(hold, locator);
  workshop.index.Remove(locator);
  if (!litter.has_value()) {
    return litter.error().code == ErrorCode::kNotFound ? base::Status()
                                                       : litter.error();
  }
  return workshop.connection.sessions().anchor().DestroyObject(*litter).Done();
}

// What went wrong first is the answer; this is for the log.
void LogLitter(const Locator& locator, const Error& error) {
  base::LogWarning("half-made object {} stays on the token: {}",
                   base::HexEncode(locator.bytes), error.message);
}

// A call that failed may have left a half-made object. It bears the locator
// that nothing bore before the call, under the same hold: it is ours. Whether
// nothing is left: a full token may not even give up what it has begun.
bool SweepFailed(Workshop& workshop, const TokenLock::Hold& hold,
                 const Locator& locator) {
  const base::Status swept = SweepOnce(workshop, hold, locator);
  if (!swept.has_value()) {
    LogLitter(locator, swept.error());
  }
  return swept.has_value();
}

}  // namespace

base::Result<ObjectHandle> Place(Workshop& workshop, const Locator& locator,
                                 const Make& make) {
  ASSIGN_OR_RETURN(const auto hold, workshop.connection.lock().Take());
  RETURN_IF_ERROR(CheckFree(workshop, hold, locator));
  Sessions& sessions = workshop.connection.sessions();
  ASSIGN_OR_RETURN(Session * session, sessions.Working());
  auto made = make(*session);
  if (!made.ok() && WorthRetrying(made.rv)) {
    base::LogWarning("{}: {}; trying once more", made.function,
                     RvText(made.rv));
    if (!SweepFailed(workshop, hold, locator)) {
      return made.Done().error();
    }
    ASSIGN_OR_RETURN(session, sessions.Working());
    made = make(*session);
  }
  if (!made.ok()) {
    static_cast<void>(SweepFailed(workshop, hold, locator));
  }
  RETURN_IF_ERROR(made.Done());
  return made.value;
}

base::Status Conclude(Workshop& workshop, const Locator& locator,
                      ObjectHandle object, const base::Status& tested) {
  if (!tested.has_value()) {
    ASSIGN_OR_RETURN(const auto hold, workshop.connection.lock().Take());
    Session& anchor = workshop.connection.sessions().anchor();
    if (const auto gone = anchor.DestroyObject(object).Done();
        !gone.has_value()) {
      LogLitter(locator, gone.error());
    }
    const ErrorCode code = tested.error().code;
    return Error{IsOfToken(code) ? code : ErrorCode::kCorrupt,
                 "the new key failed its self-test: " + tested.error().message};
  }
  RETURN_IF_ERROR(workshop.connection.Sync());
  workshop.index.Add(locator, object);
  return {};
}

base::Result<ObjectHandle> FindObject(Workshop& workshop,
                                      const Locator& locator) {
  if (const auto known = workshop.index.Known(locator)) {
    return *known;
  }
  ASSIGN_OR_RETURN(const auto hold, workshop.connection.lock().Take());
  return workshop.index.Search(hold, locator);
}

base::Result<CheckValue> TestSecret(Workshop& workshop, Algorithm algorithm,
                                    ObjectHandle object) {
  if (algorithm == Algorithm::kAesWrap) {
    return TestWrappingKey(workshop, object);
  }
  return FindMac(algorithm) != nullptr
             ? SelfTestMac(workshop.connection.sessions(), algorithm, object)
             : workshop.cipher.SelfTest(algorithm, object);
}

base::Result<CheckValue> MakeKey(Workshop workshop,
                                 const GenerateKeyRequest& request) {
  const KeyRef& key = request.key;
  const AttributeSupport& support = workshop.profile.attributes;
  const bool wraps = key.algorithm == Algorithm::kAesWrap;
  const bool is_mac = FindMac(key.algorithm) != nullptr;
  if (request.shareable && !wraps) {
    return Error{ErrorCode::kInvalidArgument,
                 "only a wrapping key can be made shareable"};
  }
  RETURN_IF_ERROR(CheckHas(workshop.profile, key.algorithm));
  if (wraps) {
    RETURN_IF_ERROR(CheckCanWrap(workshop.profile));
  } else if (!is_mac) {
    RETURN_IF_ERROR(workshop.cipher.CheckSupported(key.algorithm));
  }
  ASSIGN_OR_RETURN(
      const ObjectHandle object,
      Place(workshop, key.locator, [&](Session& session) {
        return session.GenerateKey(
            is_mac ? CKM_GENERIC_SECRET_KEY_GEN : CKM_AES_KEY_GEN,
            wraps ? WrappingKeyTemplate(key, workshop.profile.rfc5649, support,
                                        request.shareable)
                  : SecretTemplate(key, support));
      }));
  auto check_value = TestSecret(workshop, key.algorithm, object);
  RETURN_IF_ERROR(Conclude(workshop, key.locator, object,
                           check_value.has_value()
                               ? base::Status()
                               : base::Status(check_value.error())));
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
