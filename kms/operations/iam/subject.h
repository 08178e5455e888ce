// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_IAM_SUBJECT_H_
#define KMS_OPERATIONS_IAM_SUBJECT_H_

#include <string>
#include <string_view>

#include "base/result.h"
#include "kms/entity.h"
#include "kms/identity/directory.h"
#include "kms/operations/call.h"
#include "kms/store/identities.h"

// What a call to IAM is about.
namespace kms::operations::iam {

// A Kind is one row of what differs between users, groups, roles and policies.
struct Kind {
  EntityKind kind;
  std::string_view word;        // "User": an answer's element; in texts.
  std::string_view name;        // "UserName": the member that names one.
  std::string_view id;          // "UserId"
  std::string_view made;        // "userId": the same in the audit log.
  std::string_view plural;      // "Users": the list in an answer.
  std::string_view tag_action;  // "iam:TagUser"; "" if it has no tags.
  // IAM User Guide, "IAM and AWS STS quotas": the bytes that inline policies
  // may have together.
  std::size_t most_inline_bytes;
};

const Kind& KindOf(EntityKind kind);

// A Subject is a user, group, role or managed policy as a request names it.
struct Subject {
  const Kind& kind;
  std::string_view name;  // A managed policy that is there: its ARN.
};

// The one that the call is about: what the first member of the row's input that
// names one says. Without a UserName it is the caller's own user.
Subject SubjectOf(const Call& call);

// "The user with name x cannot be found."; kAccessDenied for a policy of AWS,
// which nobody changes.
base::Error NoSuch(const Subject& subject);

// Those of the caller's account: IAM reaches into no other. nullptr if there is
// none. `subject` is no policy of AWS.
const identity::Record* Find(const identity::Directory& directory,
                             std::string_view account, const Subject& subject);
base::Result<Entity> Get(store::Transaction& transaction,
                         std::string_view account, const Subject& subject);

// What the call is about, provided that it is still the one that the call has
// been authorized for. Fails with kNotFound.
base::Result<const identity::Record*> FindSubject(
    const Call& call, const identity::Directory& directory);
base::Result<Entity> GetSubject(const Call& call,
                                store::Transaction& transaction);

}  // namespace kms::operations::iam

#endif  // KMS_OPERATIONS_IAM_SUBJECT_H_
