// SPDX-License-Identifier: Apache-2.0
// Nothing acknowledged is lost, whenever the process is killed.
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "tests/kms/store_testing.h"

namespace kms::store {
namespace {

using testlib::Take;

constexpr int kKills = 50;
constexpr int kThreads = 3;
constexpr std::uint64_t kReserved = 10;

// What the child says, through a pipe, after a Write has completed. Shorter
// than PIPE_BUF: it arrives whole or not at all.
struct Acknowledged {
  std::uint32_t key;
  std::uint64_t first_counter;
  std::uint64_t revision;
};

// Writes until it is killed. Each change is a key, its alias and a reservation.
[[noreturn]] void WriteForever(Store& store, std::uint32_t first, int out) {
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&store, out, n = first + t]() mutable {
      for (;; n += kThreads) {
        Acknowledged said{};
        said.key = n;
        Take(store.WriteNow([&](Transaction& change) -> base::Status {
          const Key key = MakeKey(n);
          RETURN_IF_ERROR(change.InsertKey(key));
          RETURN_IF_ERROR(
              change.InsertAlias(MakeAlias("alias/" + key.id, key)));
          ASSIGN_OR_RETURN(said.first_counter,
                           change.ReserveCounters(MaterialId{}, kReserved));
          said.revision = change.revision();
          return {};
        }));
        if (write(out, &said, sizeof(said)) != sizeof(said)) {
          _exit(1);
        }
      }
    });
  }
  threads.front().join();
  _exit(1);
}

class StoreCrashTest : public StoreTest {
 protected:
  // Starts a child that writes keys from `first` on, kills it after `count`
  // acknowledgements, and returns all that it gave.
  std::vector<Acknowledged> WriteAndKill(std::uint32_t first, int count) {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      Open();
      WriteForever(*store_, first, ends[1]);
    }
    close(ends[1]);
    std::vector<Acknowledged> all;
    Acknowledged said{};
    while (read(ends[0], &said, sizeof(said)) == sizeof(said)) {
      all.push_back(said);
      if (static_cast<int>(all.size()) == count) {
        kill(child, SIGKILL);  // It goes on until this arrives.
      }
    }
    close(ends[0]);
    EXPECT_EQ(waitpid(child, nullptr, 0), child);
    return all;
  }

  void CheckAll(const std::vector<Acknowledged>& all) {
    for (const Acknowledged& said : all) {
      const Key key = MakeKey(said.key);
      EXPECT_EQ(Text(*Take(store_->FindKey(key.id))), Text(key));
      EXPECT_OK(store_->FindAlias(kAccount, kRegion, "alias/" + key.id));
      EXPECT_TRUE(revisions_.insert(said.revision).second) << said.revision;
      for (std::uint64_t i = 0; i < kReserved; ++i) {
        EXPECT_TRUE(counters_.insert(said.first_counter + i).second);
      }
      EXPECT_LE(said.revision, store_->info().revision);
    }
  }

  // A change is there as a whole or not at all.
  void CheckWhole() {
    const auto keys = Take(store_->ListKeys(kAccount, kRegion, "", 1'000'000));
    const auto aliases =
        Take(store_->ListAliases(kAccount, kRegion, "", "", 1'000'000));
    EXPECT_EQ(keys.items.size(), aliases.items.size());
    EXPECT_EQ(keys.items.size(), store_->info().revision);
  }

  std::set<std::uint64_t> revisions_;
  std::set<std::uint64_t> counters_;
};

TEST_F(StoreCrashTest, EveryAcknowledgedChangeOutlivesAKill) {
  // The same kills in every run. NOLINTNEXTLINE(cert-msc32-c,cert-msc51-cpp)
  std::mt19937 random(20261122);
  std::uniform_int_distribution<int> acknowledgements(1, 40);
  std::uint32_t first = 0;
  for (int i = 0; i < kKills; ++i) {
    const int count = acknowledgements(random);
    const auto all = WriteAndKill(first, count);
    ASSERT_GE(static_cast<int>(all.size()), count);
    Open();
    CheckAll(all);
    CheckWhole();
    EXPECT_EQ(store_->info().epoch, 2 * i + 2);  // The child's, and ours.
    Close();
    first += 1'000'000;  // The next child's keys are its own.
  }
}

}  // namespace
}  // namespace kms::store
