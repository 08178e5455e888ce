// SPDX-License-Identifier: Apache-2.0
// PKCS#11 2.40 section 5.13: keys that two parties agree on.
#include <utility>

#include "pkcs11/module/functions.h"
#include "pkcs11/module/key_use.h"
#include "pkcs11/module/module.h"
#include "pkcs11/module/soft/ecdh.h"
#include "pkcs11/module/soft/secret_key.h"

namespace pkcs11::module {
namespace {

// CKA_VALUE_LEN, or what there is without it: all of the secret, or one digest
// of the KDF.
Answer<std::size_t> SizeOfKey(const AttributeSet& wanted,
                              const AgreementParameter& parameter,
                              std::size_t secret_size) {
  const std::size_t size =
      wanted.Number(CKA_VALUE_LEN)
          .value_or(parameter.kdf_hash == nullptr ? secret_size
                                                  : parameter.kdf_hash->size);
  if (size == 0 || size > kMaxSecretBytes) {
    return Failure(CKR_KEY_SIZE_RANGE);
  }
  return size;
}

}  // namespace

// The template is looked at before the KMS is asked.
Status DeriveKey(Module& module, CK_SESSION_HANDLE session,
                 CK_MECHANISM* mechanism, CK_OBJECT_HANDLE base_key,
                 CK_ATTRIBUTE* rows, CK_ULONG count, CK_OBJECT_HANDLE* handle) {
  ASSIGN_OR_FAIL(Token * token, module.TokenOf(session));
  ASSIGN_OR_FAIL(const auto base, module.FindKey(session, base_key));
  RETURN_IF_FAILED(CheckKeyMayUse(*base, *mechanism, CKF_DERIVE, CKA_DERIVE));
  if (base->object_class != CKO_PRIVATE_KEY) {
    return Failure(CKR_KEY_FUNCTION_NOT_PERMITTED);
  }
  ASSIGN_OR_FAIL(const AgreementParameter parameter, ReadAgreement(*mechanism));
  const std::optional<AttributeSet> wanted = ReadTemplate(rows, count);
  if (!wanted.has_value()) {
    return Failure(CKR_ARGUMENTS_BAD);
  }
  RETURN_IF_FAILED(CheckSecretKeyTemplate(*wanted, CKK_GENERIC_SECRET));
  ASSIGN_OR_FAIL(const base::WipingBytes secret,
                 SharedSecret(*base->key, parameter.public_point, token->kms(),
                              module.library()));
  ASSIGN_OR_FAIL(const std::size_t size,
                 SizeOfKey(*wanted, parameter, secret.size()));
  ASSIGN_OR_FAIL(base::WipingBytes value,
                 KeyOfSharedSecret(parameter, secret, size, module.library()));
  const KeyOrigin origin = {mechanism->mechanism, false,
                            base->attributes.IsTrue(CKA_ALWAYS_SENSITIVE),
                            base->attributes.IsTrue(CKA_NEVER_EXTRACTABLE)};
  ASSIGN_OR_FAIL(Object object, MakeSecretKey(*wanted, CKK_GENERIC_SECRET,
                                              origin, std::move(value)));
  ASSIGN_OR_FAIL(*handle, module.AddSessionObject(session, std::move(object)));
  return {};
}

}  // namespace pkcs11::module
