// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_EVALUATE_H_
#define POLICY_EVALUATE_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "policy/action.h"
#include "policy/assumption.h"
#include "policy/policy.h"
#include "policy/request.h"
#include "policy/statement.h"

// What one policy says to a request. IAM User Guide, "Policy evaluation logic".
namespace policy {

// A RequestView is a Request made ready for many statements. It borrows the
// request and the assumption. Not copyable: it views itself.
class RequestView {
 public:
  // `assumption` is for a request of which not all is known; nullptr: what the
  // context lacks is absent.
  explicit RequestView(const Request& request,
                       const Assumption* assumption = nullptr);
  RequestView(const RequestView&) = delete;
  RequestView& operator=(const RequestView&) = delete;

  // Whether policies can speak of it at all: its action is not absurdly long,
  // and its resource is "*" or an ARN.
  bool valid() const {
    return action_.valid() && (parts_ || request_.resource == "*");
  }
  const Request& request() const { return request_; }
  const RequestedAction& action() const { return action_; }
  // Of the resource; nullptr if it is "*".
  const ArnParts* resource() const { return parts_ ? &*parts_ : nullptr; }
  const Assumption* assumption() const { return assumption_; }

 private:
  const Request& request_;
  const Assumption* assumption_;
  RequestedAction action_;
  std::optional<ArnParts> parts_;
};

// Where policies come from. In the order in which a denial is reported.
enum class Layer : std::uint8_t {
  kServiceControl,
  kResourceControl,
  kResource,  // Key policies and trust policies.
  kIdentity,
  kBoundary,
  kSession,
};
std::string_view LayerName(Layer layer);  // "identity-based policy"
// Whether the layer of this name belongs to the resource or its account.
bool IsOfResource(std::string_view layer_name);

// What became of one statement. The views and pointers are of the policies and
// the request that were evaluated.
struct StatementTrace {
  enum class Outcome : std::uint8_t {
    kMatched,
    kDead,  // Without Action or Resource.
    kAction,
    kPrincipal,
    kResource,
    kCondition,
    kUnevaluable,  // Counts as matched if it denies.
  };

  Layer layer = Layer::kResource;
  std::size_t policy = 0;  // Index among the layer's policies.
  std::size_t index = 0;   // Of the statement in it.
  std::string_view sid;
  Effect effect = Effect::kDeny;
  Outcome outcome = Outcome::kMatched;
  // Of kCondition and kUnevaluable: the first that did not hold, and the values
  // that the request has for its key.
  const Condition* condition = nullptr;
  std::vector<std::string_view> actual;
};
std::string_view OutcomeName(StatementTrace::Outcome outcome);  // "condition"

// What became of one grant.
struct GrantTrace {
  enum class Outcome : std::uint8_t {
    kMatched,
    kOperation,
    kConstraint,
    kChild,  // It does not cover the grant that is to be created.
    kGrantee,
    // Boundary or session policy do not allow, or, if the grantee is an
    // account, identity policies do not.
    kNotAllowed,
  };

  std::string_view id;
  Outcome outcome = Outcome::kMatched;
};
std::string_view OutcomeName(GrantTrace::Outcome outcome);  // "grantee"

// A Trace collects what each statement did, and each grant that was looked at,
// for explanations. Evaluating with one looks at every statement, and
// allocates. Not synchronised.
struct Trace {
  std::vector<StatementTrace> statements;
  std::vector<GrantTrace> grants;
  // Where statements that come next belong.
  Layer layer = Layer::kResource;
  std::size_t policy = 0;
};

// What a policy says: the first statement that denies, and the first that
// allows in each of the ways in which a Principal element can name the caller.
// A policy without principals allows directly. nullptr: there is none.
struct Outcome {
  const Statement* deny = nullptr;
  const Statement* direct = nullptr;      // Names the caller, or everyone.
  const Statement* issuer = nullptr;      // Names the role of the session.
  const Statement* delegation = nullptr;  // Names the caller's account.

  bool allows_somehow() const {
    return direct != nullptr || issuer != nullptr || delegation != nullptr;
  }
};

// Evaluates `policy`. A statement that cannot be evaluated counts as matched if
// it denies and as unmatched if it allows. `has_boundary` tells whether the
// caller has a permissions boundary, which a NotPrincipal never exempts.
// Allocates nothing without `trace`.
Outcome Evaluate(const Policy& policy, const RequestView& view,
                 bool has_boundary = false, Trace* trace = nullptr);

}  // namespace policy

#endif  // POLICY_EVALUATE_H_
