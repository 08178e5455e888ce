// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_HSM_CLIENT_FIXTURE_H_
#define TESTS_HSM_CLIENT_FIXTURE_H_

#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "hsm/client/client.h"
#include "hsm/client/evicted_keys.h"
#include "hsm/client/stats.h"
#include "tests/hsm/supervised.h"
#include "tests/testlib/status.h"

namespace hsm_test {

// A Client on the test's own thread, and the workers behind it. Time stands
// still unless a test moves it.
class ClientTest : public testing::Test {
 protected:
  explicit ClientTest(int workers = 2) : supervised_(workers) {}
  ~ClientTest() override {
    client_.reset();
    io_.restart();
    io_.run();
  }

  // Starts the workers and a client that is connected to them all.
  void Start() {
    supervised_.Start();
    MakeClient();
    ASSERT_OK(Run(client_->Start()));
  }
  void MakeClient() {
    client_ = std::make_unique<hsm::client::Client>(
        io_,
        hsm::client::ClientConfig{
            .key_store = "test",
            .supervisor_socket = supervised_.socket_path(),
            .workers = supervised_.options().workers - (slow_worker_ ? 1 : 0),
            .slow_worker = slow_worker_,
            .further_tokens = further_tokens_,
            .evicted = evicted_},
        clock_);
  }

  // Awaits `task` and returns its result.
  template <typename T>
  T Run(boost::asio::awaitable<T> task) {
    std::optional<T> result;
    Spawn(std::move(task), result);
    RunUntil([&result] { return result.has_value(); });
    return *std::move(result);
  }

  // Starts `task`, whose result will be in `result`.
  template <typename T>
  void Spawn(boost::asio::awaitable<T> task, std::optional<T>& result) {
    boost::asio::co_spawn(io_, Store(std::move(task), result),
                          boost::asio::detached);
  }

  template <typename Condition>
  void RunUntil(Condition condition) {
    io_.restart();
    while (!condition() && io_.run_one() > 0) {
    }
  }

  // Starts one call for each text; the results come into `results_`.
  void EncryptAll(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      Spawn(client_->Call(EncryptOf(text)), results_.emplace_back());
    }
  }
  bool AllEnded() const {
    for (const auto& result : results_) {
      if (!result.has_value()) {
        return false;
      }
    }
    return true;
  }

  // The process id of some worker.
  pid_t SomeWorker() {
    const auto capabilities = Run(client_->Call(hsm::CapabilitiesRequest{}));
    return capabilities ? std::stoi(capabilities->token_serial) : -1;
  }

  base::FakeClock clock_{base::WallTime{}};
  Supervised supervised_;
  bool slow_worker_ = false;  // The last of them is one. Before Start().
  std::vector<hsm::client::FurtherToken> further_tokens_;  // Before Start().
  // Of all clients of these tokens.
  std::shared_ptr<hsm::client::EvictedKeys> evicted_ =
      std::make_shared<hsm::client::EvictedKeys>();
  boost::asio::io_context io_{1};
  std::unique_ptr<hsm::client::Client> client_;
  std::deque<std::optional<base::Result<hsm::Sealed>>> results_;

 private:
  template <typename T>
  static boost::asio::awaitable<void> Store(boost::asio::awaitable<T> task,
                                            std::optional<T>& result) {
    result.emplace(co_await std::move(task));
  }
};

}  // namespace hsm_test

#endif  // TESTS_HSM_CLIENT_FIXTURE_H_
