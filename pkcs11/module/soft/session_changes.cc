// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/soft/session_changes.h"

#include <memory>
#include <utility>

namespace pkcs11::module {

Status ChangeSessionObject(Module& module, CK_SESSION_HANDLE session,
                           CK_OBJECT_HANDLE handle,
                           const AttributeSet& wanted) {
  ASSIGN_OR_FAIL(Token * token, module.TokenOf(session));
  for (;;) {
    ASSIGN_OR_FAIL(const auto old, token->Find(handle));
    if (!old->attributes.IsTrue(CKA_MODIFIABLE)) {
      return Failure(CKR_ACTION_PROHIBITED);
    }
    RETURN_IF_FAILED(CheckChange(*old, wanted, ChangeOf::kObject));
    Object changed = *old;
    ApplyChange(wanted, changed);
    auto fresh = std::make_shared<const Object>(std::move(changed));
    const StateLock lock;
    // Else another thread has changed it meanwhile, and both changes count.
    if (token->session_objects(lock).Replace(lock, handle, old,
                                             std::move(fresh))) {
      return {};
    }
  }
}

Answer<CK_OBJECT_HANDLE> CopySessionObject(Module& module,
                                           CK_SESSION_HANDLE session,
                                           const Object& original,
                                           const AttributeSet& wanted) {
  if (!original.attributes.IsTrue(CKA_COPYABLE)) {
    return Failure(CKR_ACTION_PROHIBITED);
  }
  RETURN_IF_FAILED(CheckChange(original, wanted, ChangeOf::kCopy));
  Object copy = original;
  ApplyChange(wanted, copy);
  return module.AddSessionObject(session, std::move(copy));
}

Status DestroySessionObject(Module& module, CK_SESSION_HANDLE session,
                            CK_OBJECT_HANDLE handle) {
  ASSIGN_OR_FAIL(Token * token, module.TokenOf(session));
  ASSIGN_OR_FAIL(const auto object, token->Find(handle));
  if (!object->attributes.IsTrue(CKA_DESTROYABLE)) {
    return Failure(CKR_ACTION_PROHIBITED);
  }
  const StateLock lock;
  const auto removed = token->session_objects(lock).Remove(lock, handle);
  if (removed == nullptr) {
    return Failure(CKR_OBJECT_HANDLE_INVALID);  // Another thread was faster.
  }
  return {};
}

}  // namespace pkcs11::module
