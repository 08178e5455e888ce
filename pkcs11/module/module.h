// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_MODULE_H_
#define PKCS11_MODULE_MODULE_H_

#include <sys/types.h>

#include <memory>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "kms/client/tls.h"
#include "pkcs11/module/session.h"
#include "pkcs11/module/settings.h"
#include "pkcs11/module/token.h"

namespace pkcs11::module {

// What a Module is made of. Everything in it is owned; `clock` must be made
// first, because tokens borrow it and the library context.
struct Parts {
  std::unique_ptr<base::Clock> clock;
  kms::client::LibraryContext library;
  std::vector<std::unique_ptr<Token>> tokens;  // By slot.
  ForkMode fork = ForkMode::kContinue;
};

// A Module is all that lives between C_Initialize and C_Finalize: tokens and
// sessions. It belongs to the process that made it, but a child that inherits
// it may go on using it, if the configuration lets it. Safe to call from any
// thread.
class Module {
 public:
  explicit Module(Parts parts);

  // 0 in a child of the process that made it.
  pid_t owner() const { return owner_.load(); }
  // Whether this process may use it.
  bool IsOurs() const;
  OSSL_LIB_CTX* library() const { return parts_.library.get(); }

  std::size_t slots() const { return parts_.tokens.size(); }
  // Fails with CKR_SLOT_ID_INVALID.
  Answer<Token*> TokenAt(CK_SLOT_ID slot) const;

  Answer<CK_SESSION_HANDLE> OpenSession(CK_SLOT_ID slot, CK_FLAGS flags);
  Status CloseSession(CK_SESSION_HANDLE handle);
  Status CloseAllSessions(CK_SLOT_ID slot);
  CK_ULONG CountSessions(CK_SLOT_ID slot, CK_FLAGS with) const;

  // Fails with CKR_SESSION_HANDLE_INVALID. The session is valid while `lock`
  // is.
  Answer<Session*> FindSession(const StateLock& lock, CK_SESSION_HANDLE handle);
  Answer<Token*> TokenOf(CK_SESSION_HANDLE handle);
  // The token of a session that may change it; else CKR_SESSION_READ_ONLY.
  Answer<Token*> WritableTokenOf(CK_SESSION_HANDLE handle);

  // Gives an object to a session, and the object a handle and a CKA_UNIQUE_ID.
  Answer<CK_OBJECT_HANDLE> AddSessionObject(CK_SESSION_HANDLE session,
                                            Object object);

  // The object that a session sees under `object`.
  Answer<std::shared_ptr<const Object>> FindObject(CK_SESSION_HANDLE session,
                                                   CK_OBJECT_HANDLE object);
  // The same, but to be used as a key: what is none is CKR_KEY_HANDLE_INVALID.
  Answer<std::shared_ptr<const Object>> FindKey(CK_SESSION_HANDLE session,
                                                CK_OBJECT_HANDLE key);

  // Ends what other threads were doing at the fork: they are not in this
  // process. Closes the parent's connections.
  void AfterForkInChild(const StateLock& lock);

 private:
  // Not 0, and positive where a caller takes it for a signed number (Java).
  Answer<CK_ULONG> RandomHandle() const;

  // Keeps session-wide state right after a session of `slot` has gone. What is
  // returned is to be let go of without the lock.
  std::vector<std::shared_ptr<const void>> NoteClosed(const StateLock& lock,
                                                      CK_SLOT_ID slot);

  std::atomic<pid_t> owner_;
  Parts parts_;
  // Guarded by StateLock.
  std::unordered_map<CK_SESSION_HANDLE, Session> sessions_;
};

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_MODULE_H_
