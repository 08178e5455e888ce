// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_SIGV4_H_
#define BASE_SIGV4_H_

#include <span>
#include <string_view>

#include "base/hash.h"
#include "base/result.h"

// AWS Signature Version 4, in the form that AWS KMS and the XKS proxy API use:
// the signature is in the Authorization header and always covers the body.
// Presigned URLs, unsigned payloads and streamed payloads are refused. This
// file holds what the verifier (sigv4_verifier.h) and the signer
// (sigv4_signer.h) have in common; both canonicalise with the same code.

namespace base {

// One header field as it was on the wire; the name in any case. Borrows.
struct HeaderView {
  std::string_view name;
  std::string_view value;
};

// A SigV4Request is the part of an HTTP request that a signature covers.
// Everything in it is borrowed.
struct SigV4Request {
  std::string_view method;
  std::string_view path;   // As on the wire, up to the '?'.
  std::string_view query;  // As on the wire, after the '?'.
  std::span<const HeaderView> headers;
  Digest payload_sha256;
};

// A SigV4Authorization is what an Authorization header claims. Nothing in it is
// proven before SigV4Verifier::Check(). The views borrow from the header.
struct SigV4Authorization {
  std::string_view credential;  // "id/date/region/service/aws4_request"
  std::string_view access_key_id;
  std::string_view scope;  // The credential after the first '/'.
  std::string_view date;   // "20150830"
  std::string_view region;
  std::string_view service;
  std::string_view signed_headers;  // "host;x-amz-date": sorted, lower-case.
  std::string_view signature;       // 64 lower-case hexadecimal digits.
  std::string_view timestamp;       // "20150830T123600Z", from another header.
};

// Reads the value of an Authorization header; `timestamp` is left empty. Fails
// with kMissingAuthentication if the scheme is not AWS's, kIncompleteSignature
// if the form is wrong, and kInvalidSignature if the scope cannot be right.
// Messages repeat nothing of the credential: people swap id and secret.
Result<SigV4Authorization> ParseAuthorization(std::string_view value);

// Cuts `rest` at the first `separator` and returns what stood before it; takes
// the whole if there is none.
std::string_view CutAt(std::string_view& rest, char separator);

// Whether `list`, in the form of SignedHeaders, names `name`.
bool IsSigned(std::string_view list, std::string_view name);

// Whether the header `name`, in any case, is `lower`, in lower case.
bool IsHeader(std::string_view name, std::string_view lower);

}  // namespace base

#endif  // BASE_SIGV4_H_
