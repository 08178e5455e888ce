// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/module_caller.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <stdlib.h>

#include <array>

namespace bench {
namespace {

using base::Error;
using base::ErrorCode;

base::Status Check(CK_RV rv, std::string_view function) {
  if (rv != CKR_OK) {
    return Error{ErrorCode::kIo, fmt::format("{}: {:#x}", function, rv)};
  }
  return {};
}

}  // namespace

base::Result<ModuleCaller> ModuleCaller::Load(const std::string& path,
                                              const std::string& socket) {
  setenv("CLAVIGER_SOCKET", socket.c_str(), 1);
  setenv("XDG_CONFIG_HOME", "/dev/null", 1);  // Nobody's own configuration.
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Error{ErrorCode::kIo, dlerror()};
  }
  const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(
      dlsym(library, "C_GetFunctionList"));
  if (get_list == nullptr) {
    return Error{ErrorCode::kIo, path + " is no PKCS#11 module"};
  }
  CK_FUNCTION_LIST* functions = nullptr;
  RETURN_IF_ERROR(Check(get_list(&functions), "C_GetFunctionList"));
  CK_C_INITIALIZE_ARGS arguments = {};
  arguments.flags = CKF_OS_LOCKING_OK;
  RETURN_IF_ERROR(Check(functions->C_Initialize(&arguments), "C_Initialize"));
  return ModuleCaller(functions);
}

base::Result<CK_SESSION_HANDLE> ModuleCaller::OpenSession() const {
  CK_SESSION_HANDLE session = 0;
  RETURN_IF_ERROR(Check(functions_->C_OpenSession(0, CKF_SERIAL_SESSION,
                                                  nullptr, nullptr, &session),
                        "C_OpenSession"));
  return session;
}

base::Result<std::size_t> ModuleCaller::CountObjects(
    CK_SESSION_HANDLE session) const {
  RETURN_IF_ERROR(Check(functions_->C_FindObjectsInit(session, nullptr, 0),
                        "C_FindObjectsInit"));
  std::array<CK_OBJECT_HANDLE, 256> found{};
  std::size_t all = 0;
  CK_ULONG count = 0;
  do {
    RETURN_IF_ERROR(Check(
        functions_->C_FindObjects(session, found.data(), found.size(), &count),
        "C_FindObjects"));
    all += count;
  } while (count != 0);
  RETURN_IF_ERROR(
      Check(functions_->C_FindObjectsFinal(session), "C_FindObjectsFinal"));
  return all;
}

base::Result<CK_OBJECT_HANDLE> ModuleCaller::PrivateKey(
    CK_SESSION_HANDLE session, std::string_view label) const {
  CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
  std::array<CK_ATTRIBUTE, 2> wanted = {
      {{CKA_CLASS, &object_class, sizeof(object_class)},
       {CKA_LABEL, const_cast<char*>(label.data()), label.size()}}};
  RETURN_IF_ERROR(Check(
      functions_->C_FindObjectsInit(session, wanted.data(), wanted.size()),
      "C_FindObjectsInit"));
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  CK_ULONG count = 0;
  RETURN_IF_ERROR(Check(functions_->C_FindObjects(session, &key, 1, &count),
                        "C_FindObjects"));
  RETURN_IF_ERROR(
      Check(functions_->C_FindObjectsFinal(session), "C_FindObjectsFinal"));
  if (count == 0) {
    return Error{ErrorCode::kNotFound,
                 "the module shows no private key " + std::string(label)};
  }
  return key;
}

base::Status ModuleCaller::Sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                                CK_MECHANISM_TYPE mechanism) const {
  CK_MECHANISM plain = {mechanism, nullptr, 0};
  RETURN_IF_ERROR(
      Check(functions_->C_SignInit(session, &plain, key), "C_SignInit"));
  std::array<CK_BYTE, 32> message{};
  std::array<CK_BYTE, 512> signature;
  CK_ULONG size = signature.size();
  return Check(functions_->C_Sign(session, message.data(), message.size(),
                                  signature.data(), &size),
               "C_Sign");
}

}  // namespace bench
