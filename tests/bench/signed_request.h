// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_SIGNED_REQUEST_H_
#define TESTS_BENCH_SIGNED_REQUEST_H_

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/hash.h"
#include "base/sigv4_signer.h"

namespace bench {

inline constexpr const char* kAccessKeyId = "AKIABENCHBENCHBENCH2";
inline constexpr const char* kSecretAccessKey = "bench-is-no-secret-at-all";
inline constexpr const char* kRegion = "us-east-1";

// A SignedRequest is one call, as bytes to send again and again. It signs them
// anew when the signature is a minute old, long before a server refuses it.
class SignedRequest {
 public:
  SignedRequest(std::string operation, std::string body);

  // Valid until the next call.
  std::string_view Bytes();

 private:
  void Sign(base::WallTime now);

  const base::RealClock clock_;
  std::unique_ptr<base::Hasher> hasher_;
  base::SigV4Signer signer_;
  const std::string target_;
  const std::string body_;
  std::string bytes_;
  base::MonotonicTime signed_at_{};
};

}  // namespace bench

#endif  // TESTS_BENCH_SIGNED_REQUEST_H_
