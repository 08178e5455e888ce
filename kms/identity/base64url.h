// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_IDENTITY_BASE64URL_H_
#define KMS_IDENTITY_BASE64URL_H_

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace kms::identity {

// Base64url without padding (RFC 4648 section 5, RFC 7515 section 2), as strict
// as base::Base64Decode: one value has one spelling. Fails with
// kInvalidArgument.
base::Result<base::Bytes> Base64UrlDecode(std::string_view text);

}  // namespace kms::identity

#endif  // KMS_IDENTITY_BASE64URL_H_
