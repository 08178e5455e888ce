// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/object_index.h"

#include <algorithm>
#include <set>
#include <vector>

#include "base/log.h"
#include "hsm/token/attributes.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

// Public keys and certificates may bear the same CKA_ID.
bool IsKey(Session& session, ObjectHandle object) {
  const auto object_class = session.ReadNumber(object, CKA_CLASS);
  return object_class.ok() && (object_class.value == CKO_SECRET_KEY ||
                               object_class.value == CKO_PRIVATE_KEY);
}

std::optional<Locator> AsLocator(const Answer<base::Bytes>& id) {
  Locator locator;
  if (!id.ok() || id.value.size() != locator.bytes.size()) {
    return std::nullopt;
  }
  std::ranges::copy(id.value, locator.bytes.begin());
  return locator;
}

}  // namespace

base::Status ObjectIndex::Scan(const TokenLock::Hold&) {
  ASSIGN_OR_RETURN(Session* const session, sessions_.Working());
  ASSIGN_OR_RETURN(const std::vector<ObjectHandle> found,
                   session->FindObjects(AllObjects()).Take());
  Session& anchor = sessions_.anchor();
  objects_.clear();
  std::set<Locator> twice;
  for (const ObjectHandle object : found) {
    const auto locator = AsLocator(anchor.ReadAttribute(object, CKA_ID));
    if (locator && IsKey(anchor, object) &&
        !objects_.emplace(*locator, object).second) {
      twice.insert(*locator);
    }
  }
  for (const Locator& locator : twice) {
    base::LogWarning("several objects on the token have CKA_ID {}",
                     base::HexEncode(locator.bytes));
    objects_.erase(locator);  // Search will refuse it.
  }
  return {};
}

std::optional<ObjectHandle> ObjectIndex::Known(const Locator& locator) const {
  const auto it = objects_.find(locator);
  return it == objects_.end() ? std::nullopt : std::optional(it->second);
}

base::Result<ObjectHandle> ObjectIndex::Search(const TokenLock::Hold&,
                                               const Locator& locator) {
  objects_.erase(locator);
  ASSIGN_OR_RETURN(Session* const session, sessions_.Working());
  ASSIGN_OR_RETURN(std::vector<ObjectHandle> found,
                   session->FindObjects(ObjectsWithId(locator)).Take());
  std::erase_if(found, [this](ObjectHandle object) {
    return !IsKey(sessions_.anchor(), object);
  });
  if (found.empty()) {
    return Error{ErrorCode::kNotFound, "the token has no key object " +
                                           base::HexEncode(locator.bytes)};
  }
  if (found.size() > 1) {
    return Error{ErrorCode::kCorrupt, "the token has several key objects " +
                                          base::HexEncode(locator.bytes)};
  }
  objects_.emplace(locator, found.front());
  return found.front();
}

void ObjectIndex::Add(const Locator& locator, ObjectHandle object) {
  objects_.insert_or_assign(locator, object);
}

void ObjectIndex::Remove(const Locator& locator) { objects_.erase(locator); }

}  // namespace hsm::token
