// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_PEM_H_
#define BASE_PEM_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

// The textual encoding of RFC 7468.
namespace base {

// The DER in each CERTIFICATE of `text`, in its order; whatever else there is,
// such as a private key, is passed over. Fails with kInvalidArgument if one is
// not closed, or holds no base64.
Result<std::vector<Bytes>> CertificatesInPem(std::string_view text);

// The block with this label that holds `der`, with a line break at its end.
std::string PemBlock(std::string_view label, ByteView der);

// The CERTIFICATE that holds `der`, with a line break at its end.
std::string CertificatePem(ByteView der);

}  // namespace base

#endif  // BASE_PEM_H_
