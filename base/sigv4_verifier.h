// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_SIGV4_VERIFIER_H_
#define BASE_SIGV4_VERIFIER_H_

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/sigv4.h"
#include "base/sigv4_key.h"

namespace base {

// How far a request's date may be from our clock, either way.
inline constexpr std::chrono::minutes kMaxSigV4Skew{5};

// Reads a request's Authorization header and checks all of it that needs no
// secret: its form; the date, against `now`; that the scope names that date and
// one of `services` (not empty); that host, the date and every x-amz-* header
// are signed; that x-amz-content-sha256, if there is one, is the body's digest.
//
// The result is a claim: look up the secret of its access key id, then call
// SigV4Verifier::Check(). Fails with kMissingAuthentication,
// kIncompleteSignature or kInvalidSignature, with AWS's texts where it has one.
// The views in the result borrow from `request`.
Result<SigV4Authorization> ReadAuthorization(
    const SigV4Request& request, std::span<const std::string_view> services,
    WallTime now);

// A SigV4Verifier compares signatures. It owns buffers and a cache of signing
// keys, so that a request costs one hash and one HMAC. Not synchronised: one
// per io thread.
class SigV4Verifier {
 public:
  // `hasher` is borrowed and must outlive the verifier.
  explicit SigV4Verifier(Hasher& hasher) : hasher_(hasher) {}

  // Succeeds if `authorization`, as ReadAuthorization() returned it for
  // `request`, carries the signature that `secret` gives. `generation` changes
  // whenever the secret of an access key id does. Fails with kInvalidSignature.
  // Takes the same time for every wrong signature.
  Status Check(const SigV4Request& request,
               const SigV4Authorization& authorization, const Secret& secret,
               std::uint64_t generation = 0);

  // Wipes what is cached: of a revoked access key id, or all.
  void Forget(std::string_view access_key_id) { keys_.Forget(access_key_id); }
  void Clear() { keys_.Clear(); }

 private:
  Hasher& hasher_;
  SigningKeyCache keys_;
  std::string text_;
};

}  // namespace base

#endif  // BASE_SIGV4_VERIFIER_H_
