// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CLIENT_TOKEN_STATUS_H_
#define HSM_CLIENT_TOKEN_STATUS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hsm::client {

// The token of the key store's objects goes by this name.
inline constexpr std::string_view kHomeToken = "home";
// Of a key store, with the home token.
inline constexpr std::size_t kMaxTokens = 16;

// What a Client does with one token.
enum class TokenState : std::uint8_t {
  kServing,   // It gets calls.
  kDown,      // No worker of it can be reached.
  kKeptOut,   // It lacks a key that the key store needs: it is not paired.
  kFailing,   // It failed several calls in a row, and is tried again later.
  kDraining,  // It gets no calls any more; some are on their way.
  kDrained    // Likewise; none is.
};

constexpr std::string_view NameOf(TokenState state) {
  switch (state) {
    case TokenState::kServing:
      return "serving";
    case TokenState::kDown:
      return "down";
    case TokenState::kKeptOut:
      return "kept out";
    case TokenState::kFailing:
      return "failing";
    case TokenState::kDraining:
      return "draining";
    case TokenState::kDrained:
      return "drained";
  }
  return "";
}

struct TokenStatus {
  std::string name;
  TokenState state = TokenState::kDown;
  std::string reason;     // Why it does not serve, for people; or empty.
  int workers = 0;        // That it should have.
  int ready_workers = 0;  // That may get calls, or could were it not draining.
  int calls_in_flight = 0;
};

}  // namespace hsm::client

#endif  // HSM_CLIENT_TOKEN_STATUS_H_
