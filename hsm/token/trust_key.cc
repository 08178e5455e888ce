// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/trust_key.h"

#include <vector>

#include "base/hash.h"
#include "hsm/token/attributes.h"
#include "hsm/token/connection.h"
#include "hsm/token/public_key.h"
#include "hsm/token/transport_key.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

// Not private: the security officer has no private objects. Of SoftHSM, only
// C_CreateObject takes CKA_TRUSTED.
Template PublicObject(const RsaNumbers& key) {
  Template object = AllObjects();
  object.Set(CKA_CLASS, CK_ULONG{CKO_PUBLIC_KEY})
      .Set(CKA_KEY_TYPE, CK_ULONG{CKK_RSA})
      .Set(CKA_MODULUS, key.modulus)
      .Set(CKA_PUBLIC_EXPONENT, key.exponent);
  return object;
}

bool IsTrue(Session& session, ObjectHandle object, CK_ATTRIBUTE_TYPE type) {
  return session.ReadAttribute(object, type).value == base::Bytes{CK_TRUE};
}

base::Result<bool> IsThere(Session& session, const RsaNumbers& key) {
  ASSIGN_OR_RETURN(const std::vector<ObjectHandle> found,
                   session.FindObjects(PublicObject(key)).Take());
  for (const ObjectHandle object : found) {
    if (IsTrue(session, object, CKA_TRUSTED) &&
        IsTrue(session, object, CKA_WRAP)) {
      return true;
    }
  }
  return false;
}

base::Status Enter(Session& session, const RsaNumbers& key) {
  constexpr std::string_view kTrusted = "claviger trusted transport key";
  Template object = PublicObject(key);
  object.Set(CKA_PRIVATE, false)
      .Set(CKA_MODIFIABLE, false)
      .Set(CKA_TRUSTED, true)
      .Set(CKA_WRAP, true)
      .Set(CKA_ENCRYPT, false)
      .Set(CKA_VERIFY, false)
      .Set(CKA_VERIFY_RECOVER, false)
      .Set(CKA_LABEL, base::AsBytes(kTrusted))
      .Set(CKA_ID,
           base::ByteView(base::ThreadHasher().Sha256(key.modulus)).first(16));
  const auto made = session.CreateObject(object);
  if (!made.ok()) {
    return Error{ErrorCode::kUnsupportedOperation,
                 "the token does not let its security officer enter a trusted "
                 "key: " +
                     RvText(made.rv)};
  }
  if (!IsTrue(session, made.value, CKA_TRUSTED)) {
    RETURN_IF_ERROR(session.DestroyObject(made.value).Done());
    return Error{ErrorCode::kUnsupportedOperation,
                 "the token entered the key, but does not trust it"};
  }
  return {};
}

// The digits alone, in lower case.
std::string DigitsOf(std::string_view fingerprint) {
  std::string digits;
  for (const char c : fingerprint) {
    if (c != ':') {
      digits += c >= 'A' && c <= 'F' ? static_cast<char>(c + ('a' - 'A')) : c;
    }
  }
  return digits;
}

}  // namespace

std::string FingerprintOf(base::ByteView public_key) {
  const std::string digits =
      base::HexEncode(base::ThreadHasher().Sha256(public_key));
  std::string text;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    text.append(i == 0 ? "" : ":").append(digits, i, 2);
  }
  return text;
}

base::Status CheckFingerprint(base::ByteView public_key,
                              std::string_view fingerprint) {
  const std::string actual = FingerprintOf(public_key);
  if (DigitsOf(fingerprint) != DigitsOf(actual)) {
    return Error{ErrorCode::kInvalidArgument,
                 "the public key's SHA-256 fingerprint is " + actual +
                     ", and not " + std::string(fingerprint) +
                     " as expected: fetch the key anew from the token that it "
                     "is said to be of"};
  }
  return {};
}

base::Result<TrustedKey> TrustPublicKey(const TokenConfig& config,
                                        base::ByteView public_key) {
  ASSIGN_OR_RETURN(const RsaNumbers key,
                   RsaNumbersOf(public_key, kTransportKeyBits));
  ASSIGN_OR_RETURN(const auto connection,
                   Connection::OpenAsSecurityOfficer(config));
  TrustedKey trusted{.token_label = connection->identity().label,
                     .fingerprint = FingerprintOf(public_key)};
  {
    ASSIGN_OR_RETURN(const auto hold, connection->lock().Take());
    Session& session = connection->sessions().anchor();
    ASSIGN_OR_RETURN(trusted.was_there, IsThere(session, key));
    if (!trusted.was_there) {
      RETURN_IF_ERROR(Enter(session, key));
    }
  }
  RETURN_IF_ERROR(connection->Sync());
  return trusted;
}

}  // namespace hsm::token
