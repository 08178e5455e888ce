// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_REQUEST_H_
#define POLICY_REQUEST_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace policy {

// One value of one condition key. A multivalued key has an entry for each of
// its values. `suffix` completes keys whose last part the caller chose
// ("kms:EncryptionContext:" + "department"). All views are borrowed.
struct ContextEntry {
  std::string_view key;
  std::string_view suffix;
  std::string_view value;
  // The key may have several values, though AWS has no such key. Those of AWS
  // that may need no mark.
  bool multivalued = false;
};

// IAM User Guide, "AWS JSON policy elements: Principal".
enum class PrincipalKind : std::uint8_t {
  kUser,
  kRoot,
  kAssumedRole,    // A role's session.
  kFederatedUser,  // A user's session under a name of its own.
  kService,        // "s3.amazonaws.com"
  kWebIdentity,    // Someone whom an identity provider vouches for.
};

// A Request is all that a decision may depend on: who asks for which action on
// which resource, under which conditions. Building one has no side effects, so
// a test, the audit log and a simulator see what the server saw. All views are
// borrowed.
struct Request {
  std::string_view action;            // "kms:Decrypt"
  std::string_view resource;          // ARN, or "*" for none.
  std::string_view resource_account;  // 12 digits.
  // The service whose AWS managed key the resource is ("s3.amazonaws.com");
  // empty for every other resource.
  std::string_view resource_service;
  // ARN: of a session its own, not its role's. A service's name; an identity
  // provider's ARN or name.
  std::string_view principal;
  std::string_view principal_account;  // 12 digits.
  std::span<const ContextEntry> context;
  PrincipalKind principal_kind = PrincipalKind::kUser;
  // Of an assumed role the role's ARN, with its path; of a federated user the
  // ARN of the user. Without it a role's session is matched to roles by name.
  std::string_view issuer = {};
  // Unique id of the user (AIDA...), or of a session's role (AROA...).
  std::string_view principal_id = {};
};

enum class Verdict : std::uint8_t {
  kImplicitDeny,  // Nothing allowed it: the default.
  kExplicitDeny,  // Something denied it, or could not be evaluated.
  kAllow,
};
std::string_view VerdictName(Verdict verdict);

// A Decision is a Verdict and what settled it, for the audit log and for the
// sentence that the denied caller reads. Views are static or borrowed from the
// policy or grant that decided.
struct Decision {
  Verdict verdict = Verdict::kImplicitDeny;
  std::string_view layer;   // "identity-based policy", "grant", ...
  std::string_view sid;     // Statement that decided, or a grant's id.
  std::string_view reason;  // "no identity-based policy allows the", "with an
                            // explicit deny in a resource-based policy"
  int policy = -1;          // Which of the layer's policies, if one decided.
};

// AWS's sentence for a request that `decision` does not allow: "User: ARN is
// not authorized to perform: ACTION on resource: ARN because no identity-based
// policy allows the ACTION action". IAM User Guide, "Troubleshoot access denied
// error messages".
std::string AccessDeniedText(const Request& request, const Decision& decision);

}  // namespace policy

#endif  // POLICY_REQUEST_H_
