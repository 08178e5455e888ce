// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_PKCS11_TOKEN_H_
#define HSM_TOKEN_PKCS11_TOKEN_H_

#include <memory>
#include <set>

#include "hsm/algorithms.h"
#include "hsm/token/canary.h"
#include "hsm/token/connection.h"
#include "hsm/token/key_cipher.h"
#include "hsm/token/key_maker.h"
#include "hsm/token/object_index.h"
#include "hsm/token/pin_check.h"
#include "hsm/token/profile.h"
#include "hsm/token/token.h"
#include "hsm/token/wrapped_keys.h"

namespace hsm::token {

Capabilities CapabilitiesOf(const TokenIdentity& token, const Profile& profile);

// Pkcs11Token is the Token: it finds the object of each request, has what suits
// the algorithm use it, and decides what a failure means.
class Pkcs11Token final : public Token {
 public:
  Pkcs11Token(std::unique_ptr<Connection> connection, Canary canary,
              Profile profile, PinCheck pin, const base::Clock& clock);

  // Fills the index of objects. Call once, first.
  base::Status Start();

  base::Result<GenerateKeyReply> Execute(const GenerateKeyRequest&) override;
  base::Result<Sealed> Execute(const EncryptRequest&) override;
  base::Result<PlaintextReply> Execute(const DecryptRequest&) override;
  base::Result<GenerateDataKeyReply> Execute(
      const GenerateDataKeyRequest&) override;
  base::Result<Sealed> Execute(const ReEncryptRequest&) override;
  base::Result<PlaintextReply> Execute(const RandomRequest&) override;
  base::Result<EmptyReply> Execute(const DestroyKeyRequest&) override;
  base::Result<EmptyReply> Execute(const EvictKeyRequest&) override;
  base::Result<GenerateKeyReply> Execute(const CheckKeyRequest&) override;
  base::Result<EmptyReply> Execute(const HealthRequest&) override;
  base::Result<Capabilities> Execute(const CapabilitiesRequest&) override;
  base::Result<ListKeysReply> Execute(const ListKeysRequest&) override;
  base::Result<GenerateKeyPairReply> Execute(
      const GenerateKeyPairRequest&) override;
  base::Result<SignReply> Execute(const SignRequest&) override;
  base::Result<MacReply> Execute(const MacRequest&) override;
  base::Result<PlaintextReply> Execute(const AgreeRequest&) override;
  base::Result<PlaintextReply> Execute(const RsaDecryptRequest&) override;
  base::Result<GenerateDataKeyPairReply> Execute(
      const GenerateDataKeyPairRequest&) override;
  base::Result<ImportKeyReply> Execute(const ImportKeyRequest&) override;
  base::Result<ImportRouteReply> Execute(const ImportRouteRequest&) override;
  base::Result<GenerateWrappedKeyReply> Execute(
      const GenerateWrappedKeyRequest&) override;
  base::Result<SealExternalReply> Execute(const SealExternalRequest&) override;
  base::Result<PlaintextReply> Execute(const OpenExternalRequest&) override;
  base::Result<MakeTransportKeyReply> Execute(
      const MakeTransportKeyRequest&) override;
  base::Result<ShareWrappingKeyReply> Execute(
      const ShareWrappingKeyRequest&) override;
  base::Result<EmptyReply> Execute(const ReceiveWrappingKeyRequest&) override;
  base::Result<CheckPinReply> Execute(const CheckPinRequest&) override;
  base::Result<EmptyReply> Execute(const KeepWrappedKeyRequest&) override;

 private:
  Workshop Here() { return {*connection_, profile_, index_, cipher_}; }
  // On the token, or of this process's sessions if it is wrapped.
  base::Result<ObjectHandle> Find(const KeyRef& key);
  base::Result<ObjectHandle> FindOnce(const KeyRef& key);
  // Makes sure that what is remembered of a locator is of this wrapped key.
  base::Status Recognise(const KeyRef& key);
  base::Status Forget(const Locator& locator);

  // Whether the key is for that, and this token can do it.
  base::Status CheckUse(const KeyRef& key, KeyUse use) const;
  base::Status CheckIsResidentWrappingKey(const KeyRef& key) const;

  // Calls `use` with the object of `key`. After a failure that may be one of a
  // stale handle or a passing one, everything remembered of the key goes and
  // `use` is called once more; if the token lives and the key still does not
  // work, that is kCorrupt, and kThrottled if the token has no memory for it.
  template <typename Use>
  auto WithKey(const KeyRef& key, Use use) -> decltype(use(ObjectHandle{}));
  template <typename Use>
  auto Try(const KeyRef& key, Use& use) -> decltype(use(ObjectHandle{}));

  // What `make` returns. If the token lacks memory, `make` is called once more
  // when the session objects that can be made again are gone.
  template <typename Make>
  auto WithRoom(Make make) -> decltype(make());
  // The same of what is new. A token that stayed full is left as it is for a
  // while: whoever may create keys must not have the others' let go of with
  // each attempt.
  template <typename Make>
  auto MakeNew(Make make) -> decltype(make());
  base::Status MakeRoom();

  // `result`, or kHsmUnavailable if it failed because the token is dead.
  template <typename T>
  base::Result<T> Alive(base::Result<T> result);

  // The Error of a `use` that is not worth repeating: kInvalidCiphertext only
  // if the token lives.
  base::Error Final(base::Error error);

  base::Result<Sealed> Seal(const KeyRef& key, Counter counter, const Aad& aad,
                            base::ByteView plaintext);
  base::Result<base::Secret> Open(const KeyRef& key, const Aad& aad,
                                  const Sealed& sealed);
  base::Result<base::Secret> Random(std::size_t size);

  // Fails with kInvalidArgument if the key is one of those that unwrap what is
  // imported, whatever the request calls it: that never leaves the worker.
  base::Status CheckGivesPlaintext(const KeyRef& key, ObjectHandle object);
  base::Result<CheckValue> SelfTest(Algorithm algorithm, ObjectHandle object);

  const base::Clock& clock_;
  std::unique_ptr<Connection> connection_;
  Profile profile_;
  Canary canary_;
  PinCheck pin_;
  ObjectIndex index_;
  KeyCipher cipher_;
  WrappedKeys wrapped_;
  std::set<Locator> gives_plaintext_;  // RSA keys that passed the check.
  // Until then nothing is let go of for what is new, or not logged.
  base::MonotonicTime full_until_ = base::MonotonicTime::min();
  base::MonotonicTime logged_until_ = base::MonotonicTime::min();
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_PKCS11_TOKEN_H_
