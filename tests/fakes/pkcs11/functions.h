// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FAKES_PKCS11_FUNCTIONS_H_
#define TESTS_FAKES_PKCS11_FUNCTIONS_H_

#include <p11-kit/pkcs11.h>

// The functions of PKCS#11 that the fake token has.
namespace fakes::pkcs11 {

CK_RV C_Initialize(void* args);
CK_RV C_Finalize(void*);
CK_RV C_GetInfo(CK_INFO* info);
CK_RV C_GetSlotList(CK_BBOOL, CK_SLOT_ID* slots, CK_ULONG* count);
CK_RV C_GetTokenInfo(CK_SLOT_ID, CK_TOKEN_INFO* info);
CK_RV C_OpenSession(CK_SLOT_ID, CK_FLAGS, void*, CK_NOTIFY,
                    CK_SESSION_HANDLE* session);
CK_RV C_CloseSession(CK_SESSION_HANDLE session);
CK_RV C_GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO* info);
CK_RV C_Login(CK_SESSION_HANDLE session, CK_USER_TYPE, CK_UTF8CHAR* pin,
              CK_ULONG size);
CK_RV C_CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes,
                     CK_ULONG count, CK_OBJECT_HANDLE* handle);
CK_RV C_GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                    CK_ATTRIBUTE* attributes, CK_ULONG count,
                    CK_OBJECT_HANDLE* handle);
CK_RV C_DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle);
CK_RV C_CopyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle,
                   CK_ATTRIBUTE* attributes, CK_ULONG count,
                   CK_OBJECT_HANDLE* copy);
CK_RV C_SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle,
                          CK_ATTRIBUTE* attributes, CK_ULONG count);
CK_RV C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle,
                          CK_ATTRIBUTE* attributes, CK_ULONG count);
CK_RV C_FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes,
                        CK_ULONG count);
CK_RV C_FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* handles,
                    CK_ULONG max, CK_ULONG* count);
CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE session);
CK_RV C_EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                    CK_OBJECT_HANDLE key);
CK_RV C_Encrypt(CK_SESSION_HANDLE session, CK_BYTE* in, CK_ULONG in_size,
                CK_BYTE* out, CK_ULONG* out_size);
CK_RV C_DecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                    CK_OBJECT_HANDLE key);
CK_RV C_Decrypt(CK_SESSION_HANDLE session, CK_BYTE* in, CK_ULONG in_size,
                CK_BYTE* out, CK_ULONG* out_size);
CK_RV C_WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                CK_OBJECT_HANDLE with, CK_OBJECT_HANDLE handle, CK_BYTE* out,
                CK_ULONG* out_size);
CK_RV C_UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                  CK_OBJECT_HANDLE with, CK_BYTE* wrapped, CK_ULONG size,
                  CK_ATTRIBUTE* attributes, CK_ULONG count,
                  CK_OBJECT_HANDLE* handle);
CK_RV C_DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                  CK_OBJECT_HANDLE handle, CK_ATTRIBUTE* attributes,
                  CK_ULONG count, CK_OBJECT_HANDLE* derived);
CK_RV C_GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE* out, CK_ULONG size);

}  // namespace fakes::pkcs11

#endif  // TESTS_FAKES_PKCS11_FUNCTIONS_H_
