// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_TOKEN_H_
#define HSM_TOKEN_TOKEN_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "hsm/messages.h"

namespace hsm::token {

// Which token to open, and how.
struct TokenConfig {
  std::string module;     // Path of the PKCS#11 module.
  std::string token_uri;  // RFC 7512, "pkcs11:token=...;serial=...".
  base::Secret pin;       // CKU_USER.
  std::string quirks;     // Name of a profile, or empty: recognise by itself.
  std::string lock_dir;   // For tokens that have no directory of their own.
  std::string module_parameters;  // For modules that want them: NSS.
  // Thefts that the token may allow, by name (risks.h).
  std::vector<std::string> accept_risks;
  // It is to guard a store: one without AES-GCM is refused.
  bool must_encrypt = false;
  // Called when C_Login has answered that it does not take the PIN, before any
  // other function of the module, which may crash or hang; not if the token
  // only says of itself that its PIN is locked or close to it, so that there
  // was no try. Or null.
  std::function<void()> on_pin_refused;
};

// A Token executes the requests of hsm/messages.h on one PKCS#11 token. It is
// logged in once, from Open to destruction, and lives in a worker process.
//
// Not thread-safe. Errors: kNotFound (no such object), kInvalidCiphertext,
// kInvalidArgument (a request that its contract forbids),
// kUnsupportedOperation (the token's profile lacks it), kHsmUnavailable (the
// token is gone or logged out: end the process and start another), kCorrupt.
class Token {
 public:
  // Loads the module, finds the token, logs in (under the token directory's
  // lock, after a durable copy of a SoftHSM token.object) and probes it. Fails
  // with kUnsupportedOperation and the reason if the token allows a theft that
  // is not accepted, and with kAccessDenied if it refuses the PIN, or is
  // locked or close to it: trying again, or in another worker, would only lock
  // the token. kInvalidArgument and kNotFound are the configuration's; the
  // message says what to mend.
  static base::Result<std::unique_ptr<Token>> Open(TokenConfig config,
                                                   const base::Clock& clock);
  virtual ~Token() = default;

  virtual base::Result<GenerateKeyReply> Execute(const GenerateKeyRequest&) = 0;
  virtual base::Result<Sealed> Execute(const EncryptRequest&) = 0;
  virtual base::Result<PlaintextReply> Execute(const DecryptRequest&) = 0;
  virtual base::Result<GenerateDataKeyReply> Execute(
      const GenerateDataKeyRequest&) = 0;
  virtual base::Result<Sealed> Execute(const ReEncryptRequest&) = 0;
  virtual base::Result<PlaintextReply> Execute(const RandomRequest&) = 0;
  virtual base::Result<EmptyReply> Execute(const DestroyKeyRequest&) = 0;
  virtual base::Result<EmptyReply> Execute(const EvictKeyRequest&) = 0;
  virtual base::Result<GenerateKeyReply> Execute(const CheckKeyRequest&) = 0;
  virtual base::Result<EmptyReply> Execute(const HealthRequest&) = 0;
  virtual base::Result<Capabilities> Execute(const CapabilitiesRequest&) = 0;
  virtual base::Result<ListKeysReply> Execute(const ListKeysRequest&) = 0;
  virtual base::Result<GenerateKeyPairReply> Execute(
      const GenerateKeyPairRequest&) = 0;
  virtual base::Result<SignReply> Execute(const SignRequest&) = 0;
  virtual base::Result<MacReply> Execute(const MacRequest&) = 0;
  virtual base::Result<PlaintextReply> Execute(const AgreeRequest&) = 0;
  virtual base::Result<PlaintextReply> Execute(const RsaDecryptRequest&) = 0;
  virtual base::Result<GenerateDataKeyPairReply> Execute(
      const GenerateDataKeyPairRequest&) = 0;
  virtual base::Result<ImportKeyReply> Execute(const ImportKeyRequest&) = 0;
  virtual base::Result<ImportRouteReply> Execute(const ImportRouteRequest&) = 0;
  virtual base::Result<GenerateWrappedKeyReply> Execute(
      const GenerateWrappedKeyRequest&) = 0;
  virtual base::Result<SealExternalReply> Execute(
      const SealExternalRequest&) = 0;
  virtual base::Result<PlaintextReply> Execute(const OpenExternalRequest&) = 0;
  virtual base::Result<MakeTransportKeyReply> Execute(
      const MakeTransportKeyRequest&) = 0;
  virtual base::Result<ShareWrappingKeyReply> Execute(
      const ShareWrappingKeyRequest&) = 0;
  virtual base::Result<EmptyReply> Execute(
      const ReceiveWrappingKeyRequest&) = 0;
  virtual base::Result<EmptyReply> Execute(const KeepWrappedKeyRequest&) = 0;
  virtual base::Result<CheckPinReply> Execute(const CheckPinRequest&) = 0;
  // What asks an XKS proxy has no token, and the other way round.
  base::Result<XksReply> Execute(const XksRequest&) const {
    return base::Error{base::ErrorCode::kUnsupportedOperation,
                       "a token asks no XKS proxy"};
  }
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_TOKEN_H_
