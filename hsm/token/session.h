// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_SESSION_H_
#define HSM_TOKEN_SESSION_H_

#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "hsm/token/cryptoki.h"
#include "hsm/token/template.h"

namespace hsm::token {

// What a module's function answered: its CK_RV and, if that is CKR_OK, a value.
// For the callers that condition on the CK_RV; the others Take() a Result.
template <typename T>
struct [[nodiscard]] Answer {
  CK_RV rv = CKR_OK;
  std::string_view function;
  T value{};

  bool ok() const { return rv == CKR_OK; }
  base::Result<T> Take() && {
    RETURN_IF_ERROR(Check(rv, function));
    return std::move(value);
  }
  base::Status Done() const { return Check(rv, function); }
};

struct Nothing {};

// The two objects of C_GenerateKeyPair.
struct PairHandles {
  ObjectHandle public_key{};
  ObjectHandle private_key{};
};

struct Mechanism {
  CK_MECHANISM_TYPE type;
  base::ByteView parameter = {};
};

// A Session is one open read-write PKCS#11 session. Key material stays behind
// ObjectHandles; the one way to read a value is ReadSecret, which the token
// refuses for every key of ours that is sensitive.
//
// Move-only, not thread-safe. The module's functions must outlive it. A Session
// in which a call failed is spoiled: the module may have left an operation
// active that nothing but closing the session ends (Sessions does so).
class Session {
 public:
  static base::Result<Session> Open(const CK_FUNCTION_LIST& module,
                                    CK_SLOT_ID slot);
  ~Session();
  Session(Session&& other) noexcept;
  Session& operator=(Session&& other) noexcept;

  bool spoiled() const { return spoiled_; }

  Answer<CK_STATE> State();
  Answer<Nothing> Login(CK_USER_TYPE user, const base::Secret& pin);
  Answer<Nothing> Random(std::span<std::uint8_t> out);

  Answer<ObjectHandle> GenerateKey(CK_MECHANISM_TYPE mechanism,
                                   const Template& attributes);
  Answer<PairHandles> GenerateKeyPair(CK_MECHANISM_TYPE mechanism,
                                      const Template& public_attributes,
                                      const Template& private_attributes);
  Answer<ObjectHandle> CreateObject(const Template& attributes);
  Answer<ObjectHandle> CopyObject(ObjectHandle object, const Template& changes);
  Answer<Nothing> DestroyObject(ObjectHandle object);
  Answer<Nothing> SetAttributes(ObjectHandle object, const Template& changes);

  // Makes the key E_base(blocks), by CKM_AES_ECB_ENCRYPT_DATA.
  Answer<ObjectHandle> DeriveKey(ObjectHandle base, base::ByteView blocks,
                                 const Template& attributes);

  // Makes a secret of the x-coordinate of `base` times `point`, which is
  // uncompressed, by CKM_ECDH1_DERIVE without a key derivation function.
  Answer<ObjectHandle> DeriveEcdh(ObjectHandle base, base::ByteView point,
                                  const Template& attributes);

  Answer<base::Bytes> WrapKey(const Mechanism& mechanism, ObjectHandle with,
                              ObjectHandle key);
  Answer<ObjectHandle> UnwrapKey(const Mechanism& mechanism, ObjectHandle with,
                                 base::ByteView wrapped,
                                 const Template& attributes);

  // Whether `key` may encrypt by `mechanism`. Spoils the session.
  Answer<Nothing> StartEncryption(const Mechanism& mechanism, ObjectHandle key);

  // One attribute, of at most 1024 bytes.
  Answer<base::Bytes> ReadAttribute(ObjectHandle object,
                                    CK_ATTRIBUTE_TYPE type);
  // One that is a CK_ULONG. NSS says CKR_BUFFER_TOO_SMALL to a larger buffer.
  Answer<CK_ULONG> ReadNumber(ObjectHandle object, CK_ATTRIBUTE_TYPE type);
  // CKA_VALUE, of at most 128 bytes.
  Answer<base::Secret> ReadSecret(ObjectHandle object);

  // Every object that matches. Slow: the token looks at all it has.
  Answer<std::vector<ObjectHandle>> FindObjects(const Template& pattern);

  // AES-GCM with a 128-bit tag, which follows the ciphertext. Whether the token
  // kept to that is the caller's to check. Neither ever passes a null pointer
  // or a buffer without room to spare. Some tokens write the IV that they used
  // to `iv`, and some append it to the ciphertext.
  Answer<base::Bytes> EncryptGcm(ObjectHandle key, std::span<std::uint8_t> iv,
                                 base::ByteView aad, base::ByteView plaintext);
  Answer<base::Secret> DecryptGcm(ObjectHandle key, base::ByteView iv,
                                  base::ByteView aad,
                                  base::ByteView ciphertext);

  // A signature or MAC of at most 1024 bytes, the encryption of a message into
  // little more, and the decryption into at most as many bytes; in one part.
  Answer<base::Bytes> Sign(const Mechanism& mechanism, ObjectHandle key,
                           base::ByteView message);
  Answer<base::Bytes> Encrypt(const Mechanism& mechanism, ObjectHandle key,
                              base::ByteView plaintext);
  Answer<base::Secret> Decrypt(const Mechanism& mechanism, ObjectHandle key,
                               base::ByteView ciphertext);

 private:
  Answer<base::Bytes> EncryptBy(CK_MECHANISM mechanism, ObjectHandle key,
                                base::ByteView plaintext);
  Answer<base::Secret> DecryptBy(CK_MECHANISM mechanism, ObjectHandle key,
                                 base::ByteView ciphertext);
  Session(const CK_FUNCTION_LIST& module, CK_SESSION_HANDLE handle)
      : module_(&module), handle_(handle) {}

  // Notes a failure.
  CK_RV Noted(CK_RV rv);
  void Close();

  const CK_FUNCTION_LIST* module_;
  CK_SESSION_HANDLE handle_;
  bool spoiled_ = false;
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_SESSION_H_
