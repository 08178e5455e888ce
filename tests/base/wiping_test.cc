// SPDX-License-Identifier: Apache-2.0
#include "base/wiping.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

namespace {

// The block to look at when it is given back, and what was seen. This program
// replaces the global operators to get between an allocator and the heap.
struct Watch {
  const void* block = nullptr;
  std::size_t size = 0;
  bool given_back = false;
  bool was_zero = false;
};

thread_local Watch watch;

void Release(void* block) noexcept {
  if (block != nullptr && block == watch.block) {
    const auto* const bytes = static_cast<const std::uint8_t*>(block);
    watch.given_back = true;
    watch.was_zero = std::all_of(bytes, bytes + watch.size,
                                 [](std::uint8_t byte) { return byte == 0; });
    watch.block = nullptr;
  }
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) {
  void* const block = std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) {
    std::abort();
  }
  return block;
}
void operator delete(void* block) noexcept { Release(block); }
void operator delete(void* block, std::size_t /*size*/) noexcept {
  Release(block);
}

namespace base {
namespace {

template <typename Container>
void WatchBlockOf(const Container& container) {
  watch = {.block = container.data(), .size = container.capacity()};
}

TEST(WipingTest, BytesAreZeroWhenTheirVectorGoes) {
  {
    WipingBytes bytes(100, 0xA5);
    WatchBlockOf(bytes);
  }
  EXPECT_TRUE(watch.given_back);
  EXPECT_TRUE(watch.was_zero);
}

TEST(WipingTest, GrowingWipesTheOldBlock) {
  WipingBytes bytes(100, 0xA5);
  bytes.shrink_to_fit();
  WatchBlockOf(bytes);
  bytes.resize(1000, 0x5A);
  EXPECT_TRUE(watch.given_back);
  EXPECT_TRUE(watch.was_zero);
  EXPECT_EQ(bytes[99], 0xA5);
}

TEST(WipingTest, AStringBeyondItsInnerBufferIsWiped) {
  {
    WipingString text;
    text.reserve(16);
    text = "short";  // In the heap nevertheless: see the header.
    WatchBlockOf(text);
  }
  EXPECT_TRUE(watch.given_back);
  EXPECT_TRUE(watch.was_zero);
}

TEST(WipingTest, AnOrdinaryVectorWouldShow) {
  {
    std::vector<std::uint8_t> bytes(100, 0xA5);
    WatchBlockOf(bytes);
  }
  EXPECT_TRUE(watch.given_back);
  EXPECT_FALSE(watch.was_zero);
}

}  // namespace
}  // namespace base
