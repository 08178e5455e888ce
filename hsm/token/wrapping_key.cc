// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/wrapping_key.h"

#include <string_view>

#include "base/hash.h"
#include "hsm/token/attributes.h"
#include "hsm/token/session_object.h"

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

base::Result<CheckValue> TestWrappingKey(Sessions& sessions,
                                         const Profile& profile,
                                         ObjectHandle wrapping_key) {
  RETURN_IF_ERROR(CheckCanWrap(profile));
  Session& anchor = sessions.anchor();
  const Mechanism mechanism{profile.rfc5649};
  Template attributes = ReadableTemplate(kKnown.size());
  attributes.Remove(CKA_VALUE_LEN).Set(CKA_VALUE, base::AsBytes(kKnown));
  ASSIGN_OR_RETURN(const ObjectHandle made,
                   anchor.CreateObject(attributes).Take());
  const SessionObject known(anchor, made);
  ASSIGN_OR_RETURN(
      const base::Bytes wrapped,
      anchor.WrapKey(mechanism, wrapping_key, known.handle()).Take());
  const auto back =
      anchor.UnwrapKey(mechanism, wrapping_key, wrapped,
                       ReadableTemplate(kKnown.size()).Remove(CKA_VALUE_LEN));
  if (back.ok()) {
    const SessionObject readable(anchor, back.value);
    return Error{ErrorCode::kCorrupt,
                 "the wrapping key unwraps keys that can be read"};
  }
  const auto copy = anchor.CopyObject(
      wrapping_key, Template().Set(CKA_TOKEN, false).Set(CKA_DECRYPT, true));
  if (copy.ok()) {
    const SessionObject decrypts(anchor, copy.value);
    return Error{ErrorCode::kUnsupportedOperation,
                 "a copy of this token's wrapping key can decrypt, so that "
                 "whoever has the PIN could read wrapped keys: it must not "
                 "hold any. Set placement = \"resident\""};
  }
  return base::ThreadHasher().Sha256(wrapped);
}

}  // namespace hsm::token
