// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CALLER_H_
#define KMS_CALLER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "kms/key_policy.h"

namespace kms {

enum class CallerKind : std::uint8_t {
  kRoot,
  kUser,
  kAssumedRole,  // A session of a role.
  kService,
  kAnonymous,  // Nobody has said who it is: a token in the request will.
};

// A PolicyList is compiled policies that add up.
class PolicyList {
 public:
  void Add(PolicyPtr policy);

  bool empty() const { return views_.empty(); }
  std::span<const policy::Policy* const> views() const { return views_; }
  // Whether one of them asks for what is looked up only then.
  bool uses_resource_tags() const { return uses_resource_tags_; }
  bool uses_resource_aliases() const { return uses_resource_aliases_; }

 private:
  std::vector<PolicyPtr> policies_;
  std::vector<const policy::Policy*> views_;
  bool uses_resource_tags_ = false;
  bool uses_resource_aliases_ = false;
};

// What a user or role has. Immutable once shared.
struct CallerPolicies {
  PolicyList identity;  // Its own and its groups'.
  PolicyList boundary;  // At most one; empty: it has none.
};

// What temporary credentials add to a caller (IAM User Guide, "Temporary
// security credentials in IAM").
struct SessionFacts {
  base::WallTime issued{};
  base::WallTime expires{};
  std::string source_identity;     // Empty if none.
  std::string federated_provider;  // Of a web identity: the issuer.
  PolicyList policies;             // Session policies; empty: none.
  // Session tags that a role which this session assumes inherits, by key.
  std::vector<std::string> transitive_tags;
};

// A Caller is who makes a request, as its door has authenticated them.
// Immutable once shared.
struct Caller {
  CallerKind kind = CallerKind::kUser;
  std::string account;  // 12 digits; for a service, whom it acts for.
  // "arn:aws:iam::ACCOUNT:user/admin"; of a role's session
  // "arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION"; a service's principal has
  // no ARN, and its name stands here: "s3.amazonaws.com".
  std::string arn;
  // Unique id: AIDA..., AROA...:SESSION, or the account for root.
  std::string principal_id;
  std::string user_name;      // Of a user.
  std::string role_arn;       // Of a role's session: the role's, with its path.
  std::string role_name;      // Likewise.
  std::string access_key_id;  // Empty on the Unix socket.
  std::string service;        // Of kService: "s3.amazonaws.com"; else empty.
  // The operator, on the Unix socket: whom the daemon's own files belong to.
  bool administrator = false;
  std::vector<std::pair<std::string, std::string>> tags;  // By key.
  std::shared_ptr<const CallerPolicies> policies;         // nullptr: none.
  std::shared_ptr<const SessionFacts> session;  // Of temporary credentials.

  // The unique id without the name of the session.
  std::string_view UniqueId() const;
};

}  // namespace kms

#endif  // KMS_CALLER_H_
