// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <set>
#include <thread>
#include <vector>

#include "kms/client/descriptors.h"

namespace kms::client {
namespace {

int NewSocket() { return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }

bool IsOpen(int descriptor) { return fcntl(descriptor, F_GETFD) >= 0; }

TEST(DescriptorSetTest, ClosesWhatIsInIt) {
  DescriptorSet set;
  std::vector<int> sockets;
  for (int i = 0; i < 40; ++i) {  // More than one block.
    sockets.push_back(NewSocket());
    set.Add(sockets.back());
  }
  set.CloseAll();
  for (const int each : sockets) {
    EXPECT_FALSE(IsOpen(each));
  }
}

TEST(DescriptorSetTest, LeavesAloneWhatWasRemoved) {
  DescriptorSet set;
  const int gone = NewSocket();
  DescriptorSet::Remove(set.Add(gone));
  set.CloseAll();
  EXPECT_TRUE(IsOpen(gone));
  close(gone);
}

TEST(DescriptorSetTest, LeavesAloneWhatHasTakenTheNumber) {
  DescriptorSet set;
  const int number = NewSocket();
  set.Add(number);
  const int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(dup3(other, number, O_CLOEXEC), number);
  set.CloseAll();
  EXPECT_TRUE(IsOpen(number));
  close(number);
  close(other);
}

TEST(DescriptorSetTest, ClosesOnce) {
  DescriptorSet set;
  const int number = NewSocket();
  set.Add(number);
  set.CloseAll();
  const int again = NewSocket();  // Mostly gets the same number.
  set.CloseAll();
  EXPECT_TRUE(IsOpen(again));
  close(again);
}

TEST(DescriptorSetTest, UsesPlacesAgain) {
  DescriptorSet set;
  const int number = NewSocket();
  std::set<const DescriptorSet::Entry*> places;
  for (int i = 0; i < 100; ++i) {
    DescriptorSet::Entry& entry = set.Add(number);
    places.insert(&entry);
    DescriptorSet::Remove(entry);
  }
  EXPECT_EQ(places.size(), 1U);
  close(number);
}

TEST(DescriptorSetTest, TakesManyThreads) {
  DescriptorSet set;
  std::array<std::set<DescriptorSet::Entry*>, 4> taken;
  std::vector<std::thread> threads;
  threads.reserve(taken.size());
  const int number = NewSocket();
  for (auto& mine : taken) {
    threads.emplace_back([&set, &mine, number] {
      for (int i = 0; i < 50; ++i) {
        DescriptorSet::Remove(set.Add(number));
        mine.insert(&set.Add(number));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::set<DescriptorSet::Entry*> all;
  for (const auto& mine : taken) {
    all.insert(mine.begin(), mine.end());
  }
  EXPECT_EQ(all.size(), 200U);
  set.CloseAll();  // The same number 200 times: closed once.
  EXPECT_FALSE(IsOpen(number));
}

}  // namespace
}  // namespace kms::client
