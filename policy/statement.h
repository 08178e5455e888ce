// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_STATEMENT_H_
#define POLICY_STATEMENT_H_

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/action.h"
#include "policy/condition.h"
#include "policy/pattern.h"
#include "policy/request.h"
#include "policy/text.h"

// The compiled parts of a policy. Everything here is immutable once compiled,
// safe to read from any thread, and views the text that it was compiled from.
namespace policy {

enum class Effect : std::uint8_t { kAllow, kDeny };

// How a Principal element names a caller.
enum class PrincipalMatch : std::uint8_t {
  kNone,
  // The caller's account: what the statement allows is the account's to give.
  kAccount,
  // The role of the session, or the user behind a federated user.
  kIssuer,
  // The caller, or everyone.
  kDirect,
};

// Which unique id stands for an ARN that a policy names (IAM User Guide,
// "Unique identifiers"). A policy that was saved with ids does not let a
// principal in that was deleted and made again under its old name.
struct PrincipalId {
  std::string_view arn;
  std::string_view id;  // Empty: it is gone, and matches nobody.
};

// A PrincipalSet is the compiled Principal or NotPrincipal of a statement.
class PrincipalSet {
 public:
  enum class Kind : std::uint8_t {
    kEveryone,
    kAccount,  // 12 digits.
    kArn,      // A user, a role, or a session.
    kId,       // AIDA... or AROA...
    kService,
    kFederated,
  };
  struct Member {
    Kind kind;
    std::string_view text;
    // Of kArn, where the policy is bound to ids.
    bool bound = false;
    std::string_view id = {};
  };

  void Add(const Member& member) { members_.push_back(member); }
  std::span<const Member> members() const { return members_; }

  // How it names the caller; of several ways the one that says most.
  PrincipalMatch Find(const Request& request, bool deny) const;

 private:
  std::vector<Member> members_;
};

// How one member names the caller. A service is one of everyone only if `deny`.
PrincipalMatch FindMember(const PrincipalSet::Member& member,
                          const Request& request, bool deny);

// A ResourceMatcher is the compiled Resource or NotResource of a statement.
class ResourceMatcher {
 public:
  void AddEverything() { everything_ = true; }
  void Add(ArnPattern pattern) { patterns_.push_back(std::move(pattern)); }
  void Invert() { inverted_ = true; }

  // `parts` are those of the ARN; nullptr for "*".
  Match Matches(const ArnParts* parts,
                std::span<const ContextEntry> context) const;

  // Whether `is` holds for the key of a variable in it.
  template <typename Predicate>
  bool AnyVariable(Predicate is) const {
    return std::ranges::any_of(patterns_, [&is](const ArnPattern& pattern) {
      return pattern.AnyVariable(is);
    });
  }

 private:
  bool everything_ = false;
  bool inverted_ = false;
  std::vector<ArnPattern> patterns_;
};

struct Statement {
  std::string_view sid;
  Effect effect = Effect::kDeny;
  // A key policy's statement without Action or Resource: AWS KMS takes it, and
  // it has no effect.
  bool dead = false;
  bool has_principals = false;
  bool not_principal = false;
  PrincipalSet principals;
  ActionMatcher actions;
  bool has_resources = false;
  ResourceMatcher resources;
  std::vector<Condition> conditions;
};

}  // namespace policy

#endif  // POLICY_STATEMENT_H_
