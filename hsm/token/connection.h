// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_CONNECTION_H_
#define HSM_TOKEN_CONNECTION_H_

#include <memory>
#include <optional>

#include "base/result.h"
#include "hsm/token/module.h"
#include "hsm/token/quirks.h"
#include "hsm/token/sessions.h"
#include "hsm/token/token.h"
#include "hsm/token/token_lock.h"

namespace hsm::token {

// A Connection is a token that this process is logged in to, once, from Open
// to destruction. It takes the lock around everything that needs it at start
// and end, and keeps SoftHSM's token.object safe from our own login.
//
// Not thread-safe, not movable.
class Connection {
 public:
  // Fails with kInvalidArgument (configuration: says what to mend), kNotFound
  // (no such token), kAccessDenied (the token refused the PIN, or is locked
  // or close to it: asking again would only lock it), kHsmUnavailable, kIo.
  static base::Result<std::unique_ptr<Connection>> Open(
      const TokenConfig& config);
  // The same as the security officer, whose PIN `config` then has. That one
  // sees no private objects.
  static base::Result<std::unique_ptr<Connection>> OpenAsSecurityOfficer(
      const TokenConfig& config);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Sessions& sessions() { return *sessions_; }
  // Sessions of their own, whose objects go with them.
  base::Result<Sessions> OpenSessions() const {
    return Sessions::Open(module_.functions(), slot_.id, *quirks_);
  }
  const TokenLock& lock() const { return lock_; }
  const TokenIdentity& identity() const { return slot_.token; }
  CK_ULONG max_sessions() const { return slot_.max_sessions; }
  const Quirks& quirks() const { return *quirks_; }

  // Whether the module still knows the token. Fails with kHsmUnavailable:
  // SoftHSM, whose files were away for a moment, sees none of its objects ever
  // again, but goes on serving what this process has in memory. Takes the lock.
  base::Status CheckPresent() const;

  // Makes the objects just made or destroyed durable, if they are files here.
  base::Status Sync() const;

 private:
  Connection(const Quirks& quirks, std::string token_directory, TokenLock lock,
             Module module);

  static base::Result<std::unique_ptr<Connection>> OpenAs(
      CK_USER_TYPE user, const TokenConfig& config);

  base::Status FindToken(const TokenConfig& config);
  base::Status InitializeAndFind(const TokenConfig& config);
  base::Status LogIn(CK_USER_TYPE user, const TokenConfig& config);

  const Quirks* quirks_;
  std::string token_directory_;  // Of SoftHSM's files, or empty.
  TokenLock lock_;
  Module module_;
  Slot slot_;
  std::optional<Sessions> sessions_;
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_CONNECTION_H_
