// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_TRANSPORT_KEY_H_
#define HSM_TOKEN_TRANSPORT_KEY_H_

#include "hsm/messages.h"
#include "hsm/token/key_maker.h"

// The RSA pair under which a wrapping key comes to this token. It lives for the
// length of that ceremony.
namespace hsm::token {

// The CKA_ID of the one that a token has: "claviger transpo".
inline constexpr Locator kTransportKey = {{0x63, 0x6c, 0x61, 0x76, 0x69, 0x67,
                                           0x65, 0x72, 0x20, 0x74, 0x72, 0x61,
                                           0x6e, 0x73, 0x70, 0x6f}};
inline constexpr int kTransportKeyBits = 3072;

// The hash of RSAES-OAEP by which this token unwraps. kUnsupportedOperation if
// it cannot, or cannot hold wrapping keys.
base::Result<Hash> TransportHash(const Profile& profile);

// Makes the pair, or finds the one that is there and passes the test below; one
// that does not pass is destroyed and made anew.
base::Result<MakeTransportKeyReply> MakeTransportKey(Workshop workshop);

// The private key, tested. kNotFound, with what to do, if there is none.
base::Result<ObjectHandle> FindTransportKey(Workshop& workshop);

// Makes the object by unwrapping `wrapped` with the transport key, under the
// lock if it becomes one of the token. Not modifiable, where the token unwraps
// such.
Answer<ObjectHandle> UnwrapTransported(Session& session, Hash hash,
                                       ObjectHandle transport_key,
                                       base::ByteView wrapped,
                                       Template attributes);

// The private key's object with these attributes may do nothing but unwrap
// sensitive keys that leave only under trusted ones.
Template TransportKeyTemplate(const AttributeSupport& support);

// A wrapping key that comes so.
Template TransportedTemplate(const KeyRef& key, const Profile& profile,
                             bool shareable);

}  // namespace hsm::token

#endif  // HSM_TOKEN_TRANSPORT_KEY_H_
