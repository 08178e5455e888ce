// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_SIGV4_CANONICAL_H_
#define BASE_SIGV4_CANONICAL_H_

#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/result.h"
#include "base/sigv4.h"

namespace base {

// The canonical forms of SigV4 ("Create a signed AWS API request", AWS IAM User
// Guide). All append to `out`, so that a caller can keep its buffers.

// Dot segments and repeated slashes are removed and the rest is URI-encoded
// once more, as every service but S3 wants it: what was encoded on the wire is
// then encoded twice. `path` begins with '/' or is empty.
void AppendCanonicalPath(std::string_view path, std::string& out);

// The parameters are decoded, encoded in the one canonical way and sorted. A
// plus sign is a plus sign. Fails with kInvalidSignature on a broken %-escape.
Status AppendCanonicalQuery(std::string_view query, std::string& out);

// The whole canonical request over `signed_headers`, whose order is kept. The
// fields of one name are joined with commas; "host" and HTTP/2's ":authority"
// stand in for one another. Fails with kInvalidSignature if a signed header is
// not in the request.
Status AppendCanonicalRequest(const SigV4Request& request,
                              std::string_view signed_headers,
                              std::string& out);

// What is signed in the end; `canonical_request` is the digest of the above.
void AppendStringToSign(std::string_view timestamp, std::string_view scope,
                        const Digest& canonical_request, std::string& out);

}  // namespace base

#endif  // BASE_SIGV4_CANONICAL_H_
