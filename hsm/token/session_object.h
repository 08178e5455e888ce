// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_SESSION_OBJECT_H_
#define HSM_TOKEN_SESSION_OBJECT_H_

#include <utility>

#include "hsm/token/session.h"

namespace hsm::token {

// A SessionObject is a session object that is destroyed at the end of a scope,
// or by Destroy() where a failure matters. `session` must outlive it.
class SessionObject {
 public:
  SessionObject(Session& session, ObjectHandle handle)
      : session_(&session), handle_(handle) {}
  ~SessionObject() {
    if (session_ != nullptr) {
      static_cast<void>(session_->DestroyObject(handle_));
    }
  }
  SessionObject(const SessionObject&) = delete;
  SessionObject& operator=(const SessionObject&) = delete;

  ObjectHandle handle() const { return handle_; }

  base::Status Destroy() {
    return std::exchange(session_, nullptr)->DestroyObject(handle_).Done();
  }

 private:
  Session* session_;
  ObjectHandle handle_;
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_SESSION_OBJECT_H_
