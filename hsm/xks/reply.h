// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_XKS_REPLY_H_
#define HSM_XKS_REPLY_H_

#include <cstddef>
#include <string_view>

#include "base/bytes.h"
#include "hsm/messages.h"

namespace hsm::xks {

// The longest body that is read.
inline constexpr std::size_t kMaxReply = 64U << 10;

// What of a request its reply is measured by.
struct Sent {
  XksOperation operation = XksOperation::kHealth;
  std::size_t size = 0;  // Of the plaintext, or of the ciphertext.
  base::Bytes aad;
};
Sent SentBy(const XksRequest& request);

// Reads what a proxy answered. Everything that it could not have meant so is
// kMalformed, with the reason in the message: nothing of such a reply is used.
// Members that are not known are passed over.
XksReply ReadReply(const Sent& sent, long status, std::string_view body);

}  // namespace hsm::xks

#endif  // HSM_XKS_REPLY_H_
