// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_SESSION_H_
#define PKCS11_MODULE_SESSION_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "pkcs11/module/operation.h"
#include "pkcs11/module/token.h"

namespace pkcs11::module {

// A Slot keeps a session's operation of one kind between two calls. A call
// takes it out, so that no lock is held while it works, and puts it back if it
// goes on.
template <typename Op>
struct OperationSlot {
  std::unique_ptr<Op> operation;
  bool in_use = false;    // By a call that has taken it out.
  bool in_parts = false;  // C_SignUpdate or the like was called.

  bool IsFree() const { return operation == nullptr && !in_use; }
};

// What C_FindObjectsInit has found and C_FindObjects has not yet returned.
struct SearchResults {
  std::vector<CK_OBJECT_HANDLE> handles;
  std::size_t next = 0;
};

// A Session is what C_OpenSession makes. Guarded by StateLock.
struct Session {
  CK_SLOT_ID slot = 0;
  CK_FLAGS flags = 0;
  std::optional<SearchResults> search;
  OperationSlot<SignOperation> sign;
  OperationSlot<VerifyOperation> verify;
  OperationSlot<CipherOperation> encrypt;
  OperationSlot<CipherOperation> decrypt;
  OperationSlot<DigestOperation> digest;
};

// Calls `visit` with every OperationSlot of `session`.
template <typename Visit>
void ForEachOperation(Session& session, const Visit& visit) {
  visit(session.sign);
  visit(session.verify);
  visit(session.encrypt);
  visit(session.decrypt);
  visit(session.digest);
}

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_SESSION_H_
