// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_IDENTITY_PRINCIPALS_H_
#define KMS_IDENTITY_PRINCIPALS_H_

#include <sys/types.h>

#include <string_view>

#include "kms/caller.h"

namespace kms::identity {

// The user `name` of `account`, not an administrator. Their unique id follows
// from the ARN: the same user has the same id at every door.
Caller User(std::string_view account, std::string_view name);

// arn:aws:iam::ACCOUNT:user/admin, who may do everything in the account.
Caller Administrator(std::string_view account);

// The service principal `service` ("s3.amazonaws.com"), acting for `account`.
Caller Service(std::string_view account, std::string_view service);

// Whom a process on the Unix socket stands for: root and `own_uid`, the
// server's own, are the administrator; any other uid N is the user uid-N.
Caller UnixCaller(std::string_view account, uid_t uid, uid_t own_uid);

}  // namespace kms::identity

#endif  // KMS_IDENTITY_PRINCIPALS_H_
