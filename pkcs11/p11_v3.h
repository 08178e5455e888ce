// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_P11_V3_H_
#define PKCS11_P11_V3_H_

// The one place of pkcs11/ that includes the PKCS#11 header. p11-kit's is that
// of version 2.40; what follows are the names of 3.0 that we need, and our own.
#include <p11-kit/pkcs11.h>

#define CKA_UNIQUE_ID (4UL)
#define CKK_HKDF (0x42UL)

#define CKM_SHA3_256 (0x2B0UL)
#define CKM_SHA3_224 (0x2B5UL)
#define CKM_SHA3_384 (0x2C0UL)
#define CKM_SHA3_512 (0x2D0UL)
#define CKM_ECDSA_SHA3_224 (0x1047UL)
#define CKM_ECDSA_SHA3_256 (0x1048UL)
#define CKM_ECDSA_SHA3_384 (0x1049UL)
#define CKM_ECDSA_SHA3_512 (0x104AUL)

#define CKR_COPY_PROHIBITED (0x1AUL)
#define CKR_CURVE_NOT_SUPPORTED (0x140UL)
#define CKR_TOKEN_RESOURCE_EXCEEDED (0x201UL)
#define CKR_OPERATION_CANCEL_FAILED (0x202UL)

#define CKF_INTERFACE_FORK_SAFE (1UL)
#define CKF_FIND_OBJECTS (0x40UL)

// The standard's own names.
// NOLINTBEGIN(readability-identifier-naming)

// PKCS#11 3.0 section 2.3.12.
struct CK_EDDSA_PARAMS {
  CK_BBOOL phFlag;
  CK_ULONG ulContextDataLen;
  CK_BYTE* pContextData;
};

// Vendor-defined values: "CL" and a number.
#define CK_CLAVIGER (0x434C0000UL)
// Encrypt and Decrypt of a SYMMETRIC_DEFAULT key: the ciphertext is the KMS's
// CiphertextBlob, the parameter the encryption context as a JSON object.
#define CKM_KMS_ENVELOPE (CKM_VENDOR_DEFINED | CK_CLAVIGER | 1UL)
// C_GenerateKey of a data key: a session's secret key that the KMS has made,
// and encrypted with one of its own. CKA_KMS_CIPHERTEXT_BLOB of the new key is
// what C_UnwrapKey with CKM_KMS_ENVELOPE makes the same key of again.
#define CKM_KMS_DATA_KEY_GEN (CKM_VENDOR_DEFINED | CK_CLAVIGER | 2UL)
struct CK_KMS_DATA_KEY_PARAMS {
  CK_OBJECT_HANDLE hKey;  // Of a SYMMETRIC_DEFAULT key.
  CK_BYTE* pContext;      // The encryption context, as in CKM_KMS_ENVELOPE.
  CK_ULONG ulContextLen;
};
#define CKA_KMS_CIPHERTEXT_BLOB (CKA_VENDOR_DEFINED | CK_CLAVIGER | 7UL)
#define CKA_KMS_KEY_ARN (CKA_VENDOR_DEFINED | CK_CLAVIGER | 1UL)
#define CKA_KMS_KEY_SPEC (CKA_VENDOR_DEFINED | CK_CLAVIGER | 2UL)
#define CKA_KMS_KEY_USAGE (CKA_VENDOR_DEFINED | CK_CLAVIGER | 3UL)
#define CKA_KMS_KEY_STATE (CKA_VENDOR_DEFINED | CK_CLAVIGER | 4UL)
#define CKA_KMS_ORIGIN (CKA_VENDOR_DEFINED | CK_CLAVIGER | 5UL)
#define CKA_KMS_MULTI_REGION (CKA_VENDOR_DEFINED | CK_CLAVIGER | 6UL)

struct CK_INTERFACE {
  CK_UTF8CHAR* pInterfaceName;
  void* pFunctionList;
  CK_FLAGS flags;
};

// The functions that 3.0 adds, in the order of its function list.
#define CK_DECLARE_V3(name, ...)            \
  using CK_##name = CK_RV (*)(__VA_ARGS__); \
  extern "C" CK_RV name(__VA_ARGS__)

// clang-format off
CK_DECLARE_V3(C_GetInterfaceList, CK_INTERFACE*, CK_ULONG*);
CK_DECLARE_V3(C_GetInterface, CK_UTF8CHAR*, CK_VERSION*, CK_INTERFACE**, CK_FLAGS);
CK_DECLARE_V3(C_LoginUser, CK_SESSION_HANDLE, CK_USER_TYPE, CK_UTF8CHAR*, CK_ULONG, CK_UTF8CHAR*, CK_ULONG);
CK_DECLARE_V3(C_SessionCancel, CK_SESSION_HANDLE, CK_FLAGS);
CK_DECLARE_V3(C_MessageEncryptInit, CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE);
CK_DECLARE_V3(C_EncryptMessage, CK_SESSION_HANDLE, void*, CK_ULONG, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG*);
CK_DECLARE_V3(C_EncryptMessageBegin, CK_SESSION_HANDLE, void*, CK_ULONG, CK_BYTE*, CK_ULONG);
CK_DECLARE_V3(C_EncryptMessageNext, CK_SESSION_HANDLE, void*, CK_ULONG, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG*, CK_FLAGS);
CK_DECLARE_V3(C_MessageEncryptFinal, CK_SESSION_HANDLE);
CK_DECLARE_V3(C_MessageDecryptInit, CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE);
CK_DECLARE_V3(C_DecryptMessage, CK_SESSION_HANDLE, void*, CK_ULONG, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG*);
CK_DECLARE_V3(C_DecryptMessageBegin, CK_SESSION_HANDLE, void*, CK_ULONG, CK_BYTE*, CK_ULONG);
CK_DECLARE_V3(C_DecryptMessageNext, CK_SESSION_HANDLE, void*, CK_ULONG, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG*, CK_FLAGS);
CK_DECLARE_V3(C_MessageDecryptFinal, CK_SESSION_HANDLE);
CK_DECLARE_V3(C_MessageSignInit, CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE);
CK_DECLARE_V3(C_SignMessage, CK_SESSION_HANDLE, void*, CK_ULONG, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG*);
CK_DECLARE_V3(C_SignMessageBegin, CK_SESSION_HANDLE, void*, CK_ULONG);
CK_DECLARE_V3(C_SignMessageNext, CK_SESSION_HANDLE, void*, CK_ULONG, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG*);
CK_DECLARE_V3(C_MessageSignFinal, CK_SESSION_HANDLE);
CK_DECLARE_V3(C_MessageVerifyInit, CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE);
CK_DECLARE_V3(C_VerifyMessage, CK_SESSION_HANDLE, void*, CK_ULONG, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG);
CK_DECLARE_V3(C_VerifyMessageBegin, CK_SESSION_HANDLE, void*, CK_ULONG);
CK_DECLARE_V3(C_VerifyMessageNext, CK_SESSION_HANDLE, void*, CK_ULONG, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG);
CK_DECLARE_V3(C_MessageVerifyFinal, CK_SESSION_HANDLE);
// clang-format on

#undef CK_DECLARE_V3
// NOLINTEND(readability-identifier-naming)

#endif  // PKCS11_P11_V3_H_
