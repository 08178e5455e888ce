// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <vector>

#include "kms/store/group.h"
#include "kms/store/migrations.h"
#include "kms/store/reads.h"
#include "tests/kms/store_failing_disk.h"
#include "tests/kms/store_testing.h"

namespace kms::store {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::IsEmpty;
using testlib::StatusIs;
using testlib::Take;

Store::Change Inserting(std::uint32_t n) {
  return [n](Transaction& change) { return change.InsertKey(MakeKey(n)); };
}

base::Status Refuse(Transaction&) {
  return base::Error{ErrorCode::kLimitExceeded, "no"};
}

class StoreGroupTest : public testing::Test {
 protected:
  void SetUp() override {
    connection_ = Connect();
    const base::FakeClock clock(At(1));
    Take(Migrate(*connection_, Migrations(), clock));
    Take(
        connection_->Run("INSERT INTO store_info (singleton, store_id, epoch, "
                         "revision) VALUES (1, 'x', 1, 7)"));
  }
  std::unique_ptr<Connection> Connect() {
    return Take(Connection::Open({.path = (dir_ / "test.db").string(),
                                  .vfs = disk_.vfs(),
                                  .busy_timeout = {}}));
  }
  base::Result<Committed> Run(const std::vector<Store::Change>& changes,
                              std::vector<std::string> forgotten = {}) {
    std::vector<const Store::Change*> pointers;
    pointers.reserve(changes.size());
    for (const Store::Change& change : changes) {
      pointers.push_back(&change);
    }
    return Commit(*connection_, {.changes = pointers,
                                 .forgotten = forgotten,
                                 .revision = StoredRevision()});
  }
  std::uint64_t StoredRevision() {
    return Take(ReadStoreInfo(*connection_)).revision;
  }
  bool Has(std::uint32_t n) {
    return ReadKey(*connection_, MakeKey(n).id).has_value();
  }

  testlib::TempDir dir_;
  FailingDisk disk_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(StoreGroupTest, OneThatFailsIsUndoneAndLeavesTheOthersAlone) {
  const auto half_done = [](Transaction& change) -> base::Status {
    RETURN_IF_ERROR(change.InsertKey(MakeKey(2)));
    return Refuse(change);
  };
  const Committed done = Take(
      Run({Inserting(1), half_done, Inserting(3), Inserting(1), Inserting(4)}));
  EXPECT_THAT(
      done.results,
      ElementsAre(testlib::IsOk(), StatusIs(ErrorCode::kLimitExceeded, "no"),
                  testlib::IsOk(), StatusIs(ErrorCode::kAlreadyExists),
                  testlib::IsOk()));
  EXPECT_TRUE(Has(1) && Has(3) && Has(4));
  EXPECT_FALSE(Has(2));
  EXPECT_THAT(done.touched.keys,
              ElementsAre(MakeKey(1).id, MakeKey(3).id, MakeKey(4).id));
}

TEST_F(StoreGroupTest, EachChangeHasARevisionOfItsOwn) {
  std::vector<std::uint64_t> seen;
  const auto note = [&seen](Transaction& change) -> base::Status {
    seen.push_back(change.revision());
    return {};
  };
  const Committed done = Take(Run({note, Refuse, note, note}));
  EXPECT_THAT(seen, ElementsAre(8, 9, 10));
  EXPECT_EQ(done.revision, 10);
  EXPECT_EQ(StoredRevision(), 10);
}

TEST_F(StoreGroupTest, LaterChangesSeeEarlierOnes) {
  const auto sees = [](Transaction& change) -> base::Status {
    RETURN_IF_ERROR(change.GetKey(MakeKey(1).id));
    return {};
  };
  EXPECT_THAT(Take(Run({sees, Inserting(1), sees})).results,
              ElementsAre(StatusIs(ErrorCode::kNotFound), testlib::IsOk(),
                          testlib::IsOk()));
}

TEST_F(StoreGroupTest, ForgettingAnEventIsNoMutation) {
  Take(Run({[](Transaction& change) -> base::Status {
    RETURN_IF_ERROR(change.AddOutbox({"a", "{}"}));
    return change.AddOutbox({"b", "{}"});
  }}));
  EXPECT_EQ(Take(Run({}, {"a", "unknown"})).revision, 8);
  EXPECT_EQ(StoredRevision(), 8);
  EXPECT_EQ(Take(ReadOutbox(*connection_)).size(), 1);
}

TEST_F(StoreGroupTest, RunsAgainWhenAnotherProgramHeldTheLock) {
  int runs = 0;
  disk_.RefuseLocks(2);
  EXPECT_OK(Run({[&runs](Transaction& change) {
    ++runs;
    return change.InsertKey(MakeKey(1));
  }}));
  EXPECT_EQ(runs, 1);  // BEGIN failed twice, before any change ran.
  EXPECT_TRUE(Has(1));
}

TEST_F(StoreGroupTest, GivesUpWhenAnotherProgramKeepsTheLock) {
  const auto other = Connect();
  ASSERT_OK(other->Begin());
  EXPECT_THAT(Run({Inserting(1)}),
              StatusIs(ErrorCode::kBusy, testing::HasSubstr("close it")));
  other->Rollback();
  EXPECT_OK(Run({Inserting(1)}));
}

// A change that goes on after the disk failed under it would commit a part.
TEST_F(StoreGroupTest, AFailingDiskFailsAllEvenIfTheChangeGoesOn) {
  Take(Run({Inserting(1)}));
  const auto ignores_it = [this](Transaction& change) -> base::Status {
    Take(connection_->Script("PRAGMA shrink_memory"));  // It must read again.
    disk_.FailReads(SQLITE_IOERR_READ);
    EXPECT_THAT(change.GetKey(MakeKey(1).id),
                StatusIs(ErrorCode::kStoreUnavailable));
    disk_.FailReads(SQLITE_OK);
    return {};
  };
  EXPECT_THAT(Run({ignores_it, Inserting(2)}),
              StatusIs(ErrorCode::kStoreUnavailable));
  EXPECT_FALSE(Has(2));
  EXPECT_OK(Run({Inserting(2)}));
}

TEST_F(StoreGroupTest, ACommitThatFailsChangesNothing) {
  disk_.FailNextSyncs(1, SQLITE_IOERR_FSYNC);
  EXPECT_THAT(Run({Inserting(1), Refuse, Inserting(2)}),
              StatusIs(ErrorCode::kStoreUnavailable));
  EXPECT_FALSE(connection_->traces_remain());
  EXPECT_FALSE(Has(1) || Has(2));
  EXPECT_EQ(StoredRevision(), 7);
}

TEST_F(StoreGroupTest, SaysWhenTracesOfAFailedCommitRemain) {
  disk_.FailSyncs(SQLITE_IOERR_FSYNC);
  EXPECT_FALSE(Run({Inserting(1)}).has_value());
  EXPECT_TRUE(connection_->traces_remain());
  disk_.FailSyncs(SQLITE_OK);
  EXPECT_OK(Run({Inserting(2)}));
  EXPECT_FALSE(connection_->traces_remain());
}

TEST_F(StoreGroupTest, NothingIsWrittenIfEveryChangeFails) {
  disk_.FailWrites(SQLITE_FULL);  // Nobody notices.
  const Committed done = Take(Run({Refuse}));
  EXPECT_THAT(done.results, ElementsAre(StatusIs(ErrorCode::kLimitExceeded)));
  EXPECT_THAT(done.touched.keys, IsEmpty());
  EXPECT_EQ(done.revision, 7);
}

}  // namespace
}  // namespace kms::store
