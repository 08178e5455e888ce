// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>

#include "kms/current.h"

namespace kms {
namespace {

struct List {
  std::uint64_t revision = 0;
};

class Directory {
 public:
  explicit Directory(std::uint64_t revision) : revision_(revision) {}
  std::uint64_t revision() const { return revision_; }

 private:
  std::uint64_t revision_;
};

std::shared_ptr<const List> At(std::uint64_t revision) {
  return std::make_shared<const List>(List{revision});
}

TEST(Current, WhatIsOlderReplacesNothing) {
  Current<List> lists(At(5));
  const auto kept = lists.current();
  lists.Replace(At(9));
  lists.Replace(At(8));
  EXPECT_EQ(lists.current()->revision, 9U);
  EXPECT_EQ(kept->revision, 5U);
  // Of the same revision the later one counts.
  const auto again = At(9);
  lists.Replace(again);
  EXPECT_EQ(lists.current(), again);
}

TEST(Current, IsBehindUntilWhatWasMissedIsInForce) {
  Current<List> lists(At(5));
  EXPECT_FALSE(lists.is_behind());
  lists.FallBehind(5);
  EXPECT_FALSE(lists.is_behind());
  lists.FallBehind(8);
  lists.FallBehind(7);
  EXPECT_TRUE(lists.is_behind());
  lists.Replace(At(7));
  EXPECT_TRUE(lists.is_behind());
  EXPECT_TRUE(lists.Read([](const List&, bool behind) { return behind; }));
  lists.Replace(At(4));
  EXPECT_TRUE(lists.is_behind());
  lists.Replace(At(8));
  EXPECT_FALSE(lists.is_behind());
  lists.FallBehind(6);
  EXPECT_FALSE(lists.is_behind());
  EXPECT_EQ(lists.Read([](const List& list, bool behind) -> std::uint64_t {
    return behind ? 0 : list.revision;
  }),
            8U);
}

TEST(Current, ARevisionMayBeAFunction) {
  Current<Directory> directories(std::make_shared<const Directory>(1));
  directories.Replace(std::make_shared<const Directory>(2));
  EXPECT_EQ(directories.current()->revision(), 2U);
}

}  // namespace
}  // namespace kms
