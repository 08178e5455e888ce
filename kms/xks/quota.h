// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_XKS_QUOTA_H_
#define KMS_XKS_QUOTA_H_

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "kms/xks/tenants.h"

namespace kms::xks {

// Quotas says of each tenant whether one more request fits into its rate: a
// bucket that holds the requests of one second. Safe to call from any thread:
// a KMS may keep to one connection, and so to one thread.
class Quotas {
 public:
  // `clock` is borrowed.
  explicit Quotas(const base::Clock& clock) : clock_(clock) {}

  // Fails with kThrottled.
  base::Status Take(const TenantSettings& tenant) {
    const double rate = tenant.requests_per_second;
    const base::MonotonicTime now = clock_.Monotonic();
    const std::lock_guard lock(mutex_);
    const auto [it, is_new] =
        buckets_.try_emplace(tenant.name, Bucket{.left = rate, .since = now});
    Bucket& bucket = it->second;
    const std::chrono::duration<double> passed = now - bucket.since;
    bucket.left =
        std::min(rate, bucket.left + std::max(passed.count(), 0.0) * rate);
    bucket.since = std::max(now, bucket.since);
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
  std::mutex mutex_;
  // By tenant: there are few. Guarded by mutex_.
  std::map<std::string, Bucket> buckets_;
};

}  // namespace kms::xks

#endif  // KMS_XKS_QUOTA_H_
