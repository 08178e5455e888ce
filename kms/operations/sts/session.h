// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_STS_SESSION_H_
#define KMS_OPERATIONS_STS_SESSION_H_

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kms/identity/directory.h"
#include "kms/identity/session.h"
#include "kms/json_writer.h"
#include "kms/operations/call.h"

// What the operations of AWS STS have in common. AWS STS API Reference; IAM
// User Guide, "Temporary security credentials in IAM" and "Pass session tags in
// AWS STS".
namespace kms::operations {

// The role that member RoleArn names; nullptr if there is none.
const identity::Record* RequestedRole(const Call& call,
                                      const identity::Directory& directory);

// Adds the checks of assuming the role: `action`, and what session tags and a
// source identity need. A role that does not exist is asked for like one that
// trusts nobody: who may not assume it does not learn whether it is there.
void AddRoleChecks(Call& call, const identity::Record* role);

// What can be known of a session before the caller is let in: the constraints
// that its members have among each other. Fails with kValidation,
// kMalformedPolicy or kLimitExceeded.
base::Status CheckSessionMembers(const Call& call);

// A session of `role` as the request wants it. Fails with kValidation if the
// duration is longer than the role allows, or if a transitive tag or the source
// identity of the caller's own session would change.
base::Result<identity::Session> StartRoleSession(
    const Call& call, const identity::Directory& directory,
    const identity::Record& role);

// The times and credentials of a new session.
void FillCredentials(const Call& call, std::int64_t seconds,
                     identity::Session& session);

// Makes the session's token, and writes member Credentials; adds to `writer`
// what there is to say of the size of a role's session.
boost::asio::awaitable<base::Status> WriteCredentials(
    Call& call, const identity::Session& session, JsonWriter& writer);

// Members AssumedRoleUser, PackedPolicySize and SourceIdentity.
void WriteRoleSession(const identity::Record& role,
                      const identity::Session& session, JsonWriter& writer);

// The condition keys of what is asked of STS.
void AddStsContext(Call& call);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_STS_SESSION_H_
