// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/at_once.h"

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>

namespace kms::operations {
namespace {

namespace asio = boost::asio;

struct Work {
  Work(const asio::any_io_executor& executor,
       std::vector<asio::awaitable<void>> all)
      : tasks(std::move(all)),
        ended(executor, std::chrono::steady_clock::time_point::max()) {}

  std::vector<asio::awaitable<void>> tasks;
  std::size_t next = 0;     // Of the tasks.
  std::size_t running = 0;  // Those that take them.
  asio::steady_timer ended;
};

asio::awaitable<void> TakeTasks(std::shared_ptr<Work> work) {
  while (work->next < work->tasks.size()) {
    co_await std::move(work->tasks[work->next++]);
  }
}

}  // namespace

asio::awaitable<void> RunAtOnce(std::vector<asio::awaitable<void>> tasks,
                                std::size_t most) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const std::size_t count = std::min(most, tasks.size());
  const auto work = std::make_shared<Work>(executor, std::move(tasks));
  work->running = count;
  for (std::size_t i = 0; i < count; ++i) {
    asio::co_spawn(executor, TakeTasks(work),
                   [work](const std::exception_ptr& /*none is thrown*/) {
                     if (--work->running == 0) {
                       work->ended.cancel();
                     }
                   });
  }
  // Who cancels the caller ends a wait of it, but not the tasks.
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  while (work->running > 0) {
    co_await work->ended.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
}

}  // namespace kms::operations
