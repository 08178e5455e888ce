// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_POLICY_H_
#define POLICY_POLICY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/json.h"
#include "policy/statement.h"

// IAM User Guide, "Grammar of the IAM JSON policy language" and "Policies and
// permissions in IAM"; AWS KMS Developer Guide, "Key policies in AWS KMS".
namespace policy {

// What a document is for decides which elements it must and may not have.
enum class PolicyKind : std::uint8_t {
  kKey,
  kIdentity,  // Inline or managed, of a user, group or role.
  kPermissionsBoundary,
  kSession,
  kTrust,            // Who may assume a role.
  kServiceControl,   // SCP: bounds the principals of an account.
  kResourceControl,  // RCP: bounds the resources of an account.
  kResource,         // Of another service's resource.
};

// The size that a document of this kind may have, in bytes. IAM's own quotas
// are smaller and are the callers' (they add up over a user's policies).
std::size_t MostBytes(PolicyKind kind);

// The size that IAM's quotas count: white space outside of strings is free.
std::size_t SizeWithoutWhiteSpace(std::string_view document);

// A Policy is a compiled policy document. Immutable; safe to read from any
// thread. Moving it keeps views of its statements valid.
class Policy {
 public:
  // Parses and compiles `text`. Keeps a copy of `text` and of `ids`. Users,
  // roles and sessions that `ids` lists are matched by unique id beside their
  // ARN; others by ARN alone. Fails with kMalformedPolicy and what to mend, or
  // with kLimitExceeded.
  static base::Result<Policy> Parse(PolicyKind kind, std::string_view text,
                                    std::span<const PrincipalId> ids = {});

  // Compiles `document`, a value of `json`. The Policy views the text that
  // `json` was parsed from, `json`, and the ids.
  static base::Result<Policy> Compile(PolicyKind kind, const JsonText& json,
                                      const JsonNode& document,
                                      std::span<const PrincipalId> ids = {});

  // What stands for a stored document that can no longer be read: it denies
  // everyone everything.
  static Policy Unreadable();

  Policy(Policy&&) = default;
  Policy& operator=(Policy&&) = default;

  bool readable() const { return readable_; }
  std::span<const Statement> statements() const { return statements_; }

  // Whether it may ask for aws:ResourceTag/... or for kms:ResourceAliases,
  // which a request's context need not hold otherwise. True of whatever Parse
  // has not looked through.
  bool uses_resource_tags() const { return uses_resource_tags_; }
  bool uses_resource_aliases() const { return uses_resource_aliases_; }

  // The ARNs and ids of users, roles and sessions that Principal and
  // NotPrincipal name, and the 12 digits of accounts. Views of this.
  std::vector<std::string_view> NamedPrincipals() const;

 private:
  // What statements view.
  struct Source {
    std::string text;
    std::optional<JsonText> json;
    std::vector<std::string> ids;
  };

  Policy() = default;

  std::unique_ptr<const Source> source_;
  std::vector<Statement> statements_;
  bool readable_ = true;
  bool uses_resource_tags_ = true;
  bool uses_resource_aliases_ = true;
};

}  // namespace policy

#endif  // POLICY_POLICY_H_
