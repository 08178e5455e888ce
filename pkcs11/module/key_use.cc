// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/key_use.h"

namespace pkcs11::module {

Answer<const Mechanism*> CheckKeyMayUse(const Object& object,
                                        const CK_MECHANISM& mechanism,
                                        CK_FLAGS flag, CK_ATTRIBUTE_TYPE use) {
  const Mechanism* const row = FindMechanism(mechanism.mechanism);
  if (row == nullptr || (row->flags & flag) == 0) {
    return Failure(CKR_MECHANISM_INVALID);
  }
  const Key& key = *object.key;
  if (row->key_type != key.spec->type) {
    return Failure(CKR_KEY_TYPE_INCONSISTENT);
  }
  if (!Fits(*row, *key.spec, key.usage) || !object.attributes.IsTrue(use)) {
    return Failure(CKR_KEY_FUNCTION_NOT_PERMITTED);
  }
  return row;
}

}  // namespace pkcs11::module
