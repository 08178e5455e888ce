// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_KEY_BATCH_H_
#define PKCS11_MODULE_KEY_BATCH_H_

#include <openssl/types.h>

#include <memory>
#include <vector>

#include "pkcs11/kms.h"
#include "pkcs11/module/key.h"
#include "pkcs11/module/token_options.h"

namespace pkcs11::module {

// The same as LoadKeys, by one operation of our own that tells all of many keys
// at once, with their certificates. Not for AWS KMS, which has no such
// operation. Fails as it does: kUnknownOperation and kAccessDenied say that
// standard operations may tell more.
base::Result<std::vector<std::shared_ptr<const Key>>> LoadKeysAtOnce(
    Kms& kms, OSSL_LIB_CTX* library, const TokenOptions& options,
    const std::vector<std::shared_ptr<const Key>>& known);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_KEY_BATCH_H_
