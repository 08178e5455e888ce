// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CALLER_H_
#define KMS_CALLER_H_

#include <cstdint>
#include <string>

namespace kms {

enum class CallerKind : std::uint8_t { kRoot, kUser };

// A Caller is who makes a request, as its door has authenticated them.
struct Caller {
  CallerKind kind = CallerKind::kUser;
  std::string account;        // 12 digits.
  std::string arn;            // "arn:aws:iam::ACCOUNT:user/admin"
  std::string principal_id;   // Unique id: AIDA..., or the account for root.
  std::string user_name;      // Empty for root.
  std::string access_key_id;  // Empty on the Unix socket.
  // The bootstrap administrator, who may do everything in the account.
  bool administrator = false;
};

}  // namespace kms

#endif  // KMS_CALLER_H_
