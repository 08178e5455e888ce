// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_XKS_CALLER_H_
#define KMS_OPERATIONS_XKS_CALLER_H_

#include "hsm/client/client.h"

namespace kms::operations {

// An XksCaller asks the XKS proxy that a request names. It belongs to one io
// thread. A reply says in its outcome what the proxy or the way to it did; an
// Error is ours: kHsmUnavailable (no worker), kTimeout, kThrottled, kIo (this
// host's network lets nothing out).
class XksCaller {
 public:
  virtual ~XksCaller() = default;
  virtual hsm::client::Awaitable<hsm::XksReply> Ask(
      hsm::XksRequest request) = 0;
};

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_XKS_CALLER_H_
