// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/soft/data_key.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "pkcs11/module/cipher.h"
#include "pkcs11/module/key_use.h"
#include "pkcs11/module/soft/secret_key.h"

namespace pkcs11::module {
namespace {

using base::Json;

constexpr CK_ULONG kMaxDataKeyBytes = 1024;  // KMS's.

}  // namespace

Answer<Object> GenerateDataKey(const Object& key,
                               const CK_KMS_DATA_KEY_PARAMS& parameter,
                               const AttributeSet& wanted, Kms& kms) {
  // Who may have data keys of a key may also wrap others with it.
  const CK_MECHANISM envelope = {CKM_KMS_ENVELOPE, nullptr, 0};
  RETURN_IF_FAILED(CheckKeyMayUse(key, envelope, CKF_WRAP, CKA_WRAP));
  ASSIGN_OR_FAIL(
      const Json context,
      ReadEncryptionContext(parameter.pContext, parameter.ulContextLen));
  RETURN_IF_FAILED(CheckSecretKeyTemplate(wanted, CKK_AES));
  const CK_ULONG size =
      wanted.Number(CKA_VALUE_LEN).value_or(kAesKeyBytes.back());
  if (size == 0 || size > kMaxDataKeyBytes) {
    return Failure(CKR_KEY_SIZE_RANGE);
  }
  Json request = {{"KeyId", base::WipingString(key.key->arn)},
                  {"NumberOfBytes", size}};
  if (!context.is_null()) {
    request["EncryptionContext"] = context;
  }
  ASSIGN_OR_FAIL(const Json reply, kms.Call("GenerateDataKey", request));
  ASSIGN_OR_FAIL(base::WipingBytes value, SecretMember(reply, "Plaintext"));
  ASSIGN_OR_FAIL(const base::Bytes blob, BytesMember(reply, "CiphertextBlob"));
  if (value.size() != size) {
    return Failure(CKR_DEVICE_ERROR, "the data key has a wrong length");
  }
  // Whoever has the ciphertext may have the key again, and see it.
  const KeyOrigin origin = {CKM_KMS_DATA_KEY_GEN, true, false, false};
  ASSIGN_OR_FAIL(Object object,
                 MakeSecretKey(wanted, CKK_AES, origin, std::move(value)));
  object.attributes.Set(CKA_KMS_CIPHERTEXT_BLOB, blob);
  return object;
}

}  // namespace pkcs11::module
