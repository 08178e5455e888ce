// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_SOFT_DATA_KEY_H_
#define PKCS11_MODULE_SOFT_DATA_KEY_H_

#include "pkcs11/kms.h"
#include "pkcs11/module/answer.h"
#include "pkcs11/module/object.h"
#include "pkcs11/p11_v3.h"

namespace pkcs11::module {

// The secret key of CKM_KMS_DATA_KEY_GEN: a session's own, made by the KMS
// (GenerateDataKey) under `key`, with the ciphertext in
// CKA_KMS_CIPHERTEXT_BLOB. Without CKA_VALUE_LEN it has 32 bytes. Fails as
// CheckKeyMayUse and CheckSecretKeyTemplate do, and with
// CKR_MECHANISM_PARAM_INVALID.
Answer<Object> GenerateDataKey(const Object& key,
                               const CK_KMS_DATA_KEY_PARAMS& parameter,
                               const AttributeSet& wanted, Kms& kms);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_SOFT_DATA_KEY_H_
