// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/xaes.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/random.h"
#include "hsm/token/attributes.h"
#include "hsm/token/gcm.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

Nonce Join(const P12& p, const Iv& iv) {
  Nonce nonce{};
  std::ranges::copy(p, nonce.begin());
  return WithIv(nonce, iv);
}

// A message key that the token no longer knows went with the anchor session.
// To the caller kNotFound would mean that the KMS key is gone.
template <typename T>
base::Result<T> InUse(base::Result<T> result) {
  if (!result.has_value() && result.error().code == ErrorCode::kNotFound) {
    return Error{
        ErrorCode::kHsmUnavailable,
        "the token lost its session objects: " + result.error().message};
  }
  return result;
}

std::size_t HashOf(base::ByteView bytes) {
  return std::hash<std::string_view>()(base::AsText(bytes));
}

}  // namespace

std::size_t Xaes::LocatorHash::operator()(const Locator& locator) const {
  return HashOf(locator.bytes);
}

std::size_t Xaes::MessageKeyIdHash::operator()(const MessageKeyId& id) const {
  return HashOf(id.locator.bytes) ^ HashOf(id.p) * 31;
}

Xaes::Xaes(Sessions& sessions, const base::Clock& clock,
           const AttributeSupport& support)
    : sessions_(sessions),
      clock_(clock),
      message_key_template_(MessageKeyTemplate(support)) {}

base::Result<Xaes::KeyState*> Xaes::StateOf(const Locator& locator,
                                            ObjectHandle key) {
  if (KeyState* state = states_.Find(locator); state != nullptr) {
    return state;
  }
  ASSIGN_OR_RETURN(base::Secret k1, DeriveK1(sessions_, key));
  states_.Insert(locator, KeyState{.k1 = std::move(k1)});
  return states_.Find(locator);
}

void Xaes::RenewIfSpent(KeyState& state) {
  const base::MonotonicTime now = clock_.Monotonic();
  if (state.messages >= kMessagesPerP || now - state.since >= kLifeOfP) {
    base::RandomBytes(state.p);
    state.messages = 0;
    state.since = now;
  }
}

base::Result<ObjectHandle> Xaes::Remember(const MessageKeyId& id,
                                          ObjectHandle message_key) {
  if (const auto gone = message_keys_.Insert(id, message_key)) {
    RETURN_IF_ERROR(Drop(*gone));
  }
  return message_key;
}

base::Status Xaes::Drop(ObjectHandle message_key) {
  const auto answer = sessions_.anchor().DestroyObject(message_key);
  return answer.rv == CKR_OBJECT_HANDLE_INVALID ? base::Status()
                                                : answer.Done();
}

base::Result<Xaes::Reservation> Xaes::Reserve(const Locator& locator,
                                              ObjectHandle key) {
  ASSIGN_OR_RETURN(KeyState* const state, StateOf(locator, key));
  RenewIfSpent(*state);
  const MessageKeyId id{.locator = locator, .p = state->p};
  ObjectHandle* message_key = message_keys_.Find(id);
  if (message_key == nullptr) {
    ASSIGN_OR_RETURN(const ObjectHandle derived,
                     DeriveMessageKey(sessions_, key, state->k1, id.p,
                                      message_key_template_));
    RETURN_IF_ERROR(Remember(id, derived));
    message_key = message_keys_.Find(id);
  }
  // Counted before the use: a failed call may have used the pair.
  ++state->messages;
  Iv iv;
  base::RandomBytes(iv);
  return Reservation{.message_key = *message_key, .nonce = Join(id.p, iv)};
}

base::Result<Sealed> Xaes::SealReserved(const Reservation& reservation,
                                        base::ByteView aad,
                                        base::ByteView plaintext) {
  const Nonce& nonce = reservation.nonce;
  ASSIGN_OR_RETURN(GcmSealed sealed,
                   InUse(SealGcm(sessions_, reservation.message_key,
                                 IvOf(nonce), aad, plaintext)));
  return Sealed{.nonce = WithIv(nonce, sealed.iv),
                .ciphertext = std::move(sealed.ciphertext)};
}

base::Result<Sealed> Xaes::Seal(const Locator& locator, ObjectHandle key,
                                base::ByteView aad, base::ByteView plaintext) {
  ASSIGN_OR_RETURN(const Reservation reservation, Reserve(locator, key));
  return SealReserved(reservation, aad, plaintext);
}

base::Result<base::Secret> Xaes::Open(const Locator& locator, ObjectHandle key,
                                      base::ByteView aad,
                                      const Sealed& sealed) {
  const MessageKeyId id{.locator = locator, .p = PrefixOf(sealed.nonce)};
  if (ObjectHandle* message_key = message_keys_.Find(id)) {
    return InUse(OpenGcm(sessions_, *message_key, IvOf(sealed.nonce), aad,
                         sealed.ciphertext));
  }
  return OpenAnew(id, key, aad, sealed);
}

// Remembers the message key only if it opened something, so that forged
// ciphertexts cannot push useful keys out.
base::Result<base::Secret> Xaes::OpenAnew(const MessageKeyId& id,
                                          ObjectHandle key, base::ByteView aad,
                                          const Sealed& sealed) {
  ASSIGN_OR_RETURN(KeyState* const state, StateOf(id.locator, key));
  ASSIGN_OR_RETURN(
      const ObjectHandle message_key,
      DeriveMessageKey(sessions_, key, state->k1, id.p, message_key_template_));
  auto plaintext = InUse(OpenGcm(sessions_, message_key, IvOf(sealed.nonce),
                                 aad, sealed.ciphertext));
  if (plaintext.has_value()) {
    RETURN_IF_ERROR(Remember(id, message_key));
  } else {
    RETURN_IF_ERROR(Drop(message_key));
  }
  return plaintext;
}

base::Result<CheckValue> Xaes::SelfTest(ObjectHandle key) {
  ASSIGN_OR_RETURN(const base::Secret k1, DeriveK1(sessions_, key));
  P12 p;
  base::RandomBytes(p);
  ASSIGN_OR_RETURN(
      const ObjectHandle message_key,
      DeriveMessageKey(sessions_, key, k1, p, message_key_template_));
  Iv iv;
  base::RandomBytes(iv);
  const auto works = RoundTrip(sessions_, message_key, iv, p);
  RETURN_IF_ERROR(Drop(message_key));
  RETURN_IF_ERROR(InUse(works));
  return DeriveCheckValue(sessions_, key, k1);
}

base::Status Xaes::Forget(const Locator& locator) {
  states_.RemoveIf([&](const Locator& each) { return each == locator; });
  return DropMessageKeys(
      [&](const MessageKeyId& id) { return id.locator == locator; });
}

base::Status Xaes::ForgetMessageKeys() {
  return DropMessageKeys([](const MessageKeyId&) { return true; });
}

template <typename Condition>
base::Status Xaes::DropMessageKeys(Condition condition) {
  base::Status status;
  for (const ObjectHandle message_key : message_keys_.RemoveIf(condition)) {
    if (auto dropped = Drop(message_key); !dropped.has_value()) {
      status = std::move(dropped);
    }
  }
  return status;
}

}  // namespace hsm::token
