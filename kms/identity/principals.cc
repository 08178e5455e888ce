// SPDX-License-Identifier: Apache-2.0
#include "kms/identity/principals.h"

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/hash.h"
#include "kms/grant.h"
#include "kms/identity/aws_policies.h"

namespace kms::identity {
namespace {

// AWS IAM User Guide, "IAM identifiers": AIDA begins a user's unique id. 17
// characters of base32 carry 85 bits of the digest.
std::string UniqueId(std::string_view arn) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  constexpr std::size_t kDigits = 17;
  const base::Digest digest = base::ThreadHasher().Sha256(base::AsBytes(arn));
  std::string id = "AIDA";
  for (std::size_t i = 0; i < kDigits; ++i) {
    id += kAlphabet[digest[i] % kAlphabet.size()];
  }
  return id;
}

}  // namespace

Caller User(std::string_view account, std::string_view name) {
  Caller caller;
  caller.kind = CallerKind::kUser;
  caller.account = account;
  caller.user_name = name;
  caller.arn = "arn:aws:iam::" + caller.account + ":user/" + caller.user_name;
  caller.principal_id = UniqueId(caller.arn);
  return caller;
}

Caller Administrator(std::string_view account) {
  Caller caller = User(account, "admin");
  static const auto policies = [] {
    auto administrator = std::make_shared<CallerPolicies>();
    administrator->identity.Add(
        CompiledAwsPolicy(*FindAwsPolicy(kAdministratorAccessArn)));
    return administrator;
  }();
  caller.policies = policies;
  return caller;
}

Caller Service(std::string_view account, std::string_view service) {
  Caller caller;
  caller.kind = CallerKind::kService;
  caller.account = account;
  caller.arn = service;
  caller.principal_id = service;
  caller.service = service;
  return caller;
}

bool IsUserOrRoleArn(std::string_view text) {
  return AccountOfPrincipal(text) && text.starts_with("arn:aws:iam::") &&
         !text.ends_with(":root") && !text.ends_with('/');
}

}  // namespace kms::identity
