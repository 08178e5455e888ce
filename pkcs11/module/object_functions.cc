// SPDX-License-Identifier: Apache-2.0
// PKCS#11 2.40 section 5.7: objects.
#include <algorithm>

#include "pkcs11/module/functions.h"
#include "pkcs11/module/module.h"

namespace pkcs11::module {

Status GetObjectSize(Module& module, CK_SESSION_HANDLE session,
                     CK_OBJECT_HANDLE object, CK_ULONG* size) {
  RETURN_IF_FAILED(module.FindObject(session, object));
  *size = CK_UNAVAILABLE_INFORMATION;
  return {};
}

// Every row is answered, whatever another one's fate.
Status GetAttributeValue(Module& module, CK_SESSION_HANDLE session,
                         CK_OBJECT_HANDLE handle, CK_ATTRIBUTE* rows,
                         CK_ULONG count) {
  ASSIGN_OR_FAIL(const auto object, module.FindObject(session, handle));
  CK_RV result = CKR_OK;
  for (CK_ATTRIBUTE& row : std::span(rows, count)) {
    const CK_RV rv = object->attributes.Answer(row);
    result = result == CKR_OK ? rv : result;
  }
  if (result != CKR_OK) {
    return Failure(result);
  }
  return {};
}

Status FindObjectsInit(Module& module, CK_SESSION_HANDLE handle,
                       CK_ATTRIBUTE* rows, CK_ULONG count) {
  const auto wanted = ReadTemplate(rows, count);
  ASSIGN_OR_FAIL(Token * token, module.TokenOf(handle));
  if (!wanted.has_value()) {
    return Failure(CKR_ARGUMENTS_BAD);
  }
  {
    const StateLock lock;
    ASSIGN_OR_FAIL(const Session* session, module.FindSession(lock, handle));
    if (session->search.has_value()) {
      return Failure(CKR_OPERATION_ACTIVE);
    }
  }
  ASSIGN_OR_FAIL(std::vector<CK_OBJECT_HANDLE> found, token->Search(*wanted));
  const StateLock lock;
  ASSIGN_OR_FAIL(Session * session, module.FindSession(lock, handle));
  if (session->search.has_value()) {
    return Failure(CKR_OPERATION_ACTIVE);  // Another thread was faster.
  }
  session->search = SearchResults{std::move(found)};
  return {};
}

Status FindObjects(Module& module, CK_SESSION_HANDLE handle,
                   CK_OBJECT_HANDLE* handles, CK_ULONG room, CK_ULONG* count) {
  const StateLock lock;
  ASSIGN_OR_FAIL(Session * session, module.FindSession(lock, handle));
  if (!session->search.has_value()) {
    return Failure(CKR_OPERATION_NOT_INITIALIZED);
  }
  SearchResults& search = *session->search;
  const auto rest = std::span(search.handles).subspan(search.next);
  const auto given = rest.first(std::min<std::size_t>(rest.size(), room));
  std::ranges::copy(given, handles);
  search.next += given.size();
  *count = given.size();
  return {};
}

Status FindObjectsFinal(Module& module, CK_SESSION_HANDLE handle) {
  const StateLock lock;
  ASSIGN_OR_FAIL(Session * session, module.FindSession(lock, handle));
  if (!session->search.has_value()) {
    return Failure(CKR_OPERATION_NOT_INITIALIZED);
  }
  session->search.reset();
  return {};
}

}  // namespace pkcs11::module
