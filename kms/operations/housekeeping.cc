// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/housekeeping.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <string_view>

#include "base/log.h"
#include "kms/operations/deletion.h"
#include "kms/operations/destructions.h"
#include "kms/operations/identities.h"
#include "kms/operations/import_pairs.h"
#include "kms/operations/imported_material.h"
#include "kms/operations/last_usage.h"
#include "kms/operations/outbox.h"
#include "kms/operations/rotation.h"
#include "kms/operations/xks/tenants.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;

constexpr auto kRound = std::chrono::seconds(1);
constexpr int kRoundsPerProgress = 60;

asio::awaitable<void> PersistProgress(Environment& environment) {
  const store::ClockProgress progress = environment.deletion_guard.progress();
  auto set = [progress](store::Transaction& transaction) {
    return transaction.SetClockProgress(progress);
  };
  const base::Status status = co_await environment.store.Write(set);
  if (!status) {
    base::LogWarning("cannot persist the clock's progress: {}",
                     status.error().message);
  }
}

bool IsUsageDue(const Environment& environment) {
  return environment.last_usage.IsDue(environment.log.health().head_sequence);
}

asio::awaitable<void> SaveUsage(Environment& environment) {
  const std::uint64_t log_head = environment.log.health().head_sequence;
  const base::Status status = co_await environment.last_usage.Save(log_head);
  if (!status) {
    base::LogWarning("cannot save when keys were last used: {}",
                     status.error().message);
  }
}

struct ImportChore {
  std::string_view name;
  asio::awaitable<base::Status> (*run)(Environment&);
};
constexpr ImportChore kImportChores[] = {
    {"expiring imported key material", ExpireMaterials},
    {"ending import parameters", RetireExpiredPairs},
    {"destroying what is announced", FinishDestructions},
};

// Each by itself: what fails is tried again in the next round.
asio::awaitable<void> KeepImports(Environment& environment) {
  for (const ImportChore& chore : kImportChores) {
    const base::Status status = co_await chore.run(environment);
    if (!status) {
      base::LogError("{}: {}", chore.name, status.error().message);
    }
  }
}

// Says so when distrust begins and ends, not every second between.
void WatchClock(Environment& environment, bool& distrusted) {
  const bool now = !environment.deletion_guard.DueTime().has_value();
  if (now && !distrusted) {
    base::LogWarning(
        "the clock leads the time that has provably passed by {} s: keys that "
        "are due are not destroyed until an operator accepts the clock with "
        "`claviger call Claviger.AcceptClock` on the Unix socket",
        environment.deletion_guard.Lead().count());
  }
  distrusted = now;
}

}  // namespace

asio::awaitable<void> KeepImportPairs(Environment& environment) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (;;) {
    boost::system::error_code cancelled;
    timer.expires_after(kRound);
    co_await timer.async_wait(
        asio::redirect_error(asio::use_awaitable, cancelled));
    if (cancelled) {
      co_return;
    }
    const base::Status made = co_await RefillImportPairs(environment);
    if (!made) {
      base::LogError("making wrapping keys in advance: {}",
                     made.error().message);
    }
  }
}

asio::awaitable<void> KeepHouse(Environment& environment, Chores chores) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  bool distrusted = false;
  RotationScheduler rotations(environment);
  for (int round = 0;; ++round) {
    boost::system::error_code cancelled;
    timer.expires_after(kRound);
    co_await timer.async_wait(
        asio::redirect_error(asio::use_awaitable, cancelled));
    if (cancelled) {
      co_return;
    }
    co_await RetryUnlogged(environment);
    if (chores == Chores::kOwnOnly) {
      continue;
    }
    co_await CatchUp(environment);
    static_cast<void>(co_await CatchUpTenants(environment));
    WatchClock(environment, distrusted);
    const base::Status destroyed = co_await DestroyDueKeys(environment);
    if (!destroyed) {
      base::LogError("destroying keys that are due: {}",
                     destroyed.error().message);
    }
    co_await KeepImports(environment);
    const base::Status rotated = co_await rotations.RunPass();
    if (!rotated) {
      base::LogError("rotating keys that are due: {}", rotated.error().message);
    }
    if (round % kRoundsPerProgress == 0) {
      co_await PersistProgress(environment);
    }
    if (round % kRoundsPerProgress == 0 || IsUsageDue(environment)) {
      co_await SaveUsage(environment);
    }
  }
}

}  // namespace kms::operations
