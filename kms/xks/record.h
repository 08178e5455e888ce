// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_XKS_RECORD_H_
#define KMS_XKS_RECORD_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "kms/xks/authorization.h"
#include "kms/xks/proxy.h"
#include "kms/xks/wire.h"

namespace kms::xks {

// What the audit log says of a request to the XKS proxy: docs/audit.md. Never
// plaintext, ciphertext or AAD.
struct Recorded {
  const Request& request;
  const RequestMetadata& metadata;
  const Verdict& verdict;
  std::uint32_t version;       // Of the key; 0: none was used.
  std::string_view key_store;  // Whose token was used; or empty.
  base::WallTime time;
  std::chrono::milliseconds took;
  std::string event_id;
  const base::Error* error;  // nullptr: it was done.
};
std::string EventOf(const Recorded& recorded);

}  // namespace kms::xks

#endif  // KMS_XKS_RECORD_H_
