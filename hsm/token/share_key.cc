// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/share_key.h"

#include <utility>

#include "hsm/token/attributes.h"
#include "hsm/token/oaep_mechanism.h"
#include "hsm/token/public_key.h"
#include "hsm/token/quirks.h"
#include "hsm/token/transport_key.h"
#include "hsm/token/wrapping_key.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

Error NotTheKey() {
  return {ErrorCode::kCorrupt,
          "the wrapping key is another one than its check value says"};
}

// Entered by the security officer: no one else can set CKA_TRUSTED.
base::Result<ObjectHandle> FindTrusted(Workshop& workshop,
                                       const RsaNumbers& key) {
  Template pattern = AllObjects();
  pattern.Set(CKA_CLASS, CK_ULONG{CKO_PUBLIC_KEY})
      .Set(CKA_KEY_TYPE, CK_ULONG{CKK_RSA})
      .Set(CKA_MODULUS, key.modulus)
      .Set(CKA_PUBLIC_EXPONENT, key.exponent);
  ASSIGN_OR_RETURN(const auto hold, workshop.connection.lock().Take());
  Sessions& sessions = workshop.connection.sessions();
  ASSIGN_OR_RETURN(Session* const session, sessions.Working());
  ASSIGN_OR_RETURN(const std::vector<ObjectHandle> found,
                   session->FindObjects(pattern).Take());
  for (const ObjectHandle object : found) {
    const auto trusted = sessions.anchor().ReadAttribute(object, CKA_TRUSTED);
    const auto modulus = sessions.anchor().ReadAttribute(object, CKA_MODULUS);
    if (trusted.ok() && trusted.value == base::Bytes{CK_TRUE} &&
        modulus.value == key.modulus) {
      return object;
    }
  }
  return Error{ErrorCode::kAccessDenied,
               found.empty()
                   ? "the security officer of this token has not entered that "
                     "public key: compare its fingerprint with the target's, "
                     "and enter it with claviger token trust"
                   : "that public key is on this token, but not as a trusted "
                     "one: enter it with claviger token trust, which takes the "
                     "security officer's PIN"};
}

base::Result<bool> IsShareable(Workshop& workshop, ObjectHandle object) {
  ASSIGN_OR_RETURN(const auto hold, workshop.connection.lock().Take());
  Session& anchor = workshop.connection.sessions().anchor();
  ASSIGN_OR_RETURN(const base::Bytes extractable,
                   anchor.ReadAttribute(object, CKA_EXTRACTABLE).Take());
  const auto trusted = anchor.ReadAttribute(object, CKA_WRAP_WITH_TRUSTED);
  return extractable == base::Bytes{CK_TRUE} && trusted.ok() &&
         trusted.value == base::Bytes{CK_TRUE};
}

base::Result<ObjectHandle> Search(Workshop& workshop, const Locator& locator) {
  ASSIGN_OR_RETURN(const auto hold, workshop.connection.lock().Take());
  return workshop.index.Search(hold, locator);
}

base::Status CheckIsTheKey(Workshop& workshop, ObjectHandle object,
                           const CheckValue& check_value) {
  ASSIGN_OR_RETURN(const CheckValue found, TestWrappingKey(workshop, object));
  return found == check_value ? base::Status() : base::Status(NotTheKey());
}

base::Status CheckIsThere(Workshop& workshop, ObjectHandle object,
                          const ReceiveWrappingKeyRequest& request) {
  RETURN_IF_ERROR(CheckIsTheKey(workshop, object, request.check_value));
  ASSIGN_OR_RETURN(const bool shareable, IsShareable(workshop, object));
  if (shareable != request.shareable) {
    return Error{ErrorCode::kConflict,
                 shareable ? "this token has the wrapping key already, but as "
                             "one that it may share"
                           : "this token has the wrapping key already, but as "
                             "one that never leaves it"};
  }
  return {};
}

base::Status MakeReceived(Workshop& workshop,
                          const ReceiveWrappingKeyRequest& request) {
  ASSIGN_OR_RETURN(const Hash hash, TransportHash(workshop.profile));
  ASSIGN_OR_RETURN(const ObjectHandle transport_key,
                   FindTransportKey(workshop));
  CK_RV rv = CKR_OK;
  const auto made =
      Place(workshop, request.wrapping_key.locator, [&](Session& session) {
        auto answer = UnwrapTransported(
            session, hash, transport_key, request.wrapped,
            TransportedTemplate(request.wrapping_key, workshop.profile,
                                request.shareable));
        rv = answer.rv;
        return answer;
      });
  if (!made.has_value() &&
      RejectsWrapped(workshop.connection.sessions().quirks(), rv)) {
    return Error{ErrorCode::kCorrupt,
                 "what came is not wrapped under this token's transport key: "
                 "share the wrapping key anew"};
  }
  RETURN_IF_ERROR(made);
  return Conclude(workshop, request.wrapping_key.locator, *made,
                  CheckIsThere(workshop, *made, request));
}

}  // namespace

base::Result<ShareWrappingKeyReply> ShareWrappingKey(
    Workshop workshop, const ShareWrappingKeyRequest& request) {
  RETURN_IF_ERROR(CheckCanWrap(workshop.profile));
  ASSIGN_OR_RETURN(const ObjectHandle wrapping_key,
                   Search(workshop, request.wrapping_key.locator));
  ASSIGN_OR_RETURN(const bool shareable, IsShareable(workshop, wrapping_key));
  if (!shareable) {
    return Error{ErrorCode::kUnsupportedOperation,
                 "the wrapping key was not made shareable: it can never leave "
                 "its token"};
  }
  ASSIGN_OR_RETURN(const RsaNumbers public_key,
                   RsaNumbersOf(request.public_key, kTransportKeyBits));
  const HashRow* const hash = FindHash(request.hash);
  if (hash == nullptr) {
    return Error{ErrorCode::kInvalidArgument, "unknown hash"};
  }
  RETURN_IF_ERROR(CheckIsTheKey(workshop, wrapping_key, request.check_value));
  ASSIGN_OR_RETURN(const ObjectHandle trusted,
                   FindTrusted(workshop, public_key));
  const OaepMechanism oaep(*hash);
  auto wrapped = workshop.connection.sessions().anchor().WrapKey(
      oaep.mechanism(), trusted, wrapping_key);
  if (wrapped.rv == CKR_MECHANISM_INVALID ||
      wrapped.rv == CKR_MECHANISM_PARAM_INVALID ||
      wrapped.rv == CKR_ARGUMENTS_BAD) {
    return Error{ErrorCode::kUnsupportedOperation,
                 "this token does not wrap keys by RSAES-OAEP with the hash "
                 "that the target unwraps with: " +
                     RvText(wrapped.rv)};
  }
  ShareWrappingKeyReply reply;
  ASSIGN_OR_RETURN(reply.wrapped, std::move(wrapped).Take());
  return reply;
}

base::Status ReceiveWrappingKey(Workshop workshop,
                                const ReceiveWrappingKeyRequest& request) {
  RETURN_IF_ERROR(CheckCanWrap(workshop.profile));
  const auto there = Search(workshop, request.wrapping_key.locator);
  if (there.has_value()) {
    RETURN_IF_ERROR(CheckIsThere(workshop, *there, request));
  } else if (there.error().code != ErrorCode::kNotFound) {
    return there.error();
  } else {
    RETURN_IF_ERROR(MakeReceived(workshop, request));
  }
  // Whoever kept what was on its way has nothing to unwrap it with any more.
  const base::Status gone = DestroyKey(workshop, kTransportKey);
  return !gone.has_value() && gone.error().code == ErrorCode::kNotFound
             ? base::Status()
             : gone;
}

}  // namespace hsm::token
