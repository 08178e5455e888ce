// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_GRANT_H_
#define POLICY_GRANT_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "policy/action.h"
#include "policy/evaluate.h"
#include "policy/request.h"
#include "policy/statement.h"

// AWS KMS Developer Guide, "Grants in AWS KMS".
namespace policy {

struct ContextPair {
  std::string_view key;
  std::string_view value;
};

// A Grant is what a decision must know of a grant on the key that the request
// is about. All views are borrowed.
struct Grant {
  enum class Constraint : std::uint8_t { kNone, kEquals, kSubset };

  std::string_view id;
  // ARN of a principal, an account's root among them, or a service's name.
  std::string_view grantee;
  // The unique id of a user or role at the time of the grant; empty if unknown.
  std::string_view grantee_id = {};
  KmsActions operations = 0;
  Constraint constraint = Constraint::kNone;
  std::span<const ContextPair> pairs = {};  // Of the constraint; unique keys.
  std::string_view source_arn = {};         // Empty if unconstrained.
  // For a request to create a grant: that grant allows no more than this one.
  bool covers_child = false;
  // For a request to retire this grant.
  std::string_view retiring = {};     // As `grantee`; empty if nobody may.
  std::string_view retiring_id = {};  // As `grantee_id`.
  std::string_view issuing_account = {};
};

// How `name`, the ARN of a principal or the name of a service, names the
// caller. The ARN of an account's root names its users and sessions as
// kAccount.
PrincipalMatch FindPrincipal(std::string_view name, std::string_view id,
                             const Request& request);

// How a grant speaks to a request.
struct GrantMatch {
  GrantTrace::Outcome outcome = GrantTrace::Outcome::kMatched;
  PrincipalMatch principal = PrincipalMatch::kNone;
};

// Whether `grant` holds the request's action, its constraint is met, and how it
// names the caller. Allocates nothing without an assumption.
GrantMatch MatchGrant(const Grant& grant, const RequestView& view);

}  // namespace policy

#endif  // POLICY_GRANT_H_
