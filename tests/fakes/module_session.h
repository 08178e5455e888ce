// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FAKES_MODULE_SESSION_H_
#define TESTS_FAKES_MODULE_SESSION_H_

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "hsm/token/module.h"

namespace fakes {

// A ModuleSession is a PKCS#11 module and one session with one of its tokens,
// to set tokens up as an operator does, by the standard's own functions.
// Ends both at the end: hsm::token::Token needs the module for itself.
class ModuleSession {
 public:
  // With the first token of the module.
  static base::Result<ModuleSession> Open(const std::string& module);
  ~ModuleSession();
  ModuleSession(ModuleSession&& other) noexcept;
  ModuleSession& operator=(ModuleSession&&) = delete;

  // Makes the token a new one. The session is opened anew.
  base::Status InitToken(std::string_view label, std::string_view so_pin);
  base::Status Login(CK_USER_TYPE user, std::string_view pin);
  base::Status Logout();
  // Of the user; the security officer is logged in.
  base::Status InitPin(std::string_view pin);
  // Of whoever is logged in.
  base::Status SetPin(std::string_view old_pin, std::string_view new_pin);

  // Every object that whoever is logged in sees.
  base::Status DestroyAll();

  bool IsInitialized() const {
    return (slot_.flags & CKF_TOKEN_INITIALIZED) != 0;
  }

 private:
  ModuleSession(hsm::token::Module module, hsm::token::Slot slot)
      : module_(std::move(module)), slot_(std::move(slot)) {}

  const CK_FUNCTION_LIST& functions() const { return module_.functions(); }

  base::Status OpenSession();

  hsm::token::Module module_;
  hsm::token::Slot slot_;
  CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;
};

}  // namespace fakes

#endif  // TESTS_FAKES_MODULE_SESSION_H_
