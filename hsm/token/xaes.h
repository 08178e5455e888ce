// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_XAES_H_
#define HSM_TOKEN_XAES_H_

#include <chrono>
#include <optional>

#include "base/clock.h"
#include "hsm/messages.h"
#include "hsm/token/lru.h"
#include "hsm/token/profile.h"
#include "hsm/token/sessions.h"
#include "hsm/token/template.h"
#include "hsm/token/xaes_derivation.h"

namespace hsm::token {

// Xaes is XAES-256-GCM with derive-only keys on the token (kXaes256Gcm), made
// fast by remembering: for each key its K1 and the P in use for encryption, and
// the derived message keys, which are session objects. Encryption with a known
// P costs one AES-GCM call of the token.
//
// A P is random, serves one key in one worker, and at most 2^16 messages or 60
// s; the other half of the nonce is random for every message, by us or by the
// token (ivs.h). So there is no counter that anything could set back, and a
// (message key, IV) pair repeats with probability below 2^-64 in the life of a
// P.
//
// Not thread-safe. `sessions` and `clock` must outlive it. Everything it
// remembers dies with the anchor session.
class Xaes {
 public:
  static constexpr std::size_t kMaxKeys = 4096;         // With K1 in memory.
  static constexpr std::size_t kMaxMessageKeys = 4096;  // 36 MB on SoftHSM.
  static constexpr std::uint32_t kMessagesPerP = 1 << 16;
  static constexpr std::chrono::seconds kLifeOfP{60};

  Xaes(Sessions& sessions, const base::Clock& clock,
       const AttributeSupport& support);

  // `key` is the object with this locator. Failures are the token's (CodeOf),
  // gcm.h's, and kHsmUnavailable if the token has lost our message keys.
  base::Result<Sealed> Seal(const Locator& locator, ObjectHandle key,
                            base::ByteView aad, base::ByteView plaintext);
  base::Result<base::Secret> Open(const Locator& locator, ObjectHandle key,
                                  base::ByteView aad, const Sealed& sealed);

  // Seal in two steps, for an AAD that holds a part of the nonce. What Reserve
  // gives is for one SealReserved, before anything else is asked of this Xaes;
  // the half that is the IV may become another then.
  struct Reservation {
    ObjectHandle message_key;
    Nonce nonce{};
  };
  base::Result<Reservation> Reserve(const Locator& locator, ObjectHandle key);
  base::Result<Sealed> SealReserved(const Reservation& reservation,
                                    base::ByteView aad,
                                    base::ByteView plaintext);

  // Uses `key` without remembering anything of it: derives, encrypts and
  // decrypts. Returns its check value; fails with kCorrupt if what comes back
  // is not what went in.
  base::Result<CheckValue> SelfTest(ObjectHandle key);

  // Destroys the message keys of `locator` and forgets its K1 and P. Fails if
  // the token kept a message key.
  base::Status Forget(const Locator& locator);

  // Destroys all message keys. What is remembered of keys stays.
  base::Status ForgetMessageKeys();

  std::size_t message_keys() const { return message_keys_.size(); }

 private:
  struct KeyState {
    base::Secret k1;
    P12 p{};
    std::uint32_t messages = kMessagesPerP;  // Under p. At first: spent.
    base::MonotonicTime since{};
  };
  struct LocatorHash {
    std::size_t operator()(const Locator& locator) const;
  };
  struct MessageKeyId {
    Locator locator;
    P12 p{};
    bool operator==(const MessageKeyId&) const = default;
  };
  struct MessageKeyIdHash {
    std::size_t operator()(const MessageKeyId& id) const;
  };

  base::Result<KeyState*> StateOf(const Locator& locator, ObjectHandle key);
  void RenewIfSpent(KeyState& state);
  base::Result<ObjectHandle> Remember(const MessageKeyId& id,
                                      ObjectHandle message_key);
  base::Status Drop(ObjectHandle message_key);
  template <typename Condition>
  base::Status DropMessageKeys(Condition condition);
  base::Result<base::Secret> OpenAnew(const MessageKeyId& id, ObjectHandle key,
                                      base::ByteView aad, const Sealed& sealed);

  Sessions& sessions_;
  const base::Clock& clock_;
  Template message_key_template_;
  Lru<Locator, KeyState, LocatorHash> states_{kMaxKeys};
  Lru<MessageKeyId, ObjectHandle, MessageKeyIdHash> message_keys_{
      kMaxMessageKeys};
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_XAES_H_
