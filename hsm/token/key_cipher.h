// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_KEY_CIPHER_H_
#define HSM_TOKEN_KEY_CIPHER_H_

#include "base/clock.h"
#include "hsm/messages.h"
#include "hsm/token/profile.h"
#include "hsm/token/sessions.h"
#include "hsm/token/xaes.h"

namespace hsm::token {

// A KeyCipher encrypts and decrypts under a key by the algorithm it was made
// for (hsm::Algorithm). Where the token makes the IVs, a counter says no more
// than that the store has counted the message. Not thread-safe; what it is
// given must outlive it. Errors are those of xaes.h and gcm.h; kInvalidArgument
// for an unknown algorithm or the counter 0; kUnsupportedOperation for
// kXaes256Gcm on a token that cannot derive.
class KeyCipher {
 public:
  KeyCipher(Sessions& sessions, const base::Clock& clock,
            const Profile& profile);

  base::Result<Sealed> Seal(const KeyRef& key, ObjectHandle object,
                            Counter counter, const Aad& aad,
                            base::ByteView plaintext);
  base::Result<base::Secret> Open(const KeyRef& key, ObjectHandle object,
                                  const Aad& aad, const Sealed& sealed);

  // The same for external keys (external_cipher.h).
  base::Result<SealExternalReply> SealExternal(
      const SealExternalRequest& request, ObjectHandle object);
  base::Result<base::Secret> OpenExternal(const OpenExternalRequest& request,
                                          ObjectHandle object);

  // Uses the key, and returns its check value. Fails with kCorrupt if it does
  // not give back what it was given.
  base::Result<CheckValue> SelfTest(Algorithm algorithm, ObjectHandle object);

  // Whether this token can do `algorithm` at all.
  base::Status CheckSupported(Algorithm algorithm) const;

  base::Status Forget(const Locator& locator) { return xaes_.Forget(locator); }

  // Destroys the session objects that can be derived again.
  base::Status ForgetMessageKeys() { return xaes_.ForgetMessageKeys(); }
  std::size_t message_keys() const { return xaes_.message_keys(); }

 private:
  base::Result<CheckValue> SelfTestCounted(ObjectHandle object);

  Sessions& sessions_;
  Algorithm best_;
  Xaes xaes_;
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_KEY_CIPHER_H_
