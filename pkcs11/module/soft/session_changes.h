// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_SOFT_SESSION_CHANGES_H_
#define PKCS11_MODULE_SOFT_SESSION_CHANGES_H_

#include "pkcs11/module/module.h"
#include "pkcs11/module/soft/session_attributes.h"

// What C functions do to objects of sessions. A session that may only read the
// token may do all of it.
namespace pkcs11::module {

// Fails as CheckChange does, and with CKR_ACTION_PROHIBITED if the object may
// not be changed, copied or destroyed.
Status ChangeSessionObject(Module& module, CK_SESSION_HANDLE session,
                           CK_OBJECT_HANDLE handle, const AttributeSet& wanted);
Answer<CK_OBJECT_HANDLE> CopySessionObject(Module& module,
                                           CK_SESSION_HANDLE session,
                                           const Object& original,
                                           const AttributeSet& wanted);
Status DestroySessionObject(Module& module, CK_SESSION_HANDLE session,
                            CK_OBJECT_HANDLE handle);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_SOFT_SESSION_CHANGES_H_
