// SPDX-License-Identifier: Apache-2.0
#include "policy/decide.h"

#include <algorithm>
#include <array>
#include <optional>

namespace policy {
namespace {

// AWS KMS Developer Guide, "Allowing users in other accounts to use a KMS key":
// no other operation works on another account's key, whatever policies say.
constexpr KmsActions kAcrossAccounts =
    Bit("CreateGrant") | Bit("Decapsulate") | Bit("Decrypt") |
    Bit("DeriveSharedSecret") | Bit("DescribeKey") | Bit("Encapsulate") |
    Bit("Encrypt") | Bit("GenerateDataKey") | Bit("GenerateDataKeyPair") |
    Bit("GenerateDataKeyPairWithoutPlaintext") |
    Bit("GenerateDataKeyWithoutPlaintext") | Bit("GenerateMac") |
    Bit("GetKeyRotationStatus") | Bit("GetPublicKey") | Bit("ListGrants") |
    Bit("ReEncryptFrom") | Bit("ReEncryptTo") | Bit("RetireGrant") |
    Bit("RevokeGrant") | Bit("Sign") | Bit("Verify") | Bit("VerifyMac");

// The halves of AWS's sentence, by Layer.
struct Words {
  std::string_view denies;
  std::string_view does_not_allow;
};
constexpr std::array<Words, 6> kWords = {{
    {"with an explicit deny in a service control policy",
     "no service control policy allows the"},
    {"with an explicit deny in a resource control policy",
     "no resource control policy allows the"},
    {"with an explicit deny in a resource-based policy",
     "no resource-based policy allows the"},
    {"with an explicit deny in an identity-based policy",
     "no identity-based policy allows the"},
    {"with an explicit deny in a permissions boundary",
     "no permissions boundary allows the"},
    {"with an explicit deny in a session policy",
     "no session policy allows the"},
}};

const Words& WordsOf(Layer layer) {
  return kWords.at(static_cast<std::size_t>(layer));
}

// Whose policies decide about a resource.
enum class ResourceKind : std::uint8_t {
  kKey,            // Key policy, with identity policies only where it says so.
  kTrustedRole,    // Likewise the trust policy of a role that is to be assumed.
  kWithoutPolicy,  // Aliases, and operations on nothing: identity policies.
  kOther,          // Identity policies or the resource's policy.
};

ResourceKind KindOf(const RequestView& view) {
  const ArnParts* const arn = view.resource();
  if (view.action().is_kms()) {
    const bool key =
        arn != nullptr && (*arn)[2] == "kms" && (*arn)[5].starts_with("key/");
    return key ? ResourceKind::kKey : ResourceKind::kWithoutPolicy;
  }
  const bool role = view.action().folded().starts_with("sts:") &&
                    arn != nullptr && (*arn)[2] == "iam" &&
                    (*arn)[5].starts_with("role/");
  return role ? ResourceKind::kTrustedRole : ResourceKind::kOther;
}

// A statement, and which of a layer's policies it is in.
struct Found {
  const Statement* statement = nullptr;
  int policy = -1;

  explicit operator bool() const { return statement != nullptr; }
  void Set(const Statement* found, int index) {
    if (statement == nullptr && found != nullptr) {
      *this = {found, index};
    }
  }
};

// One evaluation, from the layers to the verdict.
class Decider {
 public:
  Decider(const Request& request, const Authority& authority, Trace* trace,
          const Assumption* assumption)
      : authority_(authority), view_(request, assumption), trace_(trace) {
    const PrincipalKind kind = request.principal_kind;
    has_identity_ =
        kind != PrincipalKind::kService && kind != PrincipalKind::kWebIdentity;
    is_root_ = kind == PrincipalKind::kRoot;
    same_account_ = request.principal_account == request.resource_account;
  }

  Decision Run() {
    if (!view_.valid()) {
      return {.reason = "the request cannot be evaluated"};
    }
    EvaluateLayers();
    if (denied_) {
      return *denied_;
    }
    if (missing_level_) {
      return NotAllowedBy(Layer::kServiceControl);
    }
    switch (KindOf(view_)) {
      case ResourceKind::kKey:
        return DecideKey();
      case ResourceKind::kTrustedRole:
        return DecideByResourcePolicy(/*identity_suffices=*/false);
      case ResourceKind::kWithoutPolicy:
        return DecideByIdentity();
      case ResourceKind::kOther:
        return DecideByResourcePolicy(/*identity_suffices=*/true);
    }
    return {};
  }

 private:
  // What a layer's policies say together.
  struct Union {
    bool allowed = false;
    Found allow;
  };

  Outcome EvaluateOne(Layer layer, const Policy& policy, int index) {
    if (trace_ != nullptr) {
      trace_->layer = layer;
      trace_->policy = static_cast<std::size_t>(index);
    }
    const Outcome outcome =
        Evaluate(policy, view_, !authority_.boundary.empty(), trace_);
    if (outcome.deny != nullptr && !denied_) {
      denied_ = Decision{.verdict = Verdict::kExplicitDeny,
                         .layer = LayerName(layer),
                         .sid = outcome.deny->sid,
                         .reason = WordsOf(layer).denies,
                         .policy = index};
    }
    return outcome;
  }

  // `first` counts the policies of earlier levels.
  Union EvaluateSet(Layer layer, PolicySet policies, int first = 0) {
    Union all;
    for (const Policy* const policy : policies) {
      all.allow.Set(EvaluateOne(layer, *policy, first).direct, first);
      ++first;
    }
    all.allowed = static_cast<bool>(all.allow);
    return all;
  }

  // INVARIANT: the order is that of Layer, so that the first denial found is
  // the one to report.
  void EvaluateLayers() {
    if (has_identity_) {
      EvaluateServiceControl();
    }
    int first = 0;
    for (const PolicySet level : authority_.resource_control) {
      // Each level has RCPFullAWSAccess: nothing there can be missing.
      EvaluateSet(Layer::kResourceControl, level, first);
      first += static_cast<int>(level.size());
    }
    if (authority_.resource_policy != nullptr) {
      resource_ = EvaluateOne(Layer::kResource, *authority_.resource_policy, 0);
    }
    if (!has_identity_) {
      return;
    }
    identity_ = EvaluateSet(Layer::kIdentity, authority_.identity);
    identity_.allowed |= is_root_;
    boundary_ = EvaluateSet(Layer::kBoundary, authority_.boundary);
    boundary_.allowed |= authority_.boundary.empty();
    session_ = EvaluateSet(Layer::kSession, authority_.session);
    session_.allowed |= authority_.session.empty();
  }

  void EvaluateServiceControl() {
    int first = 0;
    for (const PolicySet level : authority_.service_control) {
      const Union all = EvaluateSet(Layer::kServiceControl, level, first);
      missing_level_ |= !all.allowed;
      first += static_cast<int>(level.size());
    }
  }

  static Decision NotAllowedBy(Layer layer) {
    return {.layer = LayerName(layer), .reason = WordsOf(layer).does_not_allow};
  }

  static Decision AllowedBy(Layer layer, const Found& found) {
    return {.verdict = Verdict::kAllow,
            .layer = LayerName(layer),
            .sid = found ? found.statement->sid : std::string_view(),
            .policy = found.policy};
  }

  Decision AllowedByResource(const Statement* statement) const {
    return AllowedBy(Layer::kResource, {statement, 0});
  }

  // Whether neither boundary nor session policy stands in the way; if one does,
  // which.
  std::optional<Decision> Limit() const {
    if (!boundary_.allowed) {
      return NotAllowedBy(Layer::kBoundary);
    }
    if (!session_.allowed) {
      return NotAllowedBy(Layer::kSession);
    }
    return std::nullopt;
  }

  // Identity policies, within boundary and session policy. The root needs none.
  Decision Identity() const {
    if (!identity_.allowed) {
      return NotAllowedBy(Layer::kIdentity);
    }
    if (const auto limit = Limit()) {
      return *limit;
    }
    if (is_root_) {
      return {.verdict = Verdict::kAllow, .layer = "account root"};
    }
    return AllowedBy(Layer::kIdentity, identity_.allow);
  }

  Decision DecideByIdentity() const {
    if (!has_identity_ || !same_account_) {
      return NotAllowedBy(Layer::kResource);
    }
    return Identity();
  }

  // IAM User Guide, "Evaluating identity-based policies with resource-based
  // policies" and "... with permissions boundaries".
  Decision DecideByResourcePolicy(bool identity_suffices) const {
    if (!has_identity_) {
      return resource_.direct != nullptr ? AllowedByResource(resource_.direct)
                                         : NotAllowedBy(Layer::kResource);
    }
    if (!same_account_) {
      return resource_.allows_somehow() ? Identity()
                                        : NotAllowedBy(Layer::kResource);
    }
    if (resource_.direct != nullptr) {
      return AllowedByResource(resource_.direct);
    }
    const auto limit = Limit();
    if (resource_.issuer != nullptr && !limit) {
      return AllowedByResource(resource_.issuer);
    }
    if (resource_.delegation != nullptr || identity_suffices) {
      return Identity();
    }
    return resource_.issuer != nullptr ? *limit
                                       : NotAllowedBy(Layer::kResource);
  }

  Decision DecideKey() const {
    const KmsActions bit = view_.action().bit();
    if (has_identity_ && !same_account_ && (kAcrossAccounts & bit) == 0) {
      return NotAllowedBy(Layer::kResource);
    }
    if (bit == Bit("RetireGrant")) {
      return DecideRetirement();
    }
    const Decision by_policies =
        DecideByResourcePolicy(/*identity_suffices=*/false);
    if (by_policies.verdict == Verdict::kAllow) {
      return by_policies;
    }
    for (const Grant& grant : authority_.grants) {
      if (IsOpenedBy(grant)) {
        return AllowedByGrant(grant);
      }
    }
    return by_policies;
  }

  bool IsOpenedBy(const Grant& grant) const {
    GrantMatch match = MatchGrant(grant, view_);
    const bool opened = Opens(match.principal);
    if (match.principal != PrincipalMatch::kNone && !opened) {
      match.outcome = GrantTrace::Outcome::kNotAllowed;
    }
    if (trace_ != nullptr) {
      trace_->grants.push_back({grant.id, match.outcome});
    }
    return opened;
  }

  static Decision AllowedByGrant(const Grant& grant) {
    return {.verdict = Verdict::kAllow, .layer = "grant", .sid = grant.id};
  }

  // Whether what a grant says about the caller in this way lets it through:
  // whoever it names needs no identity policy, but stays within boundary and
  // session policy; an account that it names can let in whom it wants.
  bool Opens(PrincipalMatch match) const {
    switch (match) {
      case PrincipalMatch::kNone:
        return false;
      case PrincipalMatch::kAccount:
        return Identity().verdict == Verdict::kAllow;
      case PrincipalMatch::kIssuer:
      case PrincipalMatch::kDirect:
        return !has_identity_ || !Limit();
    }
    return false;
  }

  // AWS KMS Developer Guide, "Retiring and revoking grants": the grant says who
  // may, and no key policy can.
  Decision DecideRetirement() const {
    const Grant* const grant = authority_.retired;
    if (grant == nullptr) {
      return NotAllowedBy(Layer::kResource);
    }
    const Request& request = view_.request();
    const bool grantee_may = (grant->operations & Bit("RetireGrant")) != 0;
    const bool issuer_may =
        has_identity_ && request.principal_account == grant->issuing_account;
    if (Opens(FindPrincipal(grant->retiring, grant->retiring_id, request)) ||
        (grantee_may &&
         Opens(FindPrincipal(grant->grantee, grant->grantee_id, request))) ||
        (issuer_may && Opens(PrincipalMatch::kAccount))) {
      return AllowedByGrant(*grant);
    }
    return issuer_may ? Identity() : NotAllowedBy(Layer::kResource);
  }

  const Authority& authority_;
  RequestView view_;
  Trace* trace_;
  bool has_identity_ = false;
  bool is_root_ = false;
  bool same_account_ = false;

  std::optional<Decision> denied_;
  bool missing_level_ = false;
  Outcome resource_;
  Union identity_;
  Union boundary_;
  Union session_;
};

}  // namespace

Decision Decide(const Request& request, const Authority& authority,
                Trace* trace, const Assumption* assumption) {
  return Decider(request, authority, trace, assumption).Run();
}

}  // namespace policy
