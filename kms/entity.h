// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_ENTITY_H_
#define KMS_ENTITY_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "kms/model.h"

// Who may ask, as stored: plain data. IAM User Guide, "IAM identities" and "IAM
// identifiers".
namespace kms {

// An Account owns keys and entities.
struct Account {
  std::string id;  // 12 digits.
  base::WallTime created{};
};

enum class EntityKind : std::uint8_t { kUser, kGroup, kRole, kPolicy };

// The word in ARNs and in the store, at the index of its enumerator.
inline constexpr std::array<std::string_view, 4> kEntityKindNames = {
    "user", "group", "role", "policy"};
std::string_view EntityKindName(EntityKind kind);
std::optional<EntityKind> ParseEntityKind(std::string_view name);

// An Entity is a user, a group, a role or a customer managed policy. Names of
// one kind are unique in an account whatever their case.
struct Entity {
  std::string id;  // AIDA..., AGPA..., AROA..., ANPA...: never used twice.
  EntityKind kind = EntityKind::kUser;
  std::string account;
  std::string name;
  std::string path = "/";
  base::WallTime created{};
  std::string description;      // Of a role or policy.
  std::string trust_policy;     // Of a role.
  PolicyPrincipals trusted;     // Whom that names.
  int max_session = 3600;       // Of a role; seconds.
  std::string boundary;         // Of a user or role: ARN of a managed policy.
  std::string default_version;  // Of a policy: "v1".

  // "arn:aws:iam::ACCOUNT:user/path/name"
  std::string Arn() const;
};

// A unique id that no entity has had.
std::string NewEntityId(EntityKind kind);

// The name in lower case: what is unique.
std::string FoldedName(std::string_view name);

// A Document is a policy of an entity: an inline policy of a user, group or
// role, or a version of a managed policy.
struct Document {
  std::string name;  // Of a version: "v1".
  std::string text;
  base::WallTime created{};
};

// Rows that belong to an entity, beside its own.
struct EntityDocument {
  std::string entity_id;
  Document document;
};
struct Attachment {
  std::string entity_id;
  std::string policy_arn;
};
struct Membership {
  std::string group_id;
  std::string user_id;
};
struct EntityTag {
  std::string entity_id;
  Tag tag;
};

}  // namespace kms

#endif  // KMS_ENTITY_H_
