// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_EXPLAIN_PRINCIPALS_H_
#define KMS_OPERATIONS_EXPLAIN_PRINCIPALS_H_

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "kms/operations/explain/subject.h"

// Whom requests that are looked at are of.
namespace kms::operations {

// The session that stands for a role whose sessions are not told apart.
inline constexpr std::string_view kAnySession = "explained";

// The account in an ARN; empty for what is none.
std::string AccountOfArn(std::string_view arn);

// Whom `arn` stands for now, as the doors would have it: a user, a session of a
// role (of the role itself its session kAnySession), an account's root, or a
// service by its name, which then acts for `account`. Sessions have begun at
// `time`, and have no policies and tags of their own. Fails with kNotFound if
// there is no such principal here.
base::Result<CallerPtr> FindCaller(const Environment& environment,
                                   std::string_view arn,
                                   std::string_view account,
                                   base::WallTime time);

// Whom an event's userIdentity names, with the policies of now.
struct RecordedCaller {
  CallerPtr caller;              // Never null.
  std::optional<WebCaller> web;  // Nobody had signed the request.
  std::string note = {};         // What is not as it was; empty: nothing.
};
RecordedCaller CallerOfEvent(const Environment& environment,
                             const base::Json& event, base::WallTime time);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_EXPLAIN_PRINCIPALS_H_
