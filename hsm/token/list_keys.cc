// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/list_keys.h"

#include <utility>

namespace hsm::token {
namespace {

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
    if (anchor.ReadAttribute(object, CKA_TOKEN).value ==
        base::Bytes{CK_FALSE}) {
      continue;  // Our own session objects.
    }
    const auto object_class = anchor.ReadNumber(object, CKA_CLASS);
    if (!object_class.ok()) {
      keys.push_back({.id = {}, .label = {}, .readable = false});
    } else if (object_class.value == CKO_SECRET_KEY ||
               object_class.value == CKO_PRIVATE_KEY) {
      keys.push_back(Describe(anchor, object));
    }
  }
  return keys;
}

}  // namespace hsm::token
