// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_SESSION_OBJECTS_H_
#define PKCS11_MODULE_SESSION_OBJECTS_H_

#include <map>
#include <memory>
#include <vector>

#include "pkcs11/module/object.h"
#include "pkcs11/module/state_lock.h"

namespace pkcs11::module {

// Handles of session objects have this bit, and those of a token's own objects
// (object_store.h) have it never. Positive, as those are.
inline constexpr CK_OBJECT_HANDLE kSessionObjectBit = 1UL << 62U;
constexpr bool IsSessionObject(CK_OBJECT_HANDLE handle) {
  return (handle & kSessionObjectBit) != 0;
}

// SessionObjects are what the sessions of one token have made without the KMS:
// they live in this process, all its sessions see them, and each goes with the
// session that made it. Guarded by StateLock. What is removed or replaced is
// given back, so that it goes after the lock.
class SessionObjects {
 public:
  using ObjectOwner = std::shared_ptr<const Object>;

  // Whether `handle` was free.
  bool Add(const StateLock&, CK_OBJECT_HANDLE handle, CK_SESSION_HANDLE maker,
           ObjectOwner object);

  // Null if there is none.
  ObjectOwner Find(const StateLock&, CK_OBJECT_HANDLE handle) const;

  std::vector<std::pair<CK_OBJECT_HANDLE, ObjectOwner>> All(
      const StateLock&) const;

  // Puts `fresh` in the place of `old`. False if that is no longer there.
  bool Replace(const StateLock&, CK_OBJECT_HANDLE handle,
               const ObjectOwner& old, ObjectOwner fresh);

  // Null if there was none.
  ObjectOwner Remove(const StateLock&, CK_OBJECT_HANDLE handle);

  // Removes what a session has made.
  std::vector<ObjectOwner> RemoveOf(const StateLock&, CK_SESSION_HANDLE maker);

  // Removes what only a user who is logged in may see.
  std::vector<ObjectOwner> RemovePrivate(const StateLock&);

 private:
  struct Row {
    CK_SESSION_HANDLE maker;
    ObjectOwner object;
  };
  std::vector<ObjectOwner> RemoveIf(auto&& unwanted);

  std::map<CK_OBJECT_HANDLE, Row> rows_;
};

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_SESSION_OBJECTS_H_
