// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "kms/store/cache.h"
#include "tests/testlib/status.h"

namespace kms::store {
namespace {

using base::ErrorCode;
using testing::Pointee;
using testlib::IsOkAndHolds;
using testlib::StatusIs;

std::shared_ptr<const int> Shared(int value) {
  return std::make_shared<const int>(value);
}

TEST(StoreCacheTest, FindsWhatWasInserted) {
  Cache<int> cache(2);
  EXPECT_EQ(cache.Find("a"), nullptr);
  cache.Insert("a", Shared(1), cache.version());
  EXPECT_THAT(cache.Find("a"), Pointee(1));
  cache.Insert("a", Shared(2), cache.version());
  EXPECT_THAT(cache.Find("a"), Pointee(2));
  EXPECT_EQ(cache.size(), 1);
}

TEST(StoreCacheTest, ForgetsTheLeastRecentlyUsedAtItsBound) {
  Cache<int> cache(2);
  cache.Insert("a", Shared(1), 0);
  cache.Insert("b", Shared(2), 0);
  EXPECT_THAT(cache.Find("a"), Pointee(1));
  cache.Insert("c", Shared(3), 0);
  EXPECT_EQ(cache.size(), 2);
  EXPECT_EQ(cache.Find("b"), nullptr);
  EXPECT_THAT(cache.Find("a"), Pointee(1));
  EXPECT_THAT(cache.Find("c"), Pointee(3));
}

TEST(StoreCacheTest, KeepsNothingIfItHasNoRoom) {
  Cache<int> cache(0);
  cache.Insert("a", Shared(1), 0);
  EXPECT_EQ(cache.size(), 0);
}

TEST(StoreCacheTest, DropsOnlyWhatWasTouched) {
  Cache<int> cache(9);
  cache.Insert("a", Shared(1), 0);
  cache.Insert("b", Shared(2), 0);
  cache.Drop({});
  EXPECT_EQ(cache.version(), 0);
  cache.Drop({"b", "not there"});
  EXPECT_EQ(cache.version(), 1);
  EXPECT_THAT(cache.Find("a"), Pointee(1));
  EXPECT_EQ(cache.Find("b"), nullptr);
}

TEST(StoreCacheTest, WhoHoldsAValueKeepsItThroughADrop) {
  Cache<int> cache(1);
  cache.Insert("a", Shared(1), 0);
  const auto held = cache.Find("a");
  cache.Drop({"a"});
  EXPECT_THAT(held, Pointee(1));
}

TEST(StoreCacheTest, RefusesAValueReadBeforeADrop) {
  Cache<int> cache(2);
  const std::uint64_t version = cache.version();
  cache.Drop({"a"});
  cache.Insert("a", Shared(1), version);
  cache.Insert("b", Shared(1), version);  // It may be as old.
  EXPECT_EQ(cache.size(), 0);
}

// The race, step by step: a reader finds nothing, reads the old row, and is
// overtaken by a commit before it can keep what it read.
TEST(StoreCacheTest, AReaderThatACommitOvertakesKeepsNothing) {
  Cache<int> cache(2);
  int row = 1;
  const auto overtaken = ReadThrough(cache, "a", [&]() -> base::Result<int> {
    const int read = row;
    row = 2;            // The commit...
    cache.Drop({"a"});  // ...and what follows it.
    return read;
  });
  // What it began to read before the commit may be the old row,
  EXPECT_THAT(overtaken, IsOkAndHolds(Pointee(1)));
  // but who asks after the commit gets the new one.
  EXPECT_THAT(
      ReadThrough(cache, "a", [&]() -> base::Result<int> { return row; }),
      IsOkAndHolds(Pointee(2)));
}

TEST(StoreCacheTest, ReadsOnceAndKeepsNoFailure) {
  Cache<int> cache(2);
  int reads = 0;
  const auto fail = [&]() -> base::Result<int> {
    ++reads;
    return base::Error{ErrorCode::kNotFound, ""};
  };
  const auto succeed = [&]() -> base::Result<int> { return ++reads; };
  EXPECT_THAT(ReadThrough(cache, "a", fail), StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(ReadThrough(cache, "a", succeed), IsOkAndHolds(Pointee(2)));
  EXPECT_THAT(ReadThrough(cache, "a", succeed), IsOkAndHolds(Pointee(2)));
}

}  // namespace
}  // namespace kms::store
