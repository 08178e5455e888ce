// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "hsm/frame.h"
#include "hsm/status_codes.h"
#include "tests/testlib/status.h"

namespace hsm {
namespace {

using base::ErrorCode;

void Feed(FrameBuffer& buffer, base::ByteView bytes) {
  const std::span<std::uint8_t> space = buffer.Space();
  ASSERT_GE(space.size(), bytes.size());
  std::ranges::copy(bytes, space.begin());
  buffer.Filled(bytes.size());
}

base::WipingBytes Frames(int count) {
  base::WipingBytes out;
  for (int i = 0; i < count; ++i) {
    EXPECT_OK(AppendFrame(static_cast<std::uint32_t>(i), 6,
                          RandomRequest{static_cast<std::uint16_t>(i)}, out));
  }
  return out;
}

// Takes all whole frames; their slots and sizes.
std::vector<std::uint32_t> Slots(FrameBuffer& buffer) {
  std::vector<std::uint32_t> slots;
  while (const auto head = buffer.Head()) {
    const auto frame = buffer.Take(*head);
    if (!frame) {
      break;
    }
    EXPECT_EQ(frame->tag, 6);
    const auto request = Decode<RandomRequest>(frame->payload);
    EXPECT_TRUE(request && request->size == frame->slot);
    slots.push_back(frame->slot);
  }
  return slots;
}

TEST(FrameBuffer, GivesFramesHoweverTheirBytesCome) {
  const base::WipingBytes bytes = Frames(5);
  for (std::size_t chunk = 1; chunk <= bytes.size(); ++chunk) {
    FrameBuffer buffer;
    std::vector<std::uint32_t> slots;
    for (std::size_t at = 0; at < bytes.size(); at += chunk) {
      Feed(buffer, base::ByteView(bytes).subspan(
                       at, std::min(chunk, bytes.size() - at)));
      for (const std::uint32_t slot : Slots(buffer)) {
        slots.push_back(slot);
      }
    }
    EXPECT_THAT(slots, testing::ElementsAre(0, 1, 2, 3, 4));
  }
}

TEST(FrameBuffer, MakesRoomForAFrameThatItsReaderAllows) {
  std::vector<std::string> labels(4000, std::string(40, 'x'));
  ListKeysReply reply;
  for (const std::string& label : labels) {
    reply.keys.push_back({base::Bytes(16), label});
  }
  base::WipingBytes bytes;
  ASSERT_OK(AppendFrame(3, kStatusOk, reply, bytes, kMaxListing));
  ASSERT_GT(bytes.size(), 2 * kMaxFrame);
  const base::WipingBytes next = Frames(1);
  bytes.insert(bytes.end(), next.begin(), next.end());

  FrameBuffer buffer;
  std::optional<Frame> frame;
  for (std::size_t at = 0; at < bytes.size() && !frame;) {
    const std::size_t size = std::min(buffer.Space().size(), bytes.size() - at);
    Feed(buffer, base::ByteView(bytes).subspan(at, size));
    at += size;
    frame = buffer.Take(*buffer.Head());
  }
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->slot, 3U);
  ASSERT_OK_AND_ASSIGN(const ListKeysReply decoded,
                       Decode<ListKeysReply>(frame->payload));
  EXPECT_EQ(decoded.keys.size(), labels.size());
}

TEST(FrameBuffer, ForgetsWhatWasHandedOut) {
  FrameBuffer buffer;
  const base::WipingBytes bytes = Frames(1);
  Feed(buffer, bytes);
  ASSERT_EQ(Slots(buffer).size(), 1U);
  const std::span<std::uint8_t> space = buffer.Space();
  EXPECT_TRUE(std::ranges::all_of(space.first(bytes.size()),
                                  [](std::uint8_t byte) { return byte == 0; }));
}

TEST(Frame, CarriesAnErrorAndItsText) {
  base::WipingBytes bytes;
  AppendError(5, {ErrorCode::kNotFound, "no such object"}, bytes);
  FrameBuffer buffer;
  Feed(buffer, bytes);
  const auto frame = buffer.Take(*buffer.Head());
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->slot, 5U);
  const auto error = DecodeError(*frame);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, ErrorCode::kNotFound);
  EXPECT_EQ(error->message, "no such object");
}

TEST(Frame, CutsALongErrorText) {
  base::WipingBytes bytes;
  AppendError(5, {ErrorCode::kIo, std::string(5000, 'x')}, bytes);
  FrameBuffer buffer;
  Feed(buffer, bytes);
  const auto error = DecodeError(*buffer.Take(*buffer.Head()));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->message, std::string(1024, 'x'));
}

TEST(Frame, RefusesAMalformedError) {
  const base::Bytes text = {0, 0, 0, 1, 'x'};
  const base::ByteView whole(text);
  EXPECT_TRUE(DecodeError({0, 3, whole}));
  EXPECT_FALSE(DecodeError({0, 250, whole}));           // No such status.
  EXPECT_FALSE(DecodeError({0, 3, whole.first(4)}));    // Cut.
  EXPECT_FALSE(DecodeError({0, 3, base::ByteView()}));  // Empty.
  const base::Bytes longer = {0, 0, 0, 1, 'x', 'y'};
  EXPECT_FALSE(DecodeError({0, 3, longer}));
}

TEST(Frame, WipesABufferThatItClears) {
  base::WipingBytes bytes = {1, 2, 3};
  const std::uint8_t* memory = bytes.data();
  WipeAndClear(bytes);
  EXPECT_TRUE(bytes.empty());
  ASSERT_GE(bytes.capacity(), 3U);
  bytes.resize(3,
               9);  // The same memory, written again: what was there is gone.
  EXPECT_EQ(bytes.data(), memory);
}

}  // namespace
}  // namespace hsm
