// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

#include "base/log.h"
#include "hsm/client/pool.h"

namespace hsm::client {

namespace asio = boost::asio;

void Pool::AddToken(FurtherToken token) {
  TokenStats& stats = StatsOf(token.name);
  PoolToken& added = tokens_.emplace_back(io_, std::move(token), stats);
  added.line.closed_since = clock_.Monotonic();
  UpdateStats(added);
  if (started_ && !stopped_) {
    for (PoolWorker& worker : added.workers) {
      asio::co_spawn(io_, KeepConnected(worker, {}), asio::detached);
    }
  }
}

// A place in the statistics, which is the token's for ever: readers of other
// threads may be looking at it.
TokenStats& Pool::StatsOf(const std::string& name) {
  const std::size_t count = stats_.token_count.load();
  for (std::size_t i = 0; i < count; ++i) {
    if (stats_.tokens[i].name == name) {
      return stats_.tokens[i];
    }
  }
  if (count == stats_.tokens.size()) {
    return unnamed_;
  }
  stats_.tokens[count].name = name;
  stats_.token_count.store(count + 1);
  return stats_.tokens[count];
}

void Pool::RemoveToken(PoolToken& token) {
  token.removed = true;
  base::LogInfo("{} was taken out", Named(token));
  for (PoolWorker& worker : token.workers) {
    if (worker.link != nullptr) {
      worker.link->Close();
    }
    worker.asking.Cancel();
    worker.pause.cancel();
  }
  for (Line::Queue& queue : token.line.queues) {
    while (!queue.calls.empty()) {
      Fail(Unqueue(queue), {base::ErrorCode::kHsmUnavailable,
                            "the token was taken out of the configuration"});
    }
  }
  token.stats.serving.Set(0);
  token.stats.workers.Set(0);
  token.stats.ready_workers.Set(0);
  token.stats.calls_in_flight.Set(0);
}

void Pool::SetFurtherTokens(std::vector<FurtherToken> tokens) {
  for (PoolToken& token : tokens_) {
    if (token.removed || &token == &tokens_.front()) {
      continue;
    }
    const auto found =
        std::ranges::find(tokens, token.config.name, &FurtherToken::name);
    if (found == tokens.end()) {
      RemoveToken(token);
      continue;
    }
    token.config.drain = found->drain;
    tokens.erase(found);
  }
  for (FurtherToken& token : tokens) {
    AddToken(std::move(token));
  }
  Update();
  SendQueued();
}

void Pool::Require(std::vector<RequiredKey> keys, Algorithm algorithm) {
  algorithm_ = algorithm;
  required_ = std::make_shared<const std::vector<RequiredKey>>(std::move(keys));
  for (PoolToken& token : tokens_) {
    for (PoolWorker& worker : token.workers) {
      if (&token != &tokens_.front() && worker.link != nullptr) {
        worker.fit = false;
        asio::co_spawn(io_, CheckKeys(worker), asio::detached);
      }
    }
  }
  Update();
}

bool Pool::IsRequired(const Locator& key) const {
  return required_ != nullptr &&
         std::ranges::any_of(*required_, [&key](const RequiredKey& required) {
           return required.key.locator == key;
         });
}

base::Result<PoolToken*> Pool::FindToken(std::string_view name) {
  for (PoolToken& token : tokens_) {
    if (!token.removed && token.config.name == name) {
      return &token;
    }
  }
  return base::Error{
      base::ErrorCode::kNotFound,
      fmt::format("key store {} has no token '{}'", key_store_, name)};
}

std::vector<TokenStatus> Pool::Tokens() const {
  std::vector<TokenStatus> all;
  for (const PoolToken& token : tokens_) {
    if (!token.removed) {
      all.push_back(token.Status());
    }
  }
  return all;
}

// To be called whenever something has changed that decides who gets calls.
void Pool::Update() {
  const base::MonotonicTime now = clock_.Monotonic();
  const auto update = [&](Line& line, const PoolToken* token) {
    const bool open = AnyMayTake(token);
    if (line.open && !open) {
      line.closed_since = now;
    }
    line.open = open;
  };
  update(any_, nullptr);
  std::int64_t ready = 0;
  for (PoolToken& token : tokens_) {
    update(token.line, &token);
    ready += token.ReadyWorkers();
    UpdateStats(token);
    NoteStatus(token);
  }
  stats_.ready_workers.Set(ready);
}

void Pool::UpdateStats(const PoolToken& token) {
  if (token.removed) {
    return;
  }
  const int ready = token.ReadyWorkers();
  token.stats.serving.Set(ready > 0 && token.MayServe() ? 1 : 0);
  token.stats.workers.Set(static_cast<std::int64_t>(token.workers.size()));
  token.stats.ready_workers.Set(ready);
}

// Logs what has become of a token, once.
void Pool::NoteStatus(PoolToken& token) {
  if (tokens_.size() == 1 || token.removed || !token.tried || stopped_) {
    return;
  }
  const TokenStatus status = token.Status();
  const bool says_more =
      status.state == TokenState::kKeptOut && status.reason != token.reason;
  const bool is_being_asked =
      status.state == TokenState::kKeptOut && token.missing.empty();
  // An eviction on a drained token is no news.
  const bool is_drained = token.noted == TokenState::kDrained &&
                          status.state == TokenState::kDraining;
  if (is_drained || is_being_asked ||
      (status.state == token.noted && !says_more)) {
    return;
  }
  token.noted = status.state;
  token.reason = status.reason;
  switch (status.state) {
    case TokenState::kServing:
    case TokenState::kDraining:
      base::LogInfo("{} is {}", Named(token), NameOf(status.state));
      break;
    case TokenState::kDrained:
      base::LogInfo(
          "{} is drained: nothing is in flight on it. Keys can be deleted only "
          "while its claviger-hsm runs, or once it has been taken out of the "
          "configuration",
          Named(token));
      break;
    case TokenState::kDown:
    case TokenState::kKeptOut:
    case TokenState::kFailing:
      base::LogWarning("{} is {}: {}", Named(token), NameOf(status.state),
                       status.reason);
  }
}

std::string Pool::Named(const PoolToken& token) const {
  return tokens_.size() == 1 ? fmt::format("key store {}", key_store_)
                             : fmt::format("key store {}, token {}", key_store_,
                                           token.config.name);
}

}  // namespace hsm::client
