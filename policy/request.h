// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_REQUEST_H_
#define POLICY_REQUEST_H_

#include <cstdint>
#include <span>
#include <string_view>

namespace policy {

// One value of one condition key. A multivalued key has an entry for each of
// its values. `suffix` completes keys whose last part the caller chose
// ("kms:EncryptionContext:" + "department"). All views are borrowed.
struct ContextEntry {
  std::string_view key;
  std::string_view suffix;
  std::string_view value;
};

// A Request is all that a decision may depend on: who asks for which action on
// which resource, under which conditions. Building one has no side effects, so
// a test, the audit log and a simulator see what the server saw.
struct Request {
  std::string_view action;            // "kms:Decrypt"
  std::string_view resource;          // ARN, or "*" for none.
  std::string_view resource_account;  // 12 digits.
  // The service whose AWS managed key the resource is ("s3.amazonaws.com");
  // empty for every other resource.
  std::string_view resource_service;
  std::string_view principal;          // ARN.
  std::string_view principal_account;  // 12 digits.
  std::span<const ContextEntry> context;
};

enum class Verdict : std::uint8_t {
  kImplicitDeny,  // Nothing allowed it: the default.
  kExplicitDeny,  // Something denied it, or could not be evaluated.
  kAllow,
};
std::string_view VerdictName(Verdict verdict);

// A Decision is a Verdict and what settled it, for the audit log and for the
// sentence that the denied caller reads. Views are static or borrowed from the
// policy that decided.
struct Decision {
  Verdict verdict = Verdict::kImplicitDeny;
  std::string_view layer;   // "identity-based policy", "bootstrap", ...
  std::string_view sid;     // Statement that decided; may be empty.
  std::string_view reason;  // "no identity-based policy allows the ... action"
};

}  // namespace policy

#endif  // POLICY_REQUEST_H_
