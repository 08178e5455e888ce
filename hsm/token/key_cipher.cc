// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/key_cipher.h"

#include <algorithm>
#include <utility>

#include "hsm/token/external_cipher.h"
#include "hsm/token/gcm.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

// kAes256GcmCounter: 16 zero bytes, then the counter, big-endian; the IV is the
// last 12 of the 24.
Nonce CountedNonce(Counter counter) {
  Nonce nonce{};
  for (auto it = nonce.rbegin(); counter != 0; ++it, counter >>= 8) {
    *it = static_cast<std::uint8_t>(counter);
  }
  return nonce;
}

// Only what CountedNonce makes, or what it is with a token's IV; 0 would
// decrypt the check value's.
bool IsUnderived(const Nonce& nonce) {
  return WithIv(nonce, Iv{}) == Nonce{} && nonce != Nonce{};
}

}  // namespace

KeyCipher::KeyCipher(Sessions& sessions, const base::Clock& clock,
                     const Profile& profile)
    : sessions_(sessions),
      best_(profile.algorithm),
      xaes_(sessions, clock, profile.attributes) {}

base::Status KeyCipher::CheckSupported(Algorithm algorithm) const {
  if (algorithm == Algorithm::kAes256GcmCounter ||
      (algorithm == Algorithm::kXaes256Gcm && best_ == algorithm)) {
    return {};
  }
  if (algorithm == Algorithm::kXaes256Gcm) {
    return Error{ErrorCode::kUnsupportedOperation,
                 "this token cannot derive XAES-256-GCM message keys"};
  }
  return Error{ErrorCode::kInvalidArgument,
               "the key's algorithm makes no ciphertexts"};
}

base::Result<Sealed> KeyCipher::Seal(const KeyRef& key, ObjectHandle object,
                                     Counter counter, const Aad& aad,
                                     base::ByteView plaintext) {
  RETURN_IF_ERROR(CheckSupported(key.algorithm));
  if (key.algorithm == Algorithm::kXaes256Gcm) {
    return xaes_.Seal(key.locator, object, aad, plaintext);
  }
  if (counter == 0) {
    return Error{ErrorCode::kInvalidArgument,
                 "the nonce counter 0 is the check value's"};
  }
  const Nonce nonce = CountedNonce(counter);
  ASSIGN_OR_RETURN(GcmSealed sealed,
                   SealGcm(sessions_, object, IvOf(nonce), aad, plaintext));
  return Sealed{.nonce = WithIv(nonce, sealed.iv),
                .ciphertext = std::move(sealed.ciphertext)};
}

base::Result<base::Secret> KeyCipher::Open(const KeyRef& key,
                                           ObjectHandle object, const Aad& aad,
                                           const Sealed& sealed) {
  RETURN_IF_ERROR(CheckSupported(key.algorithm));
  if (key.algorithm == Algorithm::kXaes256Gcm) {
    return xaes_.Open(key.locator, object, aad, sealed);
  }
  if (!IsUnderived(sealed.nonce)) {
    return Error{ErrorCode::kInvalidCiphertext, ""};
  }
  return OpenGcm(sessions_, object, IvOf(sealed.nonce), aad, sealed.ciphertext);
}

base::Result<SealExternalReply> KeyCipher::SealExternal(
    const SealExternalRequest& request, ObjectHandle object) {
  RETURN_IF_ERROR(CheckSupported(request.key.algorithm));
  return token::SealExternal(sessions_, xaes_, object, request);
}

base::Result<base::Secret> KeyCipher::OpenExternal(
    const OpenExternalRequest& request, ObjectHandle object) {
  RETURN_IF_ERROR(CheckSupported(request.key.algorithm));
  return token::OpenExternal(sessions_, xaes_, object, request);
}

base::Result<CheckValue> KeyCipher::SelfTest(Algorithm algorithm,
                                             ObjectHandle object) {
  RETURN_IF_ERROR(CheckSupported(algorithm));
  return algorithm == Algorithm::kXaes256Gcm ? xaes_.SelfTest(object)
                                             : SelfTestCounted(object);
}

// The counter 0 and 32 zero bytes, always: the same message, so using the nonce
// again gives nothing away. A token that makes the IV makes another.
base::Result<CheckValue> KeyCipher::SelfTestCounted(ObjectHandle object) {
  const CheckValue zeros{};
  ASSIGN_OR_RETURN(const GcmSealed sealed,
                   RoundTrip(sessions_, object, Iv{}, zeros));
  if (sealed.iv != Iv{}) {
    return KeyStreamOf(sessions_, object, Iv{});
  }
  CheckValue check_value;
  std::copy_n(sealed.ciphertext.begin(), check_value.size(),
              check_value.begin());
  return check_value;
}

}  // namespace hsm::token
