// SPDX-License-Identifier: Apache-2.0
// PKCS#11 2.40 sections 5.6, 5.15 and 5.16, 3.0 section 5.6: sessions, logins
// and random bytes.
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "pkcs11/module/functions.h"
#include "pkcs11/module/module.h"
#include "pkcs11/owners.h"

namespace pkcs11::module {
namespace {

constexpr CK_FLAGS kSessionFlags = CKF_RW_SESSION | CKF_SERIAL_SESSION;

std::string_view TextAt(const CK_UTF8CHAR* text, CK_ULONG size) {
  return text == nullptr ? std::string_view()
                         : base::AsText(base::ByteView(text, size));
}

Status LogUserIn(Module& module, CK_SESSION_HANDLE handle,
                 std::string_view user_name, std::string_view pin) {
  ASSIGN_OR_FAIL(Token * token, module.TokenOf(handle));
  RETURN_IF_FAILED(token->LogIn(user_name, pin));
  std::vector<std::shared_ptr<const void>> forgotten;
  const StateLock lock;
  const Answer<Session*> session = module.FindSession(lock, handle);
  if (!session.has_value()) {
    // Whoever closed it meanwhile may have found nobody to log out.
    forgotten = token->LogOut(lock);
    return session.error();
  }
  return {};
}

// No key asks for it (CKA_ALWAYS_AUTHENTICATE), but some callers do it anyway
// between C_SignInit and C_Sign.
Status LogInAgain(Module& module, CK_SESSION_HANDLE handle,
                  std::string_view user_name, std::string_view pin) {
  ASSIGN_OR_FAIL(Token * token, module.TokenOf(handle));
  {
    const StateLock lock;
    ASSIGN_OR_FAIL(Session * session, module.FindSession(lock, handle));
    bool active = false;
    ForEachOperation(
        *session, [&](const auto& slot) { active = active || !slot.IsFree(); });
    if (!active || token->options().login == LoginMode::kNone) {
      return Failure(CKR_OPERATION_NOT_INITIALIZED);
    }
  }
  return token->CheckPin(user_name, pin);
}

Status LogInAs(Module& module, CK_SESSION_HANDLE handle, CK_USER_TYPE user,
               std::string_view user_name, std::string_view pin) {
  switch (user) {
    case CKU_USER:
      return LogUserIn(module, handle, user_name, pin);
    case CKU_CONTEXT_SPECIFIC:
      return LogInAgain(module, handle, user_name, pin);
    default:
      RETURN_IF_FAILED(module.TokenOf(handle));
      return Failure(CKR_USER_TYPE_INVALID);
  }
}

// As much as KMS gives at once.
constexpr std::size_t kMaxRandomBytes = 1024;

Status RandomOfKms(Kms& kms, std::span<CK_BYTE> out) {
  while (!out.empty()) {
    const std::size_t size = std::min(out.size(), kMaxRandomBytes);
    ASSIGN_OR_FAIL(const base::Json reply,
                   kms.Call("GenerateRandom", {{"NumberOfBytes", size}}));
    ASSIGN_OR_FAIL(base::Bytes random, BytesMember(reply, "Plaintext"));
    const bool fits = random.size() == size;
    if (fits) {
      std::ranges::copy(random, out.begin());
    }
    OPENSSL_cleanse(random.data(), random.size());
    if (!fits) {
      return Failure(CKR_DEVICE_ERROR,
                     "GenerateRandom's reply has another length");
    }
    out = out.subspan(size);
  }
  return {};
}

CK_STATE StateOf(const Session& session, bool logged_in) {
  if ((session.flags & CKF_RW_SESSION) != 0) {
    return logged_in ? CKS_RW_USER_FUNCTIONS : CKS_RW_PUBLIC_SESSION;
  }
  return logged_in ? CKS_RO_USER_FUNCTIONS : CKS_RO_PUBLIC_SESSION;
}

}  // namespace

Status OpenSession(Module& module, CK_SLOT_ID slot, CK_FLAGS flags, void*,
                   CK_NOTIFY, CK_SESSION_HANDLE* session) {
  RETURN_IF_FAILED(module.TokenAt(slot));
  if ((flags & CKF_SERIAL_SESSION) == 0) {
    return Failure(CKR_SESSION_PARALLEL_NOT_SUPPORTED);
  }
  ASSIGN_OR_FAIL(*session, module.OpenSession(slot, flags & kSessionFlags));
  return {};
}

Status CloseSession(Module& module, CK_SESSION_HANDLE session) {
  return module.CloseSession(session);
}

Status CloseAllSessions(Module& module, CK_SLOT_ID slot) {
  return module.CloseAllSessions(slot);
}

Status GetSessionInfo(Module& module, CK_SESSION_HANDLE handle,
                      CK_SESSION_INFO* info) {
  ASSIGN_OR_FAIL(const Token* token, module.TokenOf(handle));
  const StateLock lock;
  ASSIGN_OR_FAIL(const Session* session, module.FindSession(lock, handle));
  *info = {session->slot, StateOf(*session, token->logged_in(lock)),
           session->flags, static_cast<CK_ULONG>(token->kms().LastFailure())};
  return {};
}

Status Login(Module& module, CK_SESSION_HANDLE session, CK_USER_TYPE user,
             CK_UTF8CHAR* pin, CK_ULONG size) {
  return LogInAs(module, session, user, "", TextAt(pin, size));
}

Status LoginUser(Module& module, CK_SESSION_HANDLE session, CK_USER_TYPE user,
                 CK_UTF8CHAR* pin, CK_ULONG size, CK_UTF8CHAR* name,
                 CK_ULONG name_size) {
  return LogInAs(module, session, user, TextAt(name, name_size),
                 TextAt(pin, size));
}

Status Logout(Module& module, CK_SESSION_HANDLE session) {
  ASSIGN_OR_FAIL(Token * token, module.TokenOf(session));
  std::vector<std::shared_ptr<const void>> forgotten;
  const StateLock lock;
  if (!token->logged_in(lock)) {
    return Failure(CKR_USER_NOT_LOGGED_IN);
  }
  forgotten = token->LogOut(lock);
  return {};
}

// Ends the operations of which `flags` has CKF_SIGN and the like.
Status SessionCancel(Module& module, CK_SESSION_HANDLE handle, CK_FLAGS flags) {
  Session ended;  // Goes after the lock.
  const StateLock lock;
  ASSIGN_OR_FAIL(Session * session, module.FindSession(lock, handle));
  bool in_use = false;
  const auto cancel = [&](CK_FLAGS flag, auto member) {
    if ((flags & flag) != 0) {
      in_use = in_use || (session->*member).in_use;
      if (!(session->*member).in_use) {
        std::swap(ended.*member, session->*member);
      }
    }
  };
  cancel(CKF_SIGN, &Session::sign);
  cancel(CKF_VERIFY, &Session::verify);
  cancel(CKF_ENCRYPT, &Session::encrypt);
  cancel(CKF_DECRYPT, &Session::decrypt);
  cancel(CKF_DIGEST, &Session::digest);
  if ((flags & CKF_FIND_OBJECTS) != 0) {
    std::swap(ended.search, session->search);
  }
  if (in_use) {
    return Failure(CKR_OPERATION_CANCEL_FAILED);
  }
  return {};
}

// The generator of our library context seeds itself.
Status SeedRandom(Module& module, CK_SESSION_HANDLE session, CK_BYTE*,
                  CK_ULONG) {
  RETURN_IF_FAILED(module.TokenOf(session));
  return {};
}

Status GenerateRandom(Module& module, CK_SESSION_HANDLE session, CK_BYTE* out,
                      CK_ULONG size) {
  ASSIGN_OR_FAIL(Token * token, module.TokenOf(session));
  if (token->options().random == Place::kRemote) {
    return RandomOfKms(token->kms(), {out, size});
  }
  const QuietQueue quiet;
  if (size != 0 && RAND_bytes_ex(module.library(), out, size, 0) != 1) {
    return Failure(CKR_FUNCTION_FAILED, "OpenSSL has no random bytes");
  }
  return {};
}

// PKCS#11 2.40 section 5.16: what is left of functions in parallel.
Status GetFunctionStatus(Module&, CK_SESSION_HANDLE) {
  return Failure(CKR_FUNCTION_NOT_PARALLEL);
}

Status CancelFunction(Module&, CK_SESSION_HANDLE) {
  return Failure(CKR_FUNCTION_NOT_PARALLEL);
}

}  // namespace pkcs11::module
