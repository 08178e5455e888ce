// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/soft/secret_key.h"

#include <openssl/rand.h>

#include <algorithm>
#include <utility>

#include "pkcs11/algorithms.h"
#include "pkcs11/module/template_check.h"
#include "pkcs11/owners.h"

namespace pkcs11::module {
namespace {

Status CheckSize(CK_KEY_TYPE type, std::size_t size) {
  if (type == CKK_AES) {
    if (std::ranges::find(kAesKeyBytes, size) == kAesKeyBytes.end()) {
      return Failure(CKR_KEY_SIZE_RANGE);
    }
    return {};
  }
  if (type != CKK_GENERIC_SECRET && MacHash(type) == nullptr) {
    return Failure(CKR_ATTRIBUTE_VALUE_INVALID,
                   "sessions have AES, HMAC and generic secret keys only");
  }
  if (size == 0 || size > kMaxSecretBytes) {
    return Failure(CKR_KEY_SIZE_RANGE);
  }
  return {};
}

}  // namespace

Answer<Object> MakeSecretKey(const AttributeSet& wanted,
                             CK_KEY_TYPE default_type, const KeyOrigin& origin,
                             base::WipingBytes value) {
  RETURN_IF_FAILED(CheckNewObject(CKO_SECRET_KEY, wanted));
  if (wanted.Number(CKA_CLASS).value_or(CKO_SECRET_KEY) != CKO_SECRET_KEY ||
      wanted.Number(CKA_VALUE_LEN).value_or(value.size()) != value.size()) {
    return Failure(CKR_TEMPLATE_INCONSISTENT);
  }
  const CK_KEY_TYPE type = wanted.Number(CKA_KEY_TYPE).value_or(default_type);
  RETURN_IF_FAILED(CheckSize(type, value.size()));
  Object object;
  object.object_class = CKO_SECRET_KEY;
  AddStorageAttributes(wanted, object);
  AddKeyAttributes(type, origin, wanted, object);
  AddSecrecyAttributes(origin, wanted, object);
  object.attributes.SetBool(CKA_TRUSTED, false);
  object.attributes.SetNumber(CKA_VALUE_LEN, value.size());
  object.secret = std::make_shared<const base::WipingBytes>(std::move(value));
  ShowOrHideSecret(object);
  return object;
}

Status CheckSecretKeyTemplate(const AttributeSet& wanted,
                              CK_KEY_TYPE default_type) {
  RETURN_IF_FAILED(CheckNewObject(CKO_SECRET_KEY, wanted));
  if (wanted.Number(CKA_CLASS).value_or(CKO_SECRET_KEY) != CKO_SECRET_KEY ||
      wanted.Find(CKA_VALUE) != nullptr) {
    return Failure(CKR_TEMPLATE_INCONSISTENT);
  }
  return CheckSize(wanted.Number(CKA_KEY_TYPE).value_or(default_type),
                   wanted.Number(CKA_VALUE_LEN).value_or(kAesKeyBytes.front()));
}

Answer<Object> ImportSecretKey(const AttributeSet& wanted) {
  const base::WipingBytes* const value = wanted.Find(CKA_VALUE);
  const std::optional<CK_ULONG> type = wanted.Number(CKA_KEY_TYPE);
  if (value == nullptr || !type.has_value()) {
    return Failure(CKR_TEMPLATE_INCOMPLETE);
  }
  return MakeSecretKey(wanted, *type, KeyOrigin{}, *value);
}

Answer<Object> GenerateSecretKey(CK_MECHANISM_TYPE mechanism,
                                 const AttributeSet& wanted,
                                 OSSL_LIB_CTX* library) {
  const Mechanism* const row = FindMechanism(mechanism);
  if (row == nullptr || (row->flags & CKF_GENERATE) == 0) {
    return Failure(CKR_MECHANISM_INVALID);
  }
  RETURN_IF_FAILED(CheckNewKey(CKO_SECRET_KEY, row->key_type, wanted));
  const CK_KEY_TYPE type = wanted.Number(CKA_KEY_TYPE).value_or(row->key_type);
  const bool is_mac = row->key_type != CKK_AES && MacHash(type) != nullptr;
  if (type != row->key_type && !is_mac) {
    return Failure(CKR_TEMPLATE_INCONSISTENT);
  }
  const std::optional<CK_ULONG> size = wanted.Number(CKA_VALUE_LEN);
  if (!size.has_value()) {
    return Failure(CKR_TEMPLATE_INCOMPLETE);
  }
  RETURN_IF_FAILED(CheckSize(type, *size));
  const QuietQueue quiet;
  base::WipingBytes value(*size);
  if (RAND_priv_bytes_ex(library, value.data(), value.size(), 0) != 1) {
    return Failure(CKR_FUNCTION_FAILED, "OpenSSL has no random bytes");
  }
  const KeyOrigin origin = {mechanism, true, true, true};
  return MakeSecretKey(wanted, type, origin, std::move(value));
}

}  // namespace pkcs11::module
