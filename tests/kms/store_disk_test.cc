// SPDX-License-Identifier: Apache-2.0
// A disk that is full or fails: nothing half-done, nothing that comes back, and
// no restart needed afterwards.
#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/kms/store_failing_disk.h"
#include "tests/kms/store_testing.h"

namespace kms::store {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

class StoreDiskTest : public StoreTest {
 protected:
  // The first key is committed before the disk fails.
  void SetUp() override {
    OpenOn(disk_);
    ASSERT_OK(Insert(MakeKey(1)));
  }
  void OpenOn(const FailingDisk& disk) {
    StoreOptions options = Options();
    options.vfs = disk.vfs();
    store_ = Take(Store::Open(options, clock_));
  }

  FailingDisk disk_;
};

TEST_F(StoreDiskTest, RefusesWhileTheDiskIsFullAndGoesOnAfterwards) {
  const StoreInfo before = store_->info();
  disk_.FailWrites(SQLITE_FULL);
  for (std::uint32_t n = 2; n < 5; ++n) {
    EXPECT_THAT(Insert(MakeKey(n)),
                StatusIs(ErrorCode::kStoreUnavailable,
                         testing::AllOf(HasSubstr("is full"),
                                        HasSubstr("free some space"),
                                        HasSubstr("claviger.db"))));
  }
  EXPECT_EQ(store_->info().revision, before.revision);
  EXPECT_OK(store_->FindKey(MakeKey(1).id));
  EXPECT_THAT(store_->FindKey(MakeKey(2).id), StatusIs(ErrorCode::kNotFound));

  disk_.FailWrites(SQLITE_OK);
  EXPECT_OK(Insert(MakeKey(2)));
  EXPECT_EQ(store_->info().revision, before.revision + 1);
  Reopen();
  EXPECT_OK(store_->FindKey(MakeKey(1).id));
  EXPECT_OK(store_->FindKey(MakeKey(2).id));
  EXPECT_THAT(store_->FindKey(MakeKey(3).id), StatusIs(ErrorCode::kNotFound));
}

TEST_F(StoreDiskTest, RefusesWhenTheDiskFails) {
  disk_.FailWrites(SQLITE_IOERR_WRITE);
  EXPECT_THAT(Insert(MakeKey(2)),
              StatusIs(ErrorCode::kStoreUnavailable, HasSubstr("quota")));
  disk_.FailWrites(SQLITE_OK);
  disk_.FailSyncs(SQLITE_IOERR_FSYNC);
  EXPECT_THAT(Insert(MakeKey(2)), StatusIs(ErrorCode::kStoreUnavailable));
  disk_.FailSyncs(SQLITE_OK);
  EXPECT_OK(Insert(MakeKey(2)));
}

TEST_F(StoreDiskTest, AKeyInTheCacheOutlivesARefusedChange) {
  ASSERT_OK(store_->FindKey(MakeKey(1).id));
  Key changed = MakeKey(1);
  changed.state = KeyState::kDisabled;
  disk_.FailSyncs(SQLITE_IOERR_FSYNC);
  EXPECT_THAT(store_->WriteNow([&](Transaction& change) {
    return change.UpdateKey(changed);
  }),
              StatusIs(ErrorCode::kStoreUnavailable));
  EXPECT_EQ(Take(store_->FindKey(changed.id))->state, KeyState::kEnabled);
}

TEST_F(StoreDiskTest, ReadingFromAFailingDiskIsUnavailableNotMissing) {
  Close();
  OpenOn(disk_);
  disk_.FailReads(SQLITE_IOERR_READ);
  EXPECT_THAT(store_->FindKey(MakeKey(1).id),
              StatusIs(ErrorCode::kStoreUnavailable));
  disk_.FailReads(SQLITE_OK);
  EXPECT_OK(store_->FindKey(MakeKey(1).id));
}

// The frames of the refused change are in the write-ahead log, complete; only
// the sync failed. A kill must not make the next start take them for committed.
TEST_F(StoreDiskTest, ARefusedChangeDoesNotComeBackAfterAKill) {
  Close();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    FailingDisk disk;
    OpenOn(disk);
    // Fails once: what the store does about it succeeds.
    disk.FailNextSyncs(1, SQLITE_IOERR_FSYNC);
    const bool refused = !Insert(MakeKey(2)).has_value();
    _exit(refused ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  OpenOn(disk_);
  EXPECT_OK(store_->FindKey(MakeKey(1).id));
  EXPECT_THAT(store_->FindKey(MakeKey(2).id), StatusIs(ErrorCode::kNotFound));
}

// Runs in a child, for the limit holds for the whole process.
int WriteAgainstTheLimit(const StoreOptions& options,
                         const base::Clock& clock) {
  std::signal(SIGXFSZ, SIG_IGN);
  const auto store = Take(Store::Open(options, clock));
  const auto insert = [&store](std::uint32_t n) {
    return store->WriteNow([n](Transaction& change) {
      Key key = MakeKey(n);
      key.description.assign(8000, 'x');
      return change.InsertKey(key);
    });
  };
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = 400'000;
  setrlimit(RLIMIT_FSIZE, &limit);
  std::uint32_t n = 0;
  base::Status status = insert(n);
  while (status.has_value() && n < 1000) {
    status = insert(++n);
  }
  if (status.has_value() ||
      status.error().code != ErrorCode::kStoreUnavailable) {
    return 1;
  }
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_FSIZE, &limit);
  return insert(n).has_value() ? 0 : 2;
}

TEST_F(StoreDiskTest, RecoversFromARealLimitOfTheFileSize) {
  Close();
  const StoreOptions options{.path = (dir_ / "limited.db").string()};
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    _exit(WriteAgainstTheLimit(options, clock_));
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  const auto store = Take(Store::Open(options, clock_));
  EXPECT_OK(store->FindKey(MakeKey(0).id));
}

}  // namespace
}  // namespace kms::store
