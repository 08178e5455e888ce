// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/session_objects.h"

#include <utility>

namespace pkcs11::module {

using ObjectOwner = SessionObjects::ObjectOwner;

bool SessionObjects::Add(const StateLock&, CK_OBJECT_HANDLE handle,
                         CK_SESSION_HANDLE maker, ObjectOwner object) {
  return rows_.try_emplace(handle, Row{maker, std::move(object)}).second;
}

ObjectOwner SessionObjects::Find(const StateLock&,
                                 CK_OBJECT_HANDLE handle) const {
  const auto found = rows_.find(handle);
  return found == rows_.end() ? nullptr : found->second.object;
}

std::vector<std::pair<CK_OBJECT_HANDLE, ObjectOwner>> SessionObjects::All(
    const StateLock&) const {
  std::vector<std::pair<CK_OBJECT_HANDLE, ObjectOwner>> all;
  all.reserve(rows_.size());
  for (const auto& [handle, row] : rows_) {
    all.emplace_back(handle, row.object);
  }
  return all;
}

bool SessionObjects::Replace(const StateLock&, CK_OBJECT_HANDLE handle,
                             const ObjectOwner& old, ObjectOwner fresh) {
  const auto found = rows_.find(handle);
  if (found == rows_.end() || found->second.object != old) {
    return false;
  }
  // `old` is the caller's too, so nothing goes here.
  found->second.object = std::move(fresh);
  return true;
}

ObjectOwner SessionObjects::Remove(const StateLock&, CK_OBJECT_HANDLE handle) {
  const auto removed = rows_.extract(handle);
  return removed.empty() ? nullptr : removed.mapped().object;
}

std::vector<ObjectOwner> SessionObjects::RemoveIf(auto&& unwanted) {
  std::vector<ObjectOwner> removed;
  for (auto it = rows_.begin(); it != rows_.end();) {
    if (unwanted(it->second)) {
      removed.push_back(std::move(it->second.object));
      it = rows_.erase(it);
    } else {
      ++it;
    }
  }
  return removed;
}

std::vector<ObjectOwner> SessionObjects::RemoveOf(const StateLock&,
                                                  CK_SESSION_HANDLE maker) {
  return RemoveIf([maker](const Row& row) { return row.maker == maker; });
}

std::vector<ObjectOwner> SessionObjects::RemovePrivate(const StateLock&) {
  return RemoveIf([](const Row& row) {
    return row.object->attributes.IsTrue(CKA_PRIVATE);
  });
}

}  // namespace pkcs11::module
