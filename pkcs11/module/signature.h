// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_SIGNATURE_H_
#define PKCS11_MODULE_SIGNATURE_H_

#include <memory>
#include <string>

#include "pkcs11/algorithms.h"
#include "pkcs11/module/answer.h"
#include "pkcs11/module/object.h"

// What stands between Cryptoki's signatures and those of KMS.
namespace pkcs11::module {

// A way to sign with one key: what a mechanism, its parameter and the key
// together say.
struct SignatureKind {
  const Mechanism* mechanism = nullptr;  // In the table of mechanisms.
  const Hash* hash = nullptr;  // That the scheme works with; null: any or none.
  std::shared_ptr<const Key> key;
};

// Whether `object` may be used with `mechanism` for `use` (CKA_SIGN or
// CKA_VERIFY), and how. Fails with CKR_MECHANISM_INVALID,
// CKR_MECHANISM_PARAM_INVALID, CKR_KEY_TYPE_INCONSISTENT or
// CKR_KEY_FUNCTION_NOT_PERMITTED. Makes no call.
Answer<SignatureKind> ChooseSignature(const Object& object,
                                      const CK_MECHANISM& mechanism,
                                      CK_ATTRIBUTE_TYPE use);

// Bytes of every signature or MAC of this kind.
std::size_t SizeOf(const SignatureKind& kind);

// Members of KMS's Sign.
struct KmsMessage {
  base::WipingBytes message;
  bool is_digest = true;
  std::string algorithm;
};

// What KMS is to sign, for the signature of `input` (a digest, if the mechanism
// has a hash or the caller hashed). Fails with CKR_DATA_INVALID or
// CKR_DATA_LEN_RANGE for what KMS cannot sign.
Answer<KmsMessage> ToKms(const SignatureKind& kind, base::ByteView input);

// KMS's signature (or OpenSSL's, which is the same) in Cryptoki's form: r and s
// of fixed width instead of DER. Fails with CKR_DEVICE_ERROR if it is not a
// signature of this kind.
Answer<base::Bytes> FromKms(const SignatureKind& kind,
                            base::Bytes kms_signature);

// Signs `input` with the private key of a session's own pair. Fails with
// CKR_DATA_LEN_RANGE.
Answer<base::Bytes> SignLocally(const SignatureKind& kind, base::ByteView input,
                                OSSL_LIB_CTX* library);

// The other way round, for KMS's Verify. Empty if it cannot be one.
base::Bytes SignatureForKms(const SignatureKind& kind,
                            base::ByteView signature);

// Checks a signature of `input` with the public key, without the KMS. Fails
// with CKR_SIGNATURE_INVALID or CKR_SIGNATURE_LEN_RANGE.
Status VerifyLocally(const SignatureKind& kind, base::ByteView input,
                     base::ByteView signature, OSSL_LIB_CTX* library);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_SIGNATURE_H_
