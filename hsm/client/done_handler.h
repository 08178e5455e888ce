// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CLIENT_DONE_HANDLER_H_
#define HSM_CLIENT_DONE_HANDLER_H_

#include <boost/asio/any_completion_handler.hpp>
#include <concepts>
#include <utility>

namespace hsm::client {

// A DoneHandler is a boost::asio::any_completion_handler that can be assigned:
// in Boost 1.81, any_completion_handler's move assignment copies its argument,
// for ever. It is called once.
template <typename... Args>
class DoneHandler {
 public:
  DoneHandler() = default;
  // Implicit, like the handler it wraps; constrained to what is not one of us.
  // NOLINTBEGIN(google-explicit-constructor)
  // NOLINTBEGIN(bugprone-forwarding-reference-overload)
  template <typename Handler>
  requires(!std::same_as<std::decay_t<Handler>, DoneHandler>)
      DoneHandler(Handler&& handler)
      : handler_(std::forward<Handler>(handler)) {}
  // NOLINTEND(bugprone-forwarding-reference-overload)
  // NOLINTEND(google-explicit-constructor)
  DoneHandler(DoneHandler&& other) noexcept
      : handler_(std::move(other.handler_)) {}
  DoneHandler& operator=(DoneHandler&& other) noexcept {
    DoneHandler moved(std::move(other));
    handler_.swap(moved.handler_);
    return *this;
  }
  ~DoneHandler() = default;

  void operator()(Args... args) && { std::move(handler_)(std::move(args)...); }
  explicit operator bool() const { return static_cast<bool>(handler_); }

 private:
  boost::asio::any_completion_handler<void(Args...)> handler_;
};

}  // namespace hsm::client

#endif  // HSM_CLIENT_DONE_HANDLER_H_
