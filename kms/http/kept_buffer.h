// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_KEPT_BUFFER_H_
#define KMS_HTTP_KEPT_BUFFER_H_

#include <cstddef>

#include "base/wiping.h"

namespace kms::http {

// What an idle connection may keep of a buffer.
inline constexpr std::size_t kMostKeptBytes = 16 * 1024;

// Wipes and empties a buffer that a connection keeps between requests, and
// gives its memory back if that is more.
void EmptyBetweenRequests(base::WipingString& buffer);

}  // namespace kms::http

#endif  // KMS_HTTP_KEPT_BUFFER_H_
