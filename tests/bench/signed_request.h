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

// Where and how a SignedRequest goes.
struct RequestForm {
  std::string path = "/";
  std::string host = "127.0.0.1";
  std::string content_type = "application/x-amz-json-1.1";
  std::string service = "kms";
  std::string access_key_id = kAccessKeyId;
  std::string secret = kSecretAccessKey;  // Development values only.
};

// A SignedRequest is one call, as bytes to send again and again. It signs them
// anew when the signature is a minute old, long before a server refuses it.
class SignedRequest {
 public:
  SignedRequest(std::string operation, std::string body);
  // Names no operation: the path does.
  SignedRequest(RequestForm form, std::string body);

  // Valid until the next call.
  std::string_view Bytes();

 private:
  void Sign(base::WallTime now);

  SignedRequest(RequestForm form, std::string target, std::string body);

  const base::RealClock clock_;
  const RequestForm form_;
  std::unique_ptr<base::Hasher> hasher_;
  base::SigV4Signer signer_;
  const std::string target_;
  const std::string body_;
  std::string bytes_;
  base::MonotonicTime signed_at_{};
};

}  // namespace bench

#endif  // TESTS_BENCH_SIGNED_REQUEST_H_
