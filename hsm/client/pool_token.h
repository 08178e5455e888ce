// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CLIENT_POOL_TOKEN_H_
#define HSM_CLIENT_POOL_TOKEN_H_

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "hsm/client/ask.h"
#include "hsm/client/call.h"
#include "hsm/client/circuit.h"
#include "hsm/client/client.h"
#include "hsm/client/link.h"
#include "hsm/client/stats.h"

// What a Pool knows of its tokens and their workers: plain state, which the
// Pool keeps true.
namespace hsm::client {

struct PoolWorker {
  PoolWorker(boost::asio::io_context& io, PoolToken& its_token,
             std::uint32_t its_number)
      : token(its_token), number(its_number), pause(io) {}

  PoolToken& token;
  const std::uint32_t number;   // By which its supervisor knows it.
  std::shared_ptr<Link> link;   // Null while there is none.
  bool fit = false;             // It has the keys that its key store needs.
  bool asked = false;           // A question of the pool's own is on its way.
  bool ending = false;          // It has said that its token is gone, and ends.
  bool late = false;            // It was, when it was looked at last.
  bool overdue = false;         // The link was closed for a missed deadline.
  bool dismissed = false;       // Its token was removed, and its process ended.
  base::MonotonicTime heard{};  // When it was connected, or replied last.
  bool doubted = false;         // It is asked for its keys after a failed call.
  base::MonotonicTime believed_until{};  // It had them then.
  base::Error reason{base::ErrorCode::kHsmUnavailable, "not started"};
  Asking asking;                    // For a new connection.
  boost::asio::steady_timer pause;  // Before it is asked for again.
};

// What waits for one token, or for any: each lane by itself.
struct Line {
  struct Queue {
    std::deque<Call> calls;
    int cost = 0;  // Of all of them.
  };

  std::array<Queue, kLaneCount> queues;  // By Lane.
  bool open = false;  // A worker is there that may take its calls.
  base::MonotonicTime closed_since{};
};

struct PoolToken {
  PoolToken(boost::asio::io_context& io, FurtherToken its_config,
            TokenStats& its_stats);

  bool IsSlow(const PoolWorker& worker) const {
    return config.slow_worker && worker.number + 1 == workers.size();
  }
  bool HasLink() const;
  int CallsInFlight() const;
  int ReadyWorkers() const;
  bool MayServe() const {
    return circuit.closed() && !config.drain && !removed;
  }
  TokenStatus Status() const;

  FurtherToken config;  // Of the home token, too.
  bool removed = false;
  std::deque<PoolWorker> workers;
  Line line;
  Circuit circuit;
  bool tried = false;  // Its supervisor has answered, or could not be reached.
  std::optional<TokenState> noted;  // As it was logged.
  std::string reason;               // Likewise.
  std::string missing;  // Why it is kept out; empty: it has not answered yet.
  TokenStats& stats;
};

}  // namespace hsm::client

#endif  // HSM_CLIENT_POOL_TOKEN_H_
