// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_KEY_USE_H_
#define PKCS11_MODULE_KEY_USE_H_

#include <cstring>
#include <optional>

#include "pkcs11/algorithms.h"
#include "pkcs11/module/answer.h"
#include "pkcs11/module/object.h"

// What every kind of operation asks of its key and its mechanism.
namespace pkcs11::module {

// Whether `object` may be used with `mechanism`, of the kind that has `flag`
// (CKF_SIGN), for `use` (CKA_SIGN). Fails with CKR_MECHANISM_INVALID,
// CKR_KEY_TYPE_INCONSISTENT or CKR_KEY_FUNCTION_NOT_PERMITTED. The parameter is
// not looked at.
Answer<const Mechanism*> CheckKeyMayUse(const Object& object,
                                        const CK_MECHANISM& mechanism,
                                        CK_FLAGS flag, CK_ATTRIBUTE_TYPE use);

// Whether a CKA_ALLOWED_MECHANISMS lists the mechanism.
bool Lists(base::ByteView mechanisms, CK_MECHANISM_TYPE type);

inline bool HasNoParameter(const CK_MECHANISM& mechanism) {
  return mechanism.ulParameterLen == 0;
}

// A parameter by value: callers' structures need not be aligned. Nothing if it
// has another size.
template <typename T>
std::optional<T> ParameterOf(const CK_MECHANISM& mechanism) {
  if (mechanism.pParameter == nullptr ||
      mechanism.ulParameterLen != sizeof(T)) {
    return std::nullopt;
  }
  T parameter;
  std::memcpy(&parameter, mechanism.pParameter, sizeof(T));
  return parameter;
}

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_KEY_USE_H_
