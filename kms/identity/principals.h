// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_IDENTITY_PRINCIPALS_H_
#define KMS_IDENTITY_PRINCIPALS_H_

#include <string_view>

#include "kms/caller.h"

namespace kms::identity {

// The user `name` of `account` without any policy. Their unique id follows from
// the ARN, as that of an account's first administrator does.
Caller User(std::string_view account, std::string_view name);

// arn:aws:iam::ACCOUNT:user/admin with AWS's policy AdministratorAccess.
Caller Administrator(std::string_view account);

// The service principal `service` ("s3.amazonaws.com"), acting for `account`.
Caller Service(std::string_view account, std::string_view service);

// Whether `text` can be the ARN of a user or role:
// "arn:aws:iam::ACCOUNT:role/path/name". Says nothing of its existence.
bool IsUserOrRoleArn(std::string_view text);

}  // namespace kms::identity

#endif  // KMS_IDENTITY_PRINCIPALS_H_
