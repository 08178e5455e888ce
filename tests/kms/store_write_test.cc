// SPDX-License-Identifier: Apache-2.0
// Writing through the whole store: threads, coroutines, caches, the outbox.
#include <gmock/gmock.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <set>
#include <thread>
#include <vector>

#include "tests/kms/store_testing.h"

namespace kms::store {
namespace {

namespace asio = boost::asio;
using base::ErrorCode;
using testing::ElementsAre;
using testing::IsEmpty;
using testlib::StatusIs;
using testlib::Take;

class StoreWriteTest : public StoreTest {
 protected:
  void SetUp() override { Open(); }

  void AddOutbox(const std::string& event_id) {
    Take(store_->WriteNow([&](Transaction& change) {
      return change.AddOutbox({event_id, "{}"});
    }));
  }
};

// A change that waits inside the writer until it is let go, so that what is
// written meanwhile becomes one group.
class Gate {
 public:
  explicit Gate(Store& store)
      : thread_([this, &store] {
          Take(store.WriteNow([this](Transaction&) -> base::Status {
            entered_.set_value();
            released_.get_future().wait();
            return {};
          }));
        }) {
    entered_.get_future().wait();
  }
  void Release() {
    released_.set_value();
    thread_.join();
  }

 private:
  std::promise<void> entered_;
  std::promise<void> released_;
  std::thread thread_;
};

TEST_F(StoreWriteTest, ResumesACoroutineOnItsOwnThread) {
  asio::io_context io;
  std::thread::id changed_on;
  std::thread::id resumed_on;
  std::optional<base::Status> result;
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        result = co_await store_->Write([&](Transaction& change) {
          changed_on = std::this_thread::get_id();
          return change.InsertKey(MakeKey(1));
        });
        resumed_on = std::this_thread::get_id();
      },
      asio::detached);
  io.run();  // Does not run out of work while the change is under way.
  ASSERT_TRUE(result.has_value());
  EXPECT_OK(*result);
  EXPECT_EQ(resumed_on, std::this_thread::get_id());
  EXPECT_NE(changed_on, std::this_thread::get_id());
  EXPECT_OK(store_->FindKey(MakeKey(1).id));
}

TEST_F(StoreWriteTest, ManyCoroutinesShareCommitsAndEachGetsItsOwnResult) {
  asio::io_context io;
  ASSERT_OK(Insert(MakeKey(7)));
  std::vector<base::Status> results(100);
  for (std::uint32_t n = 0; n < results.size(); ++n) {
    asio::co_spawn(
        io,
        [&, n]() -> asio::awaitable<void> {
          results[n] = co_await store_->Write([n](Transaction& change) {
            return change.InsertKey(MakeKey(n));
          });
        },
        asio::detached);
  }
  io.run();
  for (std::uint32_t n = 0; n < results.size(); ++n) {
    EXPECT_EQ(results[n].has_value(), n != 7) << n;
  }
  EXPECT_THAT(results[7], StatusIs(ErrorCode::kAlreadyExists));
  EXPECT_EQ(store_->info().revision, 100);
}

TEST_F(StoreWriteTest, CountsWhatWaits) {
  EXPECT_EQ(store_->QueueLength(), 0);
  Gate gate(*store_);
  asio::io_context io;
  for (std::uint32_t n = 0; n < 3; ++n) {
    asio::co_spawn(
        io,
        [&, n]() -> asio::awaitable<void> {
          Take(co_await store_->Write([n](Transaction& change) {
            return change.InsertKey(MakeKey(n));
          }));
        },
        asio::detached);
  }
  io.poll();  // All three have asked; none can have been answered.
  EXPECT_EQ(store_->QueueLength(), 4);
  gate.Release();
  io.run();
  EXPECT_EQ(store_->QueueLength(), 0);
}

TEST_F(StoreWriteTest, ClosingCommitsWhatWaits) {
  asio::io_context io;
  bool resumed = false;
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        Take(co_await store_->Write(
            [](Transaction& change) { return change.InsertKey(MakeKey(1)); }));
        resumed = true;
      },
      asio::detached);
  io.poll();
  Close();
  io.restart();
  io.run();
  EXPECT_TRUE(resumed);
  Open();
  EXPECT_OK(store_->FindKey(MakeKey(1).id));
}

TEST_F(StoreWriteTest, RevisionsAreUniqueAndOutliveTheProcess) {
  constexpr int kThreads = 4;
  constexpr std::uint32_t kEach = 25;
  std::vector<std::vector<std::uint64_t>> seen(kThreads);
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t n = 0; n < kEach; ++n) {
        std::uint64_t revision = 0;
        Take(store_->WriteNow([&](Transaction& change) {
          revision = change.revision();
          return change.InsertKey(MakeKey(t * kEach + n));
        }));
        seen[t].push_back(revision);
      }
    });
  }
  std::set<std::uint64_t> all;
  for (std::uint32_t t = 0; t < kThreads; ++t) {
    threads[t].join();
    all.insert(seen[t].begin(), seen[t].end());
  }
  EXPECT_EQ(all.size(), kThreads * kEach);
  EXPECT_EQ(*all.rbegin(), kThreads * kEach);
  Reopen();
  EXPECT_EQ(store_->info().revision, kThreads * kEach);
}

TEST_F(StoreWriteTest, AFailedChangeLeavesTheRevisionAlone) {
  EXPECT_THAT(store_->WriteNow([](Transaction& change) -> base::Status {
    RETURN_IF_ERROR(change.InsertKey(MakeKey(1)));
    return base::Error{ErrorCode::kLimitExceeded, "own words"};
  }),
              StatusIs(ErrorCode::kLimitExceeded, "own words"));
  EXPECT_EQ(store_->info().revision, 0);
  EXPECT_THAT(store_->FindKey(MakeKey(1).id), StatusIs(ErrorCode::kNotFound));
}

// Readers fill the cache all the time; who has been told that a change is
// committed never sees what was before it.
TEST_F(StoreWriteTest, NobodySeesTheOldKeyAfterTheAcknowledgement) {
  Key key = MakeKey(1);
  ASSERT_OK(Insert(key));
  Alias alias = MakeAlias("alias/a", key);
  ASSERT_OK(Insert(alias));
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers(3);
  for (std::thread& reader : readers) {
    reader = std::thread([&] {
      while (!stop.load()) {
        Take(store_->FindKey(key.id));
        Take(store_->FindAlias(kAccount, kRegion, "alias/a"));
      }
    });
  }
  for (int i = 0; i < 200; ++i) {
    key.description = std::to_string(i);
    alias.updated = At(1000 + i);
    ASSERT_OK(store_->WriteNow([&](Transaction& change) -> base::Status {
      RETURN_IF_ERROR(change.UpdateKey(key));
      return change.UpdateAlias(alias);
    }));
    EXPECT_EQ(Take(store_->FindKey(key.id))->description, key.description);
    EXPECT_EQ(Take(store_->FindAlias(kAccount, kRegion, "alias/a")).updated,
              alias.updated);
  }
  stop.store(true);
  for (std::thread& reader : readers) {
    reader.join();
  }
}

TEST_F(StoreWriteTest, AFoundKeyIsSharedUntilItChanges) {
  Key key = MakeKey(1);
  ASSERT_OK(Insert(key));
  const KeyPtr first = Take(store_->FindKey(key.id));
  EXPECT_EQ(Take(store_->FindKey(key.id)), first);
  key.state = KeyState::kDisabled;
  ASSERT_OK(store_->WriteNow(
      [&](Transaction& change) { return change.UpdateKey(key); }));
  EXPECT_EQ(first->state, KeyState::kEnabled);
  EXPECT_EQ(Take(store_->FindKey(key.id))->state, KeyState::kDisabled);
}

TEST_F(StoreWriteTest, AForgottenEventGoesWithTheNextCommit) {
  AddOutbox("a");
  AddOutbox("b");
  store_->ForgetOutbox("a");
  AddOutbox("c");
  std::vector<std::string> ids;
  for (const OutboxEvent& event : Take(store_->ListOutbox())) {
    ids.push_back(event.event_id);
  }
  EXPECT_THAT(ids, ElementsAre("b", "c"));
}

TEST_F(StoreWriteTest, AForgottenEventGoesAtClose) {
  AddOutbox("a");
  store_->ForgetOutbox("a");
  Reopen();
  EXPECT_THAT(Take(store_->ListOutbox()), IsEmpty());
  EXPECT_EQ(store_->info().revision, 1);
}

TEST_F(StoreWriteTest, AForgottenEventGoesWhenNothingElseHappens) {
  Close();
  StoreOptions options = Options();
  options.outbox_idle = {};
  store_ = Take(Store::Open(options, clock_));
  AddOutbox("a");
  store_->ForgetOutbox("a");
  while (!Take(store_->ListOutbox()).empty()) {
    std::this_thread::yield();  // The test's time limit ends it.
  }
}

}  // namespace
}  // namespace kms::store
