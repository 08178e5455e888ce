// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_XKS_HEALTH_H_
#define KMS_XKS_HEALTH_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/wiping.h"

namespace kms::xks {

// A Health knows how the token does, because it is tried every 15 s with a key
// of the server's own. It belongs to one io thread.
//
// XKS proxy API v1.0.3, GetHealthStatus: what is answered is never older than a
// minute.
class Health {
 public:
  static constexpr std::chrono::seconds kInterval{15};
  static constexpr std::chrono::seconds kMostAge{60};
  static constexpr std::chrono::milliseconds kSlow{100};
  // Of the calls of this interval and the one before, so many must have failed,
  // and one in so many, to call the token degraded.
  static constexpr std::uint64_t kFewestFailed = 3;
  static constexpr std::uint64_t kFailedShare = 10;

  // Uses the token as a request would.
  using Probe = std::function<boost::asio::awaitable<base::Status>()>;

  // `clock` is borrowed.
  Health(const base::Clock& clock, Probe probe)
      : clock_(clock), probe_(std::move(probe)) {}

  // What the token calls itself, and the key store it is.
  void Describe(std::string key_store, std::string model);

  // Tries the token now, and then again and again, until the coroutine is
  // cancelled.
  boost::asio::awaitable<void> Watch();
  // Tries it once.
  boost::asio::awaitable<void> Try();

  // What became of a call of the token for somebody's request. It counts
  // against the token if that did not do it, or not in time; what was wrong
  // with the request or its key does not.
  void NoteCall(const base::Error* error);

  // "ACTIVE", "DEGRADED" (slow, or calls fail) or "UNAVAILABLE".
  std::string_view Status() const;
  void Write(base::WipingString& out) const;

 private:
  struct Trial {
    base::MonotonicTime ended{};
    base::MonotonicTime took{};
    bool worked = false;
  };

  struct Calls {
    std::uint64_t all = 0;
    std::uint64_t failed = 0;
  };

  bool FailsOften() const;

  const base::Clock& clock_;
  const Probe probe_;
  std::string key_store_;
  std::string model_;
  std::optional<Trial> last_;
  Calls now_;  // Since the last trial, which ended the interval before.
  Calls before_;
};

}  // namespace kms::xks

#endif  // KMS_XKS_HEALTH_H_
