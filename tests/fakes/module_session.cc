// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/module_session.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"

namespace fakes {
namespace {

using hsm::token::Check;
using hsm::token::Unconst;

}  // namespace

base::Result<ModuleSession> ModuleSession::Open(const std::string& path) {
  ASSIGN_OR_RETURN(auto module, hsm::token::Module::Load(path));
  RETURN_IF_ERROR(module.Initialize());
  ASSIGN_OR_RETURN(const auto slots, module.Slots());
  if (slots.empty()) {
    return base::Error{base::ErrorCode::kNotFound, path + " has no tokens"};
  }
  ModuleSession session(std::move(module), slots.front());
  RETURN_IF_ERROR(session.OpenSession());
  return session;
}

ModuleSession::ModuleSession(ModuleSession&& other) noexcept
    : module_(std::move(other.module_)),
      slot_(std::move(other.slot_)),
      session_(std::exchange(other.session_, CK_INVALID_HANDLE)) {}

ModuleSession::~ModuleSession() {
  if (session_ != CK_INVALID_HANDLE) {
    functions().C_CloseSession(session_);
  }
}

base::Status ModuleSession::OpenSession() {
  return Check(
      functions().C_OpenSession(slot_.id, CKF_SERIAL_SESSION | CKF_RW_SESSION,
                                nullptr, nullptr, &session_),
      "C_OpenSession");
}

base::Status ModuleSession::InitToken(std::string_view label,
                                      std::string_view so_pin) {
  std::array<CK_UTF8CHAR, 32> padded;
  padded.fill(' ');
  std::ranges::copy(label, padded.begin());
  const auto pin = base::AsBytes(so_pin);
  functions().C_CloseSession(std::exchange(session_, CK_INVALID_HANDLE));
  RETURN_IF_ERROR(Check(functions().C_InitToken(slot_.id, Unconst(pin),
                                                pin.size(), padded.data()),
                        "C_InitToken"));
  return OpenSession();
}

base::Status ModuleSession::Login(CK_USER_TYPE user, std::string_view pin) {
  const auto bytes = base::AsBytes(pin);
  return Check(
      functions().C_Login(session_, user, Unconst(bytes), bytes.size()),
      "C_Login");
}

base::Status ModuleSession::Logout() {
  return Check(functions().C_Logout(session_), "C_Logout");
}

base::Status ModuleSession::InitPin(std::string_view pin) {
  const auto bytes = base::AsBytes(pin);
  return Check(functions().C_InitPIN(session_, Unconst(bytes), bytes.size()),
               "C_InitPIN");
}

base::Status ModuleSession::SetPin(std::string_view old_pin,
                                   std::string_view new_pin) {
  const auto from = base::AsBytes(old_pin);
  const auto to = base::AsBytes(new_pin);
  return Check(functions().C_SetPIN(session_, Unconst(from), from.size(),
                                    Unconst(to), to.size()),
               "C_SetPIN");
}

base::Status ModuleSession::DestroyAll() {
  RETURN_IF_ERROR(Check(functions().C_FindObjectsInit(session_, nullptr, 0),
                        "C_FindObjectsInit"));
  std::array<CK_OBJECT_HANDLE, 256> found{};
  CK_ULONG count = 0;
  const CK_RV rv =
      functions().C_FindObjects(session_, found.data(), found.size(), &count);
  functions().C_FindObjectsFinal(session_);
  RETURN_IF_ERROR(Check(rv, "C_FindObjects"));
  for (CK_ULONG i = 0; i < count; ++i) {
    RETURN_IF_ERROR(Check(functions().C_DestroyObject(session_, found[i]),
                          "C_DestroyObject"));
  }
  return {};
}

}  // namespace fakes
