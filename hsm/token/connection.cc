// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/connection.h"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/log.h"
#include "hsm/token/softhsm.h"
#include "hsm/token/token_file.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

// One lock for all tokens of a module: two URIs may name one token.
base::Result<TokenLock> LockFile(const TokenConfig& config) {
  if (config.lock_dir.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the tokens of {} keep no files to lock: set a "
                             "directory for lock files",
                             config.module)};
  }
  const base::Digest digest =
      base::ThreadHasher().Sha256(base::AsBytes(config.module));
  return TokenLock::OfFile(
      fmt::format("{}/token-{}.lock", config.lock_dir,
                  base::HexEncode(base::ByteView(digest).first(8))));
}

base::Status CheckParameters(const Quirks& quirks, const TokenConfig& config) {
  if (quirks.needs_parameters == !config.module_parameters.empty()) {
    return {};
  }
  return Error{
      ErrorCode::kInvalidArgument,
      quirks.needs_parameters
          ? fmt::format("{} needs module_parameters; see the notes of its "
                        "profile \"{}\" in docs/hsm.md",
                        quirks.title, quirks.name)
          : fmt::format("a module of profile \"{}\" ({}) takes no "
                        "module_parameters: remove them, or name its profile "
                        "in quirks",
                        quirks.name, quirks.title)};
}

// A PIN that the token refused is never tried again: each try may be the last.
Error PinRefused(const TokenIdentity& token, std::string_view reason) {
  return Error{
      ErrorCode::kAccessDenied,
      fmt::format("token \"{}\" (serial {}) refuses the PIN: {}. It will not "
                  "be tried again: correct the PIN file or reset the PIN with "
                  "the token's own tool, then start again",
                  token.label, token.serial, reason)};
}

}  // namespace

Connection::Connection(const Quirks& quirks, std::string token_directory,
                       TokenLock lock, Module module)
    : quirks_(&quirks),
      token_directory_(std::move(token_directory)),
      lock_(std::move(lock)),
      module_(std::move(module)) {}

base::Result<std::unique_ptr<Connection>> Connection::Open(
    const TokenConfig& config) {
  return OpenAs(CKU_USER, config);
}

base::Result<std::unique_ptr<Connection>> Connection::OpenAsSecurityOfficer(
    const TokenConfig& config) {
  return OpenAs(CKU_SO, config);
}

base::Result<std::unique_ptr<Connection>> Connection::OpenAs(
    CK_USER_TYPE user, const TokenConfig& config) {
  if (config.pin.empty()) {
    return Error{ErrorCode::kInvalidArgument, "the token's PIN is empty"};
  }
  ASSIGN_OR_RETURN(const Quirks* const quirks,
                   FindQuirks(config.quirks, config.module));
  RETURN_IF_ERROR(CheckParameters(*quirks, config));
  ASSIGN_OR_RETURN(Module module, Module::Load(config.module));
  std::string directory;
  if (quirks->files_like_softhsm) {
    ASSIGN_OR_RETURN(directory, SoftHsmTokenDirectory());
  }
  ASSIGN_OR_RETURN(TokenLock lock, directory.empty()
                                       ? LockFile(config)
                                       : TokenLock::OfDirectory(directory));
  std::unique_ptr<Connection> connection(new Connection(
      *quirks, std::move(directory), std::move(lock), std::move(module)));
  {
    ASSIGN_OR_RETURN(const auto hold, connection->lock_.Take());
    RETURN_IF_ERROR(connection->FindToken(config));
    if (user == CKU_USER) {
      RETURN_IF_ERROR(CheckPin(*connection->quirks_, config.pin));
    }
    RETURN_IF_ERROR(connection->LogIn(user, config));
  }
  return connection;
}

Connection::~Connection() {
  const auto hold = lock_.Take();
  sessions_.reset();
  module_.Finalize();
}

// SoftHSM sees no token while anybody is inside C_Login. Of our processes the
// lock keeps us apart; a second look is for those that do not know it.
base::Status Connection::FindToken(const TokenConfig& config) {
  base::Status found = InitializeAndFind(config);
  if (!found.has_value() && found.error().code == ErrorCode::kNotFound) {
    base::LogWarning("{}; looking once more", found.error().message);
    module_.Finalize();
    found = InitializeAndFind(config);
  }
  return found;
}

base::Status Connection::InitializeAndFind(const TokenConfig& config) {
  if (!token_directory_.empty()) {
    RETURN_IF_ERROR(RestoreTokenFiles(token_directory_));
  }
  if (quirks_->needs_parameters) {
    // NSS measures its disk, and may then keep what it has read for ten
    // seconds: workers would not see what others make and destroy.
    setenv("NSS_SDB_USE_CACHE", "no", 1);
  }
  RETURN_IF_ERROR(module_.Initialize(config.module_parameters));
  const bool named = !config.quirks.empty();
  ASSIGN_OR_RETURN(const std::string manufacturer, module_.Manufacturer());
  ASSIGN_OR_RETURN(quirks_, CheckQuirks(*quirks_, named, manufacturer));
  ASSIGN_OR_RETURN(slot_, module_.FindSlot(config.token_uri));
  // Behind another's module a token is still what it is.
  ASSIGN_OR_RETURN(quirks_,
                   CheckQuirks(*quirks_, named, slot_.token.manufacturer));
  return {};
}

base::Status Connection::LogIn(CK_USER_TYPE user, const TokenConfig& config) {
  const bool is_user = user == CKU_USER;
  if ((slot_.flags & (is_user ? CKF_USER_PIN_LOCKED : CKF_SO_PIN_LOCKED)) !=
      0) {
    return PinRefused(slot_.token, "it is locked");
  }
  if ((slot_.flags &
       (is_user ? CKF_USER_PIN_FINAL_TRY : CKF_SO_PIN_FINAL_TRY)) != 0) {
    return PinRefused(slot_.token, "one more wrong PIN would lock the token");
  }
  if (!token_directory_.empty()) {
    RETURN_IF_ERROR(BackUpTokenFile(token_directory_, slot_.token.serial));
  }
  ASSIGN_OR_RETURN(sessions_, OpenSessions());
  const auto answer = sessions_->anchor().Login(user, config.pin);
  if (CodeOf(answer.rv) == ErrorCode::kAccessDenied) {
    if (config.on_pin_refused) {
      config.on_pin_refused();
    }
    return PinRefused(slot_.token, RvText(answer.rv));
  }
  return answer.Done();
}

base::Status Connection::CheckPresent() const {
  ASSIGN_OR_RETURN(const auto hold, lock_.Take());
  CK_TOKEN_INFO info{};
  const CK_RV rv = module_.functions().C_GetTokenInfo(slot_.id, &info);
  if (rv == CKR_OK) {
    return {};
  }
  return Error{ErrorCode::kHsmUnavailable,
               "the token is gone: C_GetTokenInfo: " + RvText(rv)};
}

base::Status Connection::Sync() const {
  return token_directory_.empty() ? base::Status() : lock_.SyncFileSystem();
}

}  // namespace hsm::token
