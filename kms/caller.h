// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CALLER_H_
#define KMS_CALLER_H_

#include <cstdint>
#include <string>

namespace kms {

enum class CallerKind : std::uint8_t { kRoot, kUser, kService };

// A Caller is who makes a request, as its door has authenticated them.
struct Caller {
  CallerKind kind = CallerKind::kUser;
  std::string account;  // 12 digits; for a service, whom it acts for.
  // "arn:aws:iam::ACCOUNT:user/admin"; a service's principal has no ARN, and
  // its name stands here: "s3.amazonaws.com".
  std::string arn;
  std::string principal_id;   // Unique id: AIDA..., or the account for root.
  std::string user_name;      // Of a user.
  std::string access_key_id;  // Empty on the Unix socket.
  std::string service;        // Of kService: "s3.amazonaws.com"; else empty.
  // The bootstrap administrator, who may do everything in the account.
  bool administrator = false;
};

}  // namespace kms

#endif  // KMS_CALLER_H_
