// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_ATTRIBUTES_H_
#define HSM_TOKEN_ATTRIBUTES_H_

#include <array>
#include <cstdint>

#include "hsm/messages.h"
#include "hsm/token/profile.h"
#include "hsm/token/template.h"

// The templates of every object that we make: private (SoftHSM stores others in
// clear), sensitive, not extractable, not copyable, not modifiable, and with no
// usage but the one it is for. Exceptions say so.
namespace hsm::token {

inline constexpr std::string_view kLabel = "claviger";
inline constexpr CK_ULONG kAesKeySize = 32;
inline constexpr std::array<std::uint8_t, 3> kPublicExponent = {1, 0, 1};

// A material of a KMS key, on the token. kXaes256Gcm: it can derive by
// CKM_AES_ECB_ENCRYPT_DATA and nothing else. kAes256GcmCounter: AES-GCM only,
// and CKM_AES_ECB if it must (AttributeSupport).
Template KeyTemplate(const KeyRef& key, const AttributeSupport& support);

// A session key that can only encrypt and decrypt by AES-GCM: a derived
// message key.
Template MessageKeyTemplate(const AttributeSupport& support);

// A session secret of `size` bytes that can be read and do nothing: the bytes
// of a derivation that are not a key.
Template ReadableTemplate(CK_ULONG size);

// An HMAC key. Without a copy in a session, which would be faster: SoftHSM
// copies only what is modifiable.
Template MacKeyTemplate(const KeyRef& key, const AttributeSupport& support);

// One of the two, by the algorithm.
Template SecretTemplate(const KeyRef& key, const AttributeSupport& support);

// The same as a session object, of which a copy becomes a token object
// (PrivateCopyTemplate): SoftHSM unwraps only what is modifiable, and such a
// copy is not.
Template SessionSecretTemplate(const KeyRef& key,
                               const AttributeSupport& support);

// A key that wraps others by `mechanism`. Whatever it unwraps is private,
// sensitive and not extractable, which its CKA_UNWRAP_TEMPLATE says. One that
// is `shareable` is extractable, but only a trusted key may wrap it.
Template WrappingKeyTemplate(const KeyRef& key, CK_MECHANISM_TYPE mechanism,
                             const AttributeSupport& support,
                             bool shareable = false);

// A new secret key as a session object that can be wrapped, once, and do
// nothing; what is unwrapped then is a SessionSecretTemplate.
Template WrappableSecretTemplate(const KeyRef& key,
                                 const AttributeSupport& support);

// A session AES key that can do nothing but unwrap by `mechanism`.
Template UnwrappingTemplate(CK_MECHANISM_TYPE mechanism,
                            const AttributeSupport& support);

// For the length of a secret in the token, which may not tell it: a session key
// that can do nothing but wrap, and a session secret that can do nothing but be
// wrapped. What comes out says how long it is, and nothing else to whoever does
// not have the key.
Template MeasuringTemplate(CK_MECHANISM_TYPE mechanism,
                           const AttributeSupport& support);
Template MeasuredTemplate();

// The halves of a new pair. The public one is a session object, and is gone
// when it has been read.
Template PublicTemplate(const KeyRef& key);
Template PrivateTemplate(const KeyRef& key, const AttributeSupport& support);

// The private half as a session object, for a pair whose generation takes
// seconds, in which the token's files must not be in motion, or that is
// unwrapped; and the changes that make its copy a token object. That stays
// copyable: SoftHSM has no way to forbid it so late.
Template SessionPrivateTemplate(const KeyRef& key,
                                const AttributeSupport& support);
Template PrivateCopyTemplate();

// All token objects; those with this locator.
Template AllObjects();
Template ObjectsWithId(const Locator& locator);

}  // namespace hsm::token

#endif  // HSM_TOKEN_ATTRIBUTES_H_
