// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_IAM_MANAGED_POLICY_H_
#define KMS_OPERATIONS_IAM_MANAGED_POLICY_H_

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kms/identity/directory.h"
#include "kms/json_writer.h"
#include "kms/operations/call.h"
#include "kms/operations/iam/answer.h"

// Managed policies: AWS's, which look like those of an account "aws", and the
// customer's.
namespace kms::operations::iam {

inline constexpr std::string_view kFirstVersion = "v1";

// What PolicyUsageFilter can say.
inline constexpr std::string_view kAsPermissions = "PermissionsPolicy";
inline constexpr std::string_view kAsBoundary = "PermissionsBoundary";

// By name.
std::span<const identity::Record> AwsPolicyRecords();

// AWS's, or that of `account`; nullptr if there is none.
const identity::Record* FindPolicy(const identity::Directory& directory,
                                   std::string_view account,
                                   std::string_view arn);

// The one that the call is about. Fails with kNotFound.
base::Result<const identity::Record*> FindPolicySubject(
    const Call& call, const identity::Directory& directory);

// Where a policy stands in listings: AWS's first, then by name.
std::string PolicyKey(const identity::Record& policy);

// How many entities of an account have each policy, by its ARN.
struct Uses {
  std::map<std::string, int, std::less<>> attached;
  std::map<std::string, int, std::less<>> boundaries;
};
Uses UsesIn(const identity::Directory& directory, std::string_view account);

// The members of a policy; listings (kBrief) leave out some.
void WritePolicy(const identity::Record& policy, const Uses& uses,
                 Detail detail, JsonWriter& writer);

}  // namespace kms::operations::iam

#endif  // KMS_OPERATIONS_IAM_MANAGED_POLICY_H_
