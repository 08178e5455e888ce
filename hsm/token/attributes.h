// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_ATTRIBUTES_H_
#define HSM_TOKEN_ATTRIBUTES_H_

#include "hsm/messages.h"
#include "hsm/token/profile.h"
#include "hsm/token/template.h"

// The templates of every object that we make: private (SoftHSM stores others in
// clear), sensitive, not extractable, not copyable, not modifiable, and with no
// usage but the one it is for.
namespace hsm::token {

inline constexpr std::string_view kLabel = "claviger";
inline constexpr CK_ULONG kAesKeySize = 32;

// A material of a KMS key, on the token. kXaes256Gcm: it can derive by
// CKM_AES_ECB_ENCRYPT_DATA and nothing else. kAes256GcmCounter: AES-GCM only.
Template KeyTemplate(const KeyRef& key, const AttributeSupport& support);

// A session key that can only encrypt and decrypt by AES-GCM: a derived
// message key.
Template MessageKeyTemplate(const AttributeSupport& support);

// A session secret of `size` bytes that can be read and do nothing: the bytes
// of a derivation that are not a key.
Template ReadableTemplate(CK_ULONG size);

// All token objects that are secret keys; the one with this locator.
Template AllSecretKeys();
Template SecretKeyWithId(const Locator& locator);

}  // namespace hsm::token

#endif  // HSM_TOKEN_ATTRIBUTES_H_
