// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUDIT_COMPLETION_H_
#define KMS_AUDIT_COMPLETION_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <span>
#include <string>
#include <variant>

#include "base/result.h"

namespace kms::audit {

// Asio's handler that resumes a coroutine: one pointer, no allocation.
using ResumeHandler =
    boost::asio::async_result<boost::asio::use_awaitable_t<>,
                              void(base::Status)>::handler_type;

// A Waiter is whoever waits for one record: a coroutine, or a thread. Its
// executor counts it as outstanding work until it is completed. Movable.
class Waiter {
 public:
  explicit Waiter(ResumeHandler handler);
  explicit Waiter(std::promise<base::Status> promise);

 private:
  friend void Complete(std::span<Waiter> waiters, std::span<std::string> events,
                       const base::Status& status);

  boost::asio::any_io_executor executor_;  // Empty for a thread.
  std::variant<ResumeHandler, std::promise<base::Status>> resume_;
};

// Gives `status` to every waiter, which is used up by that: threads at once,
// coroutines by one function posted to each executor. That keeps the waiters'
// events, one for each in their order, as spare texts where they came from.
void Complete(std::span<Waiter> waiters, std::span<std::string> events,
              const base::Status& status);

}  // namespace kms::audit

#endif  // KMS_AUDIT_COMPLETION_H_
