// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_KEY_TEMPLATE_H_
#define PKCS11_MODULE_KEY_TEMPLATE_H_

#include <string>

#include "pkcs11/algorithms.h"
#include "pkcs11/module/answer.h"
#include "pkcs11/module/attributes.h"

namespace pkcs11::module {

// The key of the KMS that the templates of C_GenerateKey or C_GenerateKeyPair
// ask for, if they ask for one with CKA_TOKEN: that is the caller's to know.
struct NewKey {
  const KeySpec* spec = nullptr;
  Usage usage = Usage::kSignVerify;
  std::string label;     // Empty: none is wanted.
  base::WipingBytes id;  // Likewise.
};

// Reads the templates as programs really send them: they ask for more uses than
// a key of the KMS can have, so that signing wins over decryption, and that
// over key agreement. What the private key's template says of its uses wins
// over the public key's. Fails with
//   CKR_MECHANISM_INVALID         the mechanism makes no such keys;
//   CKR_TEMPLATE_INCOMPLETE       it is not said how long or on what curve;
//   those of CheckNewKey          (template_check.h);
//   CKR_KEY_SIZE_RANGE, CKR_CURVE_NOT_SUPPORTED, CKR_ATTRIBUTE_VALUE_INVALID
//                                 the KMS has none of that kind;
//   CKR_TEMPLATE_INCONSISTENT     the templates contradict that, or leave no
//                                 use that such a key has.
Answer<NewKey> ReadPairTemplates(CK_MECHANISM_TYPE type,
                                 const AttributeSet& public_key,
                                 const AttributeSet& private_key);
Answer<NewKey> ReadSecretTemplate(CK_MECHANISM_TYPE type,
                                  const AttributeSet& secret_key);

// The spec alone, for pairs of sessions, which may have any uses, or none.
Answer<const KeySpec*> ReadPairSpec(CK_MECHANISM_TYPE type,
                                    const AttributeSet& public_key,
                                    const AttributeSet& private_key);

// The spec of keys of a type on the curve of CKA_EC_PARAMS. Fails with
// CKR_TEMPLATE_INCOMPLETE or CKR_CURVE_NOT_SUPPORTED.
Answer<const KeySpec*> CurveSpec(CK_KEY_TYPE type,
                                 const AttributeSet& public_key);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_KEY_TEMPLATE_H_
