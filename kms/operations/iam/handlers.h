// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_IAM_HANDLERS_H_
#define KMS_OPERATIONS_IAM_HANDLERS_H_

#include "base/result.h"
#include "kms/operations/call.h"
#include "kms/operations/handlers.h"

// What the rows of table.cc point to. One function serves users, groups, roles
// and policies alike wherever IAM's operations differ by no more than names:
// what a call is about, SubjectOf() says (subject.h). Each stands in the file
// that the line above it names.
namespace kms::operations::iam {

// Fails with kValidation if UserName is left out by who is no user.
base::Status ValidateUserName(const Call& call);
// Fails as CheckTags does. Tag keys of IAM do not depend on case.
base::Status ValidateTags(const Call& call);
base::Status ValidateTagKeys(const Call& call);

// One check, of the row's action: on what the call is about, on what it will
// make, or on "*". What does not exist counts as being at the path "/", so that
// nobody without permission learns that it does not.
base::Status ResolveSubject(Call& call);
base::Status ResolveNew(Call& call);

// entities.cc
Answer CreateEntity(Call& call);
Answer GetEntity(Call& call);
Answer GetGroup(Call& call);
Answer ListUsers(Call& call);
Answer ListGroups(Call& call);
Answer ListRoles(Call& call);
Answer ListInstanceProfilesForRole(Call& call);
Answer DeleteEntity(Call& call);

// roles.cc
Answer UpdateRole(Call& call);
Answer UpdateAssumeRolePolicy(Call& call);

// tags.cc
Answer TagEntity(Call& call);
Answer UntagEntity(Call& call);
Answer ListEntityTags(Call& call);

// members.cc
Answer AddUserToGroup(Call& call);
Answer RemoveUserFromGroup(Call& call);
Answer ListGroupsForUser(Call& call);

// access_keys.cc
Answer CreateAccessKey(Call& call);
Answer ListAccessKeys(Call& call);
Answer UpdateAccessKey(Call& call);
Answer DeleteAccessKey(Call& call);

// inline_policies.cc
Answer PutInlinePolicy(Call& call);
Answer GetInlinePolicy(Call& call);
Answer ListInlinePolicies(Call& call);
Answer DeleteInlinePolicy(Call& call);

// attachments.cc
Answer AttachPolicy(Call& call);
Answer DetachPolicy(Call& call);
Answer ListAttachedPolicies(Call& call);
Answer ListEntitiesForPolicy(Call& call);

// boundaries.cc
Answer PutBoundary(Call& call);
Answer DeleteBoundary(Call& call);

// managed_policies.cc
Answer GetPolicy(Call& call);
Answer ListPolicies(Call& call);
Answer DeletePolicy(Call& call);

// versions.cc
Answer CreatePolicyVersion(Call& call);
Answer GetPolicyVersion(Call& call);
Answer ListPolicyVersions(Call& call);
Answer DeletePolicyVersion(Call& call);
Answer SetDefaultPolicyVersion(Call& call);

}  // namespace kms::operations::iam

#endif  // KMS_OPERATIONS_IAM_HANDLERS_H_
