// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_EXPLAIN_JSON_MEMBERS_H_
#define KMS_OPERATIONS_EXPLAIN_JSON_MEMBERS_H_

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/json.h"

// Members of a record that this server wrote, perhaps an older one: what is not
// there, or is something else, counts as empty.
namespace kms::operations {

inline const base::Json& MemberOf(const base::Json& object, const char* name) {
  static const base::Json none;
  if (!object.is_object()) {
    return none;
  }
  const auto found = object.find(name);
  return found == object.end() ? none : *found;
}

inline std::string_view TextOfMember(const base::Json& object,
                                     const char* name) {
  const base::Json& member = MemberOf(object, name);
  return member.is_string() ? base::TextOf(member) : std::string_view();
}

// Whether the record says that there was more than it could take.
inline bool IsOmitted(const base::Json& object) {
  return MemberOf(object, "omitted").is_boolean();
}

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_EXPLAIN_JSON_MEMBERS_H_
