// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/wrapping_key.h"

#include <array>
#include <string_view>
#include <utility>

#include "base/hash.h"
#include "hsm/token/attributes.h"
#include "hsm/token/key_wrap.h"
#include "hsm/token/session_object.h"
#include "hsm/token/wrap_theft.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kKnown = "claviger wrapping key test 32 b.";
static_assert(kKnown.size() == 32);

}  // namespace

base::Status CheckCanWrap(const Profile& profile) {
  if (profile.rfc5649 == 0) {
    return Error{ErrorCode::kUnsupportedOperation,
                 "this token cannot wrap keys by RFC 5649: it has no place for "
                 "wrapped keys. Set placement = \"resident\""};
  }
  if (!profile.unwrap_template) {
    return Error{
        ErrorCode::kUnsupportedOperation,
        "this token does not heed CKA_UNWRAP_TEMPLATE, so that whoever "
        "has the PIN could unwrap keys readable: it must not hold "
        "wrapped keys. Set placement = \"resident\""};
  }
  // One theft of the wrapping key would open all that it has ever wrapped.
  if (!profile.risks.empty()) {
    return Error{ErrorCode::kUnsupportedOperation,
                 "this token lets keys out, and a wrapping key with them: it "
                 "must not hold wrapped keys, whatever risk is accepted. Set "
                 "placement = \"resident\""};
  }
  return {};
}

namespace {

// Of an object of the token, or a session object.
base::Status CheckLeavesOnlyTrusted(Workshop& workshop,
                                    ObjectHandle wrapping_key) {
  Session& anchor = workshop.connection.sessions().anchor();
  ASSIGN_OR_RETURN(const auto hold, workshop.connection.lock().Take());
  ASSIGN_OR_RETURN(const base::Bytes extractable,
                   anchor.ReadAttribute(wrapping_key, CKA_EXTRACTABLE).Take());
  if (extractable == base::Bytes{CK_FALSE}) {
    return {};
  }
  const auto trusted =
      anchor.ReadAttribute(wrapping_key, CKA_WRAP_WITH_TRUSTED);
  if (!trusted.ok() || trusted.value != base::Bytes{CK_TRUE}) {
    return Error{ErrorCode::kCorrupt,
                 "the wrapping key is extractable, and any key may wrap it"};
  }
  const auto copy = anchor.CopyObject(
      wrapping_key,
      Template().Set(CKA_TOKEN, false).Set(CKA_WRAP_WITH_TRUSTED, false));
  if (copy.ok()) {
    const SessionObject loose(anchor, copy.value);
    return Error{ErrorCode::kUnsupportedOperation,
                 "a copy of this token's wrapping key leaves it under any key: "
                 "it must not hold any. Set placement = \"resident\""};
  }
  WrapThief thief(anchor);
  const Tried tried = thief.Try(wrapping_key, Victim::kSecret);
  switch (tried.attempt) {
    case Attempt::kRefused:
      return {};
    case Attempt::kNotTried:
      return Error{ErrorCode::kUnsupportedOperation,
                   "it cannot be tried whether the wrapping key leaves this "
                   "token under keys that nobody trusts: " +
                       tried.how};
    case Attempt::kSucceeded:
      break;
  }
  return Error{ErrorCode::kCorrupt,
               "the wrapping key leaves this token under keys that nobody "
               "trusts: " +
                   tried.how};
}

base::Status CheckCopyOpensNothing(Workshop& workshop,
                                   ObjectHandle wrapping_key) {
  Session& anchor = workshop.connection.sessions().anchor();
  Template readable;
  readable.Set(CKA_SENSITIVE, false);
  std::array<Template, 2> loose;
  loose[0].Set(CKA_TOKEN, false).Set(CKA_DECRYPT, true);
  loose[1].Set(CKA_TOKEN, false).Set(CKA_UNWRAP_TEMPLATE, std::move(readable));
  ASSIGN_OR_RETURN(const auto hold, workshop.connection.lock().Take());
  for (const Template& changes : loose) {
    const auto copy = anchor.CopyObject(wrapping_key, changes);
    if (copy.ok()) {
      const SessionObject opens(anchor, copy.value);
      return Error{ErrorCode::kUnsupportedOperation,
                   "a copy of this token's wrapping key can decrypt, or unwrap "
                   "keys readable, so that whoever has the PIN could read "
                   "wrapped keys: it must not hold any. Set placement = "
                   "\"resident\""};
    }
  }
  return {};
}

// Of a key that it has wrapped.
base::Status CheckUnwrapsUnreadable(Workshop& workshop,
                                    ObjectHandle wrapping_key,
                                    base::ByteView wrapped) {
  Session& anchor = workshop.connection.sessions().anchor();
  for (const auto& [sensitive, extractable] :
       {std::pair{false, false}, std::pair{true, true},
        std::pair{false, true}}) {
    const auto back =
        anchor.UnwrapKey({workshop.profile.rfc5649}, wrapping_key, wrapped,
                         ReadableTemplate(kKnown.size())
                             .Remove(CKA_VALUE_LEN)
                             .Set(CKA_SENSITIVE, sensitive)
                             .Set(CKA_EXTRACTABLE, extractable));
    if (back.ok()) {
      const SessionObject readable(anchor, back.value);
      return Error{ErrorCode::kCorrupt,
                   "the wrapping key unwraps keys that can be read"};
    }
  }
  return {};
}

}  // namespace

base::Result<CheckValue> TestWrappingKey(Workshop& workshop,
                                         ObjectHandle wrapping_key) {
  RETURN_IF_ERROR(CheckCanWrap(workshop.profile));
  Session& anchor = workshop.connection.sessions().anchor();
  const Mechanism mechanism{workshop.profile.rfc5649};
  Template attributes = ReadableTemplate(kKnown.size());
  attributes.Remove(CKA_VALUE_LEN).Set(CKA_VALUE, base::AsBytes(kKnown));
  ASSIGN_OR_RETURN(const ObjectHandle made,
                   anchor.CreateObject(attributes).Take());
  const SessionObject known(anchor, made);
  ASSIGN_OR_RETURN(
      const base::Bytes wrapped,
      anchor.WrapKey(mechanism, wrapping_key, known.handle()).Take());
  RETURN_IF_ERROR(CheckUnwrapsUnreadable(workshop, wrapping_key, wrapped));
  RETURN_IF_ERROR(CheckCopyOpensNothing(workshop, wrapping_key));
  RETURN_IF_ERROR(CheckLeavesOnlyTrusted(workshop, wrapping_key));
  return base::ThreadHasher().Sha256(wrapped);
}

base::Result<CheckValue> CheckValueOfWrapping(base::ByteView value) {
  ASSIGN_OR_RETURN(const base::Bytes wrapped,
                   WrapRfc5649(value, base::AsBytes(kKnown)));
  return base::ThreadHasher().Sha256(wrapped);
}

}  // namespace hsm::token
