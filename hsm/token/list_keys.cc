// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/list_keys.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

namespace hsm::token {
namespace {

// What an attribute of a number or truth value holds, if it can be read.
template <typename T>
std::optional<T> Read(Session& session, ObjectHandle object,
                      CK_ATTRIBUTE_TYPE type) {
  const auto answer = session.ReadAttribute(object, type);
  if (!answer.ok() || answer.value.size() != sizeof(T)) {
    return std::nullopt;
  }
  T value;
  std::memcpy(&value, answer.value.data(), sizeof(value));
  return value;
}

ListedKey Describe(Session& session, ObjectHandle object) {
  auto id = session.ReadAttribute(object, CKA_ID);
  const auto label = session.ReadAttribute(object, CKA_LABEL);
  return {.id = std::move(id.value),
          .label = std::string(base::AsText(label.value)),
          .readable = id.ok() && label.ok()};
}

}  // namespace

base::Result<std::vector<ListedKey>> ListKeys(Sessions& sessions,
                                              const TokenLock::Hold&) {
  ASSIGN_OR_RETURN(Session* const session, sessions.Working());
  // A pattern would leave out the objects whose attributes cannot be read.
  ASSIGN_OR_RETURN(const std::vector<ObjectHandle> found,
                   session->FindObjects(Template()).Take());
  Session& anchor = sessions.anchor();
  std::vector<ListedKey> keys;
  for (const ObjectHandle object : found) {
    if (Read<CK_BBOOL>(anchor, object, CKA_TOKEN) == CK_FALSE) {
      continue;  // Our own session objects.
    }
    const auto object_class = Read<CK_OBJECT_CLASS>(anchor, object, CKA_CLASS);
    if (!object_class) {
      keys.push_back({.id = {}, .label = {}, .readable = false});
    } else if (*object_class == CKO_SECRET_KEY ||
               *object_class == CKO_PRIVATE_KEY) {
      keys.push_back(Describe(anchor, object));
    }
  }
  return keys;
}

}  // namespace hsm::token
