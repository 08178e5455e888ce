// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "kms/client/connection_pool.h"

namespace kms::client {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

// A Stream with a name. It is in `alive` as long as it lives.
class NamedStream final : public Stream {
 public:
  NamedStream(char name, std::set<char>& alive, bool quiet = true)
      : name_(name), alive_(alive), quiet_(quiet) {
    alive_.insert(name_);
  }
  ~NamedStream() override { alive_.erase(name_); }

  base::Status Write(base::ByteView, const Deadline&) override { return {}; }
  base::Result<std::size_t> Read(std::span<std::uint8_t>,
                                 const Deadline&) override {
    return std::size_t{0};
  }
  bool IsQuiet(const Deadline&) override { return quiet_; }

  char name() const { return name_; }

 private:
  char name_;
  std::set<char>& alive_;
  bool quiet_;
};

class ConnectionPoolTest : public testing::Test {
 protected:
  void Keep(ConnectionPool& pool, char name, bool quiet = true) {
    pool.Keep(std::make_unique<NamedStream>(name, alive_, quiet));
  }
  // The name of the stream that is taken, and closed; '-' if there is none.
  char Take(ConnectionPool& pool) {
    const auto stream = pool.Take(Deadline(clock_, milliseconds(1)));
    return stream == nullptr ? '-' : static_cast<NamedStream&>(*stream).name();
  }

  base::FakeClock clock_{base::WallTime()};
  std::set<char> alive_;
};

TEST_F(ConnectionPoolTest, GivesTheNewestFirst) {
  ConnectionPool pool(clock_, 4, milliseconds(1000));
  EXPECT_EQ(Take(pool), '-');
  Keep(pool, 'a');
  Keep(pool, 'b');
  EXPECT_EQ(Take(pool), 'b');
  EXPECT_EQ(Take(pool), 'a');
  EXPECT_EQ(Take(pool), '-');
}

TEST_F(ConnectionPoolTest, ClosesTheOldestOfTooMany) {
  ConnectionPool pool(clock_, 2, milliseconds(1000));
  for (const char name : {'a', 'b', 'c'}) {
    Keep(pool, name);
  }
  EXPECT_THAT(alive_, ElementsAre('b', 'c'));
}

TEST_F(ConnectionPoolTest, KeepsNothingWhereNothingMayBeKept) {
  ConnectionPool pool(clock_, 0, milliseconds(1000));
  Keep(pool, 'a');
  EXPECT_THAT(alive_, IsEmpty());
  EXPECT_EQ(Take(pool), '-');
}

TEST_F(ConnectionPoolTest, ClosesWhatHasWaitedTooLong) {
  ConnectionPool pool(clock_, 4, milliseconds(1000));
  Keep(pool, 'a');
  clock_.Advance(milliseconds(999));
  EXPECT_EQ(Take(pool), 'a');
  Keep(pool, 'b');
  clock_.Advance(milliseconds(1000));
  EXPECT_EQ(Take(pool), '-');
  EXPECT_THAT(alive_, IsEmpty());
}

TEST_F(ConnectionPoolTest, ClosesWhatNobodyTakes) {
  ConnectionPool pool(clock_, 4, milliseconds(1000));
  Keep(pool, 'a');
  clock_.Advance(milliseconds(500));
  Keep(pool, 'b');
  clock_.Advance(milliseconds(500));
  Keep(pool, 'c');
  EXPECT_THAT(alive_, ElementsAre('b', 'c'));
  clock_.Advance(milliseconds(5000));
  Keep(pool, 'd');
  EXPECT_THAT(alive_, ElementsAre('d'));
  EXPECT_EQ(Take(pool), 'd');
}

TEST_F(ConnectionPoolTest, ClosesWhatIsNotQuiet) {
  ConnectionPool pool(clock_, 4, milliseconds(1000));
  Keep(pool, 'a');
  Keep(pool, 'b', /*quiet=*/false);
  EXPECT_EQ(Take(pool), 'a');
  EXPECT_THAT(alive_, IsEmpty());
}

}  // namespace
}  // namespace kms::client
