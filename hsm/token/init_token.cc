// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/init_token.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "hsm/token/module.h"
#include "hsm/token/quirks.h"
#include "hsm/token/softhsm.h"
#include "hsm/token/token_file.h"
#include "hsm/token/token_lock.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

using PaddedLabel = std::array<CK_UTF8CHAR, 32>;

base::Result<PaddedLabel> Pad(std::string_view label) {
  PaddedLabel padded;
  padded.fill(' ');
  if (label.empty() || label.size() > padded.size()) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the token label \"{}\" must have 1 to {} bytes",
                             label, padded.size())};
  }
  std::ranges::copy(label, padded.begin());
  return padded;
}

// The slot that SoftHSM always keeps for the next token.
base::Result<CK_SLOT_ID> FreeSlot(const Module& module,
                                  std::string_view label) {
  ASSIGN_OR_RETURN(const auto slots, module.Slots());
  const auto is_initialized = [](const Slot& slot) {
    return (slot.flags & CKF_TOKEN_INITIALIZED) != 0;
  };
  for (const Slot& slot : slots) {
    if (is_initialized(slot) && slot.token.label == label) {
      return Error{ErrorCode::kAlreadyExists,
                   fmt::format("there is a token \"{}\" (serial {}) already",
                               label, slot.token.serial)};
    }
  }
  const auto free = std::ranges::find_if_not(slots, is_initialized);
  if (free == slots.end()) {
    return Error{ErrorCode::kHsmUnavailable, "SoftHSM has no free slot"};
  }
  return free->id;
}

base::Status SetUserPin(const CK_FUNCTION_LIST& module, CK_SLOT_ID slot,
                        const base::Secret& so_pin,
                        const base::Secret& user_pin) {
  CK_SESSION_HANDLE session = 0;
  RETURN_IF_ERROR(
      Check(module.C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION,
                                 nullptr, nullptr, &session),
            "C_OpenSession"));
  base::Status status = Check(
      module.C_Login(session, CKU_SO, Unconst(so_pin.Reveal()), so_pin.size()),
      "C_Login");
  if (status.has_value()) {
    status = Check(
        module.C_InitPIN(session, Unconst(user_pin.Reveal()), user_pin.size()),
        "C_InitPIN");
  }
  module.C_CloseSession(session);  // Logs out.
  return status;
}

}  // namespace

base::Status InitSoftHsmToken(const std::string& module_path,
                              std::string_view label,
                              const base::Secret& so_pin,
                              const base::Secret& user_pin) {
  ASSIGN_OR_RETURN(PaddedLabel padded, Pad(label));
  ASSIGN_OR_RETURN(const Quirks* const quirks, FindQuirks("", module_path));
  if (!quirks->files_like_softhsm) {
    return Error{ErrorCode::kUnsupportedOperation,
                 fmt::format("{} is not SoftHSM: initialise its token with "
                             "its own tool",
                             module_path)};
  }
  ASSIGN_OR_RETURN(const std::string directory, SoftHsmTokenDirectory());
  ASSIGN_OR_RETURN(const TokenLock lock, TokenLock::OfDirectory(directory));
  ASSIGN_OR_RETURN(Module module, Module::Load(module_path));
  ASSIGN_OR_RETURN(const auto hold, lock.Take());
  RETURN_IF_ERROR(RestoreTokenFiles(directory));
  RETURN_IF_ERROR(module.Initialize());
  ASSIGN_OR_RETURN(const CK_SLOT_ID slot, FreeSlot(module, label));
  RETURN_IF_ERROR(
      Check(module.functions().C_InitToken(slot, Unconst(so_pin.Reveal()),
                                           so_pin.size(), padded.data()),
            "C_InitToken"));
  RETURN_IF_ERROR(SetUserPin(module.functions(), slot, so_pin, user_pin));
  module.Finalize();
  return lock.SyncFileSystem();
}

}  // namespace hsm::token
