// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_WRAPPED_KEYS_H_
#define HSM_TOKEN_WRAPPED_KEYS_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "hsm/algorithms.h"
#include "hsm/messages.h"
#include "hsm/token/key_maker.h"
#include "hsm/token/lru.h"
#include "hsm/token/session_object.h"

namespace hsm::token {

// WrappedKeys makes and uses the keys of the placement `wrapped`: those that
// are no objects of the token, but are unwrapped into session objects by a
// wrapping key that is one. It keeps the most recently used unwrapped; each is
// known to be the key that its row says before it is used.
//
// Not thread-safe; what it works on must outlive it. Errors:
// kUnsupportedOperation (this token cannot), kCorrupt (what is to be unwrapped
// is not what the wrapping key made, or another key than it should be),
// kNotFound (no such wrapping key, or a key that was evicted).
class WrappedKeys {
 public:
  static constexpr std::size_t kMaxUnwrapped = 2048;  // 18 MB on SoftHSM.
  static constexpr std::size_t kMaxKnown = 8192;

  explicit WrappedKeys(Workshop workshop) : workshop_(workshop) {}

  // Everything that is remembered of a key is remembered by its locator, which
  // whoever asks can choose. So it is known which wrapped key a locator last
  // was; before it is noted as another, all of it must be forgotten.
  enum class Match : std::uint8_t { kUnknown, kSame, kOther };
  Match Compare(const KeyRef& key);
  // Returns a locator that must be forgotten to make room.
  std::optional<Locator> Note(const KeyRef& key);

  // The session object of `key`, which is wrapped and noted.
  base::Result<ObjectHandle> Unwrapped(const KeyRef& key);

  base::Result<GenerateWrappedKeyReply> Generate(
      const GenerateWrappedKeyRequest& request);

  // Whether this token can hold such a key so.
  base::Status CheckCanHold(Algorithm algorithm) const;

  // Makes a wrapped key of `extractable`, a session object that is then gone,
  // and sees that it comes back and works. `public_key` of key pairs.
  base::Result<GenerateWrappedKeyReply> Keep(
      const GenerateWrappedKeyRequest& request,
      std::unique_ptr<SessionObject> extractable, base::Bytes public_key);

  // Makes the key an object of the token. As KeepWrappedKeyRequest says.
  base::Status Keep(const KeepWrappedKeyRequest& request);

  // Destroys the session object of a key, and what was noted of it. Fails if
  // the token kept it.
  base::Status Forget(const Locator& locator);

  // Destroys all session objects: they are unwrapped again when they are used.
  base::Status ForgetObjects();

  // The key is not unwrapped any more by this process: its deletion is about to
  // be acknowledged, and a request that was on its way must not bring it back.
  void NeverAgain(const Locator& locator) {
    if (gone_.Find(locator) == nullptr) {
      gone_.Insert(locator, {});
    }
  }

  std::size_t size() const { return unwrapped_.size(); }

 private:
  struct LocatorHash {
    std::size_t operator()(const Locator& locator) const;
  };

  // What a locator was when it was last used.
  struct Known {
    Locator locator;
    Algorithm algorithm;
    std::shared_ptr<const WrappedKey> wrapped;
  };
  struct Gone {};

  // Uses a new key for what it is for, and tells its check value.
  base::Result<CheckValue> CheckWorks(const KeyRef& key,
                                      const AlgorithmRow& row,
                                      ObjectHandle object);
  // Whether an object, of the token or not, works and is the key of its row.
  base::Status CheckWorksAs(const KeyRef& key, const AlgorithmRow& row,
                            ObjectHandle object);
  base::Status CheckCanKeep(const KeepWrappedKeyRequest& request);
  base::Result<ObjectHandle> Unwrap(const KeyRef& key);
  template <typename Condition>
  base::Status DestroyObjects(Condition condition);
  base::Status CheckIsTheKey(const KeyRef& key, ObjectHandle object);
  base::Status CheckIsThePair(const KeyRef& key, const AlgorithmRow& row,
                              ObjectHandle object);
  base::Result<std::unique_ptr<SessionObject>> GenerateSecret(
      const KeyRef& key);
  base::Result<base::Bytes> Wrap(const Locator& wrapping_key,
                                 ObjectHandle object);
  Sessions& sessions() { return workshop_.connection.sessions(); }

  Workshop workshop_;
  Lru<Locator, ObjectHandle, LocatorHash> unwrapped_{kMaxUnwrapped};
  Lru<Locator, Known, LocatorHash> known_{kMaxKnown};
  // Far more than can be on their way.
  Lru<Locator, Gone, LocatorHash> gone_{65'536};
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_WRAPPED_KEYS_H_
