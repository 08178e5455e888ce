// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/key_use.h"

namespace pkcs11::module {
namespace {

Status CheckSessionKey(const Object& object, const Mechanism& row,
                       CK_ATTRIBUTE_TYPE use) {
  const std::optional<CK_ULONG> type = object.attributes.Number(CKA_KEY_TYPE);
  if (!type.has_value() || !FitsSessionKey(row, *type)) {
    return Failure(CKR_KEY_TYPE_INCONSISTENT);
  }
  const base::WipingBytes* const allowed =
      object.attributes.Find(CKA_ALLOWED_MECHANISMS);
  if (!object.attributes.IsTrue(use) || allowed == nullptr ||
      !Lists(*allowed, row.type)) {
    return Failure(CKR_KEY_FUNCTION_NOT_PERMITTED);
  }
  return {};
}

}  // namespace

bool Lists(base::ByteView mechanisms, CK_MECHANISM_TYPE type) {
  for (; mechanisms.size() >= sizeof(type);
       mechanisms = mechanisms.subspan(sizeof(type))) {
    CK_MECHANISM_TYPE each = 0;
    std::memcpy(&each, mechanisms.data(), sizeof(each));
    if (each == type) {
      return true;
    }
  }
  return false;
}

Answer<const Mechanism*> CheckKeyMayUse(const Object& object,
                                        const CK_MECHANISM& mechanism,
                                        CK_FLAGS flag, CK_ATTRIBUTE_TYPE use) {
  const Mechanism* const row = FindMechanism(mechanism.mechanism);
  if (row == nullptr || (row->flags & flag) == 0) {
    return Failure(CKR_MECHANISM_INVALID);
  }
  if (object.of_session) {
    RETURN_IF_FAILED(CheckSessionKey(object, *row, use));
    return row;
  }
  const Key& key = *object.key;
  if (row->key_type != key.spec->type) {
    return Failure(CKR_KEY_TYPE_INCONSISTENT);
  }
  if (!Fits(*row, *key.spec, key.usage) || !object.attributes.IsTrue(use)) {
    return Failure(CKR_KEY_FUNCTION_NOT_PERMITTED);
  }
  // Also what would be done here: who encrypts for a key that goes loses data.
  if (key.state != "Enabled") {
    return Failure(CKR_KEY_FUNCTION_NOT_PERMITTED,
                   key.arn + " is " + key.state);
  }
  return row;
}

}  // namespace pkcs11::module
