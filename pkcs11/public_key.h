// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_PUBLIC_KEY_H_
#define PKCS11_PUBLIC_KEY_H_

#include <openssl/types.h>

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "pkcs11/owners.h"

// Public keys as the KMS has them: DER SubjectPublicKeyInfo.
namespace pkcs11 {

// The key that is all of `spki`; null if that is none. `library` is borrowed by
// the key. May leave errors in OpenSSL's queue.
PkeyOwner DecodeSpki(base::ByteView spki, OSSL_LIB_CTX* library);

// What makes keys of that type, "RSA", "RSA-PSS", "EC" or "ED25519", in
// `library`: of parts or new ones. Null if it has none. No engine of the host's
// has a part in it, unlike with EVP_PKEY_CTX_new_from_name() of the type.
PkeyContext MakerOf(std::string_view type, OSSL_LIB_CTX* library);

// Fails with kInternal.
base::Result<base::Bytes> SpkiOf(const EVP_PKEY* key);

}  // namespace pkcs11

#endif  // PKCS11_PUBLIC_KEY_H_
