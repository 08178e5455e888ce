// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_LEASE_H_
#define PKCS11_MODULE_LEASE_H_

#include <memory>
#include <utility>

#include "pkcs11/module/module.h"

namespace pkcs11::module {

// Where in a Session the operation of one kind is.
template <typename Op>
using SlotMember = OperationSlot<Op> Session::*;

// Fails with CKR_OPERATION_ACTIVE if the session has such an operation.
template <typename Op>
Status CheckFree(Module& module, CK_SESSION_HANDLE handle,
                 SlotMember<Op> member) {
  const StateLock lock;
  ASSIGN_OR_FAIL(Session * session, module.FindSession(lock, handle));
  if (!(session->*member).IsFree()) {
    return Failure(CKR_OPERATION_ACTIVE);
  }
  return {};
}

// Puts a new operation into a session. Fails with CKR_OPERATION_ACTIVE if it
// has one.
template <typename Op>
Status Start(Module& module, CK_SESSION_HANDLE handle, SlotMember<Op> member,
             std::unique_ptr<Op> operation) {
  const StateLock lock;
  ASSIGN_OR_FAIL(Session * session, module.FindSession(lock, handle));
  OperationSlot<Op>& slot = session->*member;
  if (!slot.IsFree()) {
    return Failure(CKR_OPERATION_ACTIVE);
  }
  slot = {std::move(operation)};
  return {};
}

// A Lease is an operation that is out of its session while a call works on it.
// When it goes, the operation has ended, unless Keep() put it back: by the rule
// of PKCS#11 5.2 that every failure ends an operation.
template <typename Op>
class Lease {
 public:
  // Fails with CKR_OPERATION_NOT_INITIALIZED, or with CKR_OPERATION_ACTIVE if
  // another thread is at it.
  static Answer<Lease> Take(Module& module, CK_SESSION_HANDLE handle,
                            SlotMember<Op> member) {
    const StateLock lock;
    ASSIGN_OR_FAIL(Session * session, module.FindSession(lock, handle));
    OperationSlot<Op>& slot = session->*member;
    if (slot.in_use) {
      return Failure(CKR_OPERATION_ACTIVE);
    }
    if (slot.operation == nullptr) {
      return Failure(CKR_OPERATION_NOT_INITIALIZED);
    }
    slot.in_use = true;
    return Lease(module, handle, member, std::move(slot.operation),
                 slot.in_parts);
  }

  Lease(Lease&& other) noexcept
      : module_(std::exchange(other.module_, nullptr)),
        handle_(other.handle_),
        member_(other.member_),
        operation_(std::move(other.operation_)),
        in_parts_(other.in_parts_) {}
  Lease& operator=(Lease&&) = delete;
  ~Lease() { Return(nullptr, false); }

  Op* operator->() const { return operation_.get(); }
  // Whether it has been given a part of its message.
  bool in_parts() const { return in_parts_; }

  // The operation goes on in the next call.
  void Keep() { Return(std::move(operation_), in_parts_); }
  // Another one goes on in its place.
  void KeepAs(std::unique_ptr<Op> other) {
    Return(std::move(other), in_parts_);
  }
  void KeepInParts() { Return(std::move(operation_), true); }

 private:
  Lease(Module& module, CK_SESSION_HANDLE handle, SlotMember<Op> member,
        std::unique_ptr<Op> operation, bool in_parts)
      : module_(&module),
        handle_(handle),
        member_(member),
        operation_(std::move(operation)),
        in_parts_(in_parts) {}

  void Return(std::unique_ptr<Op> operation, bool in_parts) {
    Module* const module = std::exchange(module_, nullptr);
    if (module == nullptr) {
      return;
    }
    const StateLock lock;
    const Answer<Session*> session = module->FindSession(lock, handle_);
    if (session.has_value()) {  // Else somebody closed it meanwhile.
      (*session)->*member_ = {std::move(operation), false, in_parts};
    }
  }

  Module* module_;  // Null once the operation has been returned.
  CK_SESSION_HANDLE handle_;
  SlotMember<Op> member_;
  std::unique_ptr<Op> operation_;
  bool in_parts_;
};

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_LEASE_H_
