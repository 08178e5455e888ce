// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/mac.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxMessage = 4096;
constexpr std::string_view kCheckMessage = "claviger-material-1";

}  // namespace

base::Result<base::Bytes> Mac(Sessions& sessions, Algorithm algorithm,
                              ObjectHandle object, base::ByteView message) {
  const MacRow* row = FindMac(algorithm);
  if (row == nullptr) {
    return Error{ErrorCode::kInvalidArgument, "the key is not for HMAC"};
  }
  if (message.empty() || message.size() > kMaxMessage) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("a message of {} bytes, not 1 to {}",
                             message.size(), kMaxMessage)};
  }
  ASSIGN_OR_RETURN(Session* const session, sessions.Working());
  ASSIGN_OR_RETURN(base::Bytes mac,
                   session->Sign({row->mechanism}, object, message).Take());
  if (mac.size() != row->mac_size) {
    return Error{ErrorCode::kCorrupt, fmt::format("a MAC of {} bytes, not {}",
                                                  mac.size(), row->mac_size)};
  }
  return mac;
}

base::Result<CheckValue> SelfTestMac(Sessions& sessions, Algorithm algorithm,
                                     ObjectHandle object) {
  const base::ByteView message = base::AsBytes(kCheckMessage);
  ASSIGN_OR_RETURN(const base::Bytes mac,
                   Mac(sessions, algorithm, object, message));
  ASSIGN_OR_RETURN(const base::Bytes again,
                   Mac(sessions, algorithm, object, message));
  if (mac != again) {
    return Error{ErrorCode::kCorrupt, "two MACs of one message differ"};
  }
  CheckValue check_value{};
  std::copy_n(mac.begin(), std::min(mac.size(), check_value.size()),
              check_value.begin());
  return check_value;
}

}  // namespace hsm::token
