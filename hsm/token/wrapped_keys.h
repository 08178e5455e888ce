// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_WRAPPED_KEYS_H_
#define HSM_TOKEN_WRAPPED_KEYS_H_

#include <set>

#include "hsm/algorithms.h"
#include "hsm/messages.h"
#include "hsm/token/key_maker.h"
#include "hsm/token/lru.h"

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

  explicit WrappedKeys(Workshop workshop) : workshop_(workshop) {}

  // The session object of `key`, which is wrapped.
  base::Result<ObjectHandle> Unwrapped(const KeyRef& key);

  base::Result<GenerateWrappedKeyReply> Generate(
      const GenerateWrappedKeyRequest& request);

  // Destroys the session object of a key. Fails if the token kept it.
  base::Status Forget(const Locator& locator);

  // The key is not unwrapped any more, whoever asks: its deletion is about to
  // be acknowledged, and a request that was on its way must not bring it back.
  void NeverAgain(const Locator& locator) { gone_.insert(locator); }

  std::size_t size() const { return unwrapped_.size(); }

 private:
  struct LocatorHash {
    std::size_t operator()(const Locator& locator) const;
  };

  base::Result<ObjectHandle> Unwrap(const KeyRef& key);
  base::Status CheckIsTheKey(const KeyRef& key, ObjectHandle object);
  base::Status CheckIsThePair(const KeyRef& key, const AlgorithmRow& row,
                              ObjectHandle object);
  base::Result<GenerateWrappedKeyReply> GenerateSecret(
      const GenerateWrappedKeyRequest& request);
  base::Result<GenerateWrappedKeyReply> GeneratePair(
      const GenerateWrappedKeyRequest& request);
  base::Result<base::Bytes> Wrap(const Locator& wrapping_key,
                                 ObjectHandle object);
  Sessions& sessions() { return workshop_.connection.sessions(); }

  Workshop workshop_;
  Lru<Locator, ObjectHandle, LocatorHash> unwrapped_{kMaxUnwrapped};
  std::set<Locator> gone_;  // Of this process's time.
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_WRAPPED_KEYS_H_
