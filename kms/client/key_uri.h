// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_KEY_URI_H_
#define KMS_CLIENT_KEY_URI_H_

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

// Names of keys for programs that know files and URIs only.
namespace kms::client {

inline constexpr std::string_view kKeyUriScheme = "claviger";

// A KeyUri is "claviger:KEY?option=value&...", where KEY is what the KMS takes
// for a KeyId: alias/NAME, a key id, or the ARN of either. Options that were
// not given are empty: the key is then where the environment says.
struct KeyUri {
  std::string key;
  std::string region;
  std::string endpoint;
  std::string profile;
  std::string token;  // The [[token]] of the configuration with this label.
  std::string type;   // "RSA-PSS": show an RSA key as one of that type.

  bool operator==(const KeyUri&) const = default;
};

// Reads one; KEY and values may be percent-encoded. Fails with kInvalidArgument
// and the reason: an option that is not one of these, one that is there twice,
// a character that has no place in a URI, more than kMaxKeyUriBytes.
inline constexpr std::size_t kMaxKeyUriBytes = 2048;
base::Result<KeyUri> ParseKeyUri(std::string_view text);

// The text that ParseKeyUri() reads as `uri`.
std::string FormatKeyUri(const KeyUri& uri);

// A reference file names a key where programs want a private key in PEM. It
// holds the URI and no secret:
//
//   SEQUENCE { VisibleString "claviger key uri v1", UTF8String URI }
//
// in a PEM block with this label (docs/openssl.md).
inline constexpr std::string_view kReferenceLabel = "CLAVIGER KEY URI";

// The DER of the reference to `uri`.
base::Bytes EncodeReference(const KeyUri& uri);

// Whether DER that begins with `first` may be a reference: for who has to leave
// other people's data alone. kReferencePrefixBytes of them are enough to tell.
inline constexpr std::size_t kReferencePrefixBytes = 25;
bool MayBeReference(base::ByteView first);

// Reads a reference, which must be all of `der`. Fails with kInvalidArgument.
inline constexpr std::size_t kMaxReferenceBytes = kMaxKeyUriBytes + 32;
base::Result<KeyUri> DecodeReference(base::ByteView der);

}  // namespace kms::client

#endif  // KMS_CLIENT_KEY_URI_H_
