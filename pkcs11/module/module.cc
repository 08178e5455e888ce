// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/module.h"

#include <fmt/format.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace pkcs11::module {

Module::Module(Parts parts) : owner_(getpid()), parts_(std::move(parts)) {}

bool Module::IsOurs() const {
  return parts_.fork == ForkMode::kContinue || owner() == getpid();
}

Answer<Token*> Module::TokenAt(CK_SLOT_ID slot) const {
  if (slot >= parts_.tokens.size()) {
    return Failure(CKR_SLOT_ID_INVALID);
  }
  return parts_.tokens[slot].get();
}

Answer<CK_ULONG> Module::RandomHandle() const {
  CK_ULONG handle = CK_INVALID_HANDLE;
  while (handle == CK_INVALID_HANDLE) {
    if (RAND_bytes_ex(library(), reinterpret_cast<unsigned char*>(&handle),
                      sizeof(handle), 0) != 1) {
      return Failure(CKR_GENERAL_ERROR, "OpenSSL has no random bytes");
    }
    handle >>= 1U;
  }
  return handle;
}

// Random handles, so that one of a session that was closed is not soon another
// session's.
Answer<CK_SESSION_HANDLE> Module::OpenSession(CK_SLOT_ID slot, CK_FLAGS flags) {
  RETURN_IF_FAILED(TokenAt(slot));
  for (;;) {
    ASSIGN_OR_FAIL(const CK_SESSION_HANDLE handle, RandomHandle());
    Session session;
    session.slot = slot;
    session.flags = flags;
    const StateLock lock;
    if (sessions_.try_emplace(handle, std::move(session)).second) {
      return handle;
    }
  }
}

Status Module::CloseSession(CK_SESSION_HANDLE handle) {
  // What the session holds goes after the lock.
  decltype(sessions_)::node_type closed;
  std::vector<std::shared_ptr<const void>> forgotten;
  std::vector<std::shared_ptr<const Object>> objects;
  const StateLock lock;
  closed = sessions_.extract(handle);
  if (closed.empty()) {
    return Failure(CKR_SESSION_HANDLE_INVALID);
  }
  const CK_SLOT_ID slot = closed.mapped().slot;
  objects = parts_.tokens[slot]->session_objects(lock).RemoveOf(lock, handle);
  forgotten = NoteClosed(lock, slot);
  return {};
}

Status Module::CloseAllSessions(CK_SLOT_ID slot) {
  RETURN_IF_FAILED(TokenAt(slot));
  std::vector<Session> closed;
  std::vector<std::shared_ptr<const void>> forgotten;
  std::vector<std::vector<std::shared_ptr<const Object>>> objects;
  const StateLock lock;
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    if (it->second.slot == slot) {
      closed.push_back(std::move(it->second));
      objects.push_back(
          parts_.tokens[slot]->session_objects(lock).RemoveOf(lock, it->first));
      it = sessions_.erase(it);
    } else {
      ++it;
    }
  }
  forgotten = NoteClosed(lock, slot);
  return {};
}

// PKCS#11 2.40, "C_CloseSession": the last one logs the user out.
std::vector<std::shared_ptr<const void>> Module::NoteClosed(
    const StateLock& lock, CK_SLOT_ID slot) {
  const bool others = std::ranges::any_of(sessions_, [slot](const auto& entry) {
    return entry.second.slot == slot;
  });
  if (others) {
    return {};
  }
  return parts_.tokens[slot]->LogOut(lock);
}

CK_ULONG Module::CountSessions(CK_SLOT_ID slot, CK_FLAGS with) const {
  const StateLock lock;
  return static_cast<CK_ULONG>(
      std::ranges::count_if(sessions_, [&](const auto& entry) {
        return entry.second.slot == slot && (entry.second.flags & with) == with;
      }));
}

Answer<Session*> Module::FindSession(const StateLock&,
                                     CK_SESSION_HANDLE handle) {
  const auto found = sessions_.find(handle);
  if (found == sessions_.end()) {
    return Failure(CKR_SESSION_HANDLE_INVALID);
  }
  return &found->second;
}

Answer<Token*> Module::TokenOf(CK_SESSION_HANDLE handle) {
  const StateLock lock;
  ASSIGN_OR_FAIL(const Session* session, FindSession(lock, handle));
  return parts_.tokens[session->slot].get();
}

Answer<Token*> Module::WritableTokenOf(CK_SESSION_HANDLE handle) {
  const StateLock lock;
  ASSIGN_OR_FAIL(const Session* session, FindSession(lock, handle));
  if ((session->flags & CKF_RW_SESSION) == 0) {
    return Failure(CKR_SESSION_READ_ONLY);
  }
  return parts_.tokens[session->slot].get();
}

Answer<CK_OBJECT_HANDLE> Module::AddSessionObject(CK_SESSION_HANDLE session,
                                                  Object object) {
  ASSIGN_OR_FAIL(Token * token, TokenOf(session));
  for (;;) {
    ASSIGN_OR_FAIL(const CK_ULONG number, RandomHandle());
    const CK_OBJECT_HANDLE handle = number | kSessionObjectBit;
    object.of_session = true;
    object.unique_id = fmt::format("session#{:016x}", handle);
    object.attributes.SetText(CKA_UNIQUE_ID, object.unique_id);
    auto owner = std::make_shared<const Object>(object);
    const StateLock lock;
    // It may have been closed, and then nobody would remove the object.
    RETURN_IF_FAILED(FindSession(lock, session));
    if (!token->Shows(lock, *owner)) {
      return Failure(CKR_USER_NOT_LOGGED_IN);
    }
    if (token->session_objects(lock).Add(lock, handle, session,
                                         std::move(owner))) {
      return handle;
    }
  }
}

Answer<std::shared_ptr<const Object>> Module::FindObject(
    CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
  ASSIGN_OR_FAIL(Token * token, TokenOf(session));
  Answer<std::shared_ptr<const Object>> found = token->Find(object);
  if (!found.has_value() && found.error().rv == CKR_USER_NOT_LOGGED_IN) {
    return Failure(CKR_OBJECT_HANDLE_INVALID);  // It is not to be seen.
  }
  return found;
}

Answer<std::shared_ptr<const Object>> Module::FindKey(CK_SESSION_HANDLE session,
                                                      CK_OBJECT_HANDLE key) {
  ASSIGN_OR_FAIL(Token * token, TokenOf(session));
  Answer<std::shared_ptr<const Object>> object =
      token->Find(key, Token::Wanted::kKey);
  if (!object.has_value() && object.error().rv == CKR_OBJECT_HANDLE_INVALID) {
    return Failure(CKR_KEY_HANDLE_INVALID);
  }
  if (object.has_value() && UsesOf((*object)->object_class).empty()) {
    return Failure(CKR_KEY_HANDLE_INVALID);  // A certificate, or data.
  }
  return object;
}

void Module::AfterForkInChild(const StateLock& lock) {
  owner_.store(0);
  for (const auto& token : parts_.tokens) {
    token->AfterForkInChild(lock);
  }
  for (auto& [handle, session] : sessions_) {
    ForEachOperation(session, [](auto& slot) {
      slot.in_use = false;
      slot.in_parts = slot.operation != nullptr && slot.in_parts;
    });
  }
}

}  // namespace pkcs11::module
