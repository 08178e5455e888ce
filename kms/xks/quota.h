// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_XKS_QUOTA_H_
#define KMS_XKS_QUOTA_H_

#include <algorithm>
#include <chrono>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "kms/xks/tenants.h"

namespace kms::xks {

// Quotas says of each tenant whether one more request fits into its rate: a
// bucket that holds the requests of one second. Not synchronised.
class Quotas {
 public:
  // `clock` is borrowed. This is one of `share`, among which rates are divided.
  Quotas(const base::Clock& clock, int share) : clock_(clock), share_(share) {}

  // Fails with kThrottled.
  base::Status Take(const TenantSettings& tenant) {
    const double rate =
        std::max(1.0, static_cast<double>(tenant.requests_per_second) / share_);
    const base::MonotonicTime now = clock_.Monotonic();
    const auto [it, is_new] =
        buckets_.try_emplace(tenant.name, Bucket{.left = rate, .since = now});
    Bucket& bucket = it->second;
    const std::chrono::duration<double> passed = now - bucket.since;
    bucket.left = std::min(rate, bucket.left + passed.count() * rate);
    bucket.since = now;
    if (bucket.left < 1.0) {
      return base::Error{base::ErrorCode::kThrottled,
                         "more requests a second than the tenant's quota"};
    }
    bucket.left -= 1.0;
    return {};
  }

 private:
  struct Bucket {
    double left;
    base::MonotonicTime since;
  };

  const base::Clock& clock_;
  const int share_;
  std::map<std::string, Bucket> buckets_;  // By tenant: there are few.
};

}  // namespace kms::xks

#endif  // KMS_XKS_QUOTA_H_
