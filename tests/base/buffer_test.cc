// SPDX-License-Identifier: Apache-2.0
#include "base/buffer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <utility>

#include "tests/testlib/status.h"

namespace base {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testlib::IsOk;
using testlib::IsOkAndHolds;
using testlib::StatusIs;

constexpr std::array<std::uint8_t, 10> kTen = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

TEST(ReaderTest, IntegersAreBigEndian) {
  const Bytes bytes = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
                       0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0xFF};
  Reader reader(bytes);
  EXPECT_THAT(reader.U8(), IsOkAndHolds(0x01));
  EXPECT_THAT(reader.U16(), IsOkAndHolds(0x0203));
  EXPECT_THAT(reader.U32(), IsOkAndHolds(0x04050607u));
  EXPECT_THAT(reader.U64(), IsOkAndHolds(0x08090A0B0C0D0EFFu));
  EXPECT_THAT(reader.End(), IsOk());
}

TEST(ReaderTest, NoFieldReachesPastTheEnd) {
  for (std::size_t size = 0; size < 8; ++size) {
    const ByteView bytes = ByteView(kTen).first(size);
    EXPECT_EQ(Reader(bytes).U8().has_value(), size >= 1) << size;
    EXPECT_EQ(Reader(bytes).U16().has_value(), size >= 2) << size;
    EXPECT_EQ(Reader(bytes).U32().has_value(), size >= 4) << size;
    EXPECT_THAT(Reader(bytes).U64(),
                StatusIs(ErrorCode::kCorrupt, HasSubstr("last field")));
    EXPECT_THAT(Reader(bytes).Take(size), IsOk());
    EXPECT_THAT(Reader(bytes).Take(size + 1), StatusIs(ErrorCode::kCorrupt));
    EXPECT_THAT(Reader(bytes).Take(SIZE_MAX), StatusIs(ErrorCode::kCorrupt));
  }
}

TEST(ReaderTest, AFailedReadTakesNothing) {
  Reader reader(kTen);
  EXPECT_THAT(reader.Take(11), Not(IsOk()));
  EXPECT_EQ(reader.left(), 10u);
  EXPECT_THAT(reader.Take(3), IsOk());
  EXPECT_THAT(reader.rest(), ElementsAre(4, 5, 6, 7, 8, 9, 10));
}

TEST(ReaderTest, SizedFieldsAreBoundedByMaximumAndByWhatIsThere) {
  const Bytes bytes = {0, 0, 0, 3, 'a', 'b', 'c', 'd'};
  Reader reader(bytes);
  ASSERT_OK_AND_ASSIGN(const ByteView field, reader.Sized(3));
  EXPECT_EQ(AsText(field), "abc");
  EXPECT_EQ(reader.left(), 1u);
  EXPECT_THAT(Reader(bytes).Sized(2),
              StatusIs(ErrorCode::kCorrupt, HasSubstr("longer than")));
  EXPECT_THAT(Reader(ByteView(bytes).first(6)).Sized(3),
              StatusIs(ErrorCode::kCorrupt));
  const Bytes huge = {0xFF, 0xFF, 0xFF, 0xFF, 1};
  EXPECT_THAT(Reader(huge).Sized(SIZE_MAX), StatusIs(ErrorCode::kCorrupt));
  EXPECT_THAT(Reader(ByteView(bytes).first(3)).Sized(3),
              StatusIs(ErrorCode::kCorrupt));
  const Bytes empty(4, 0);
  EXPECT_THAT(Reader(empty).Sized(0), IsOkAndHolds(IsEmpty()));
}

TEST(ReaderTest, WhatIsLeftOverIsNoticed) {
  Reader reader(kTen);
  EXPECT_THAT(reader.End(),
              StatusIs(ErrorCode::kCorrupt, HasSubstr("after the last field")));
  EXPECT_THAT(reader.Take(10), IsOk());
  EXPECT_THAT(reader.End(), IsOk());
  EXPECT_THAT(Reader(ByteView()).End(), IsOk());
}

TEST(WriterTest, WritesWhatTheReaderReads) {
  Writer writer(1000);
  writer.U8(0xFE).U16(0xFEDC).U32(0xFEDCBA98).U64(0xFEDCBA9876543210);
  writer.Raw(kTen).Sized(kTen).Sized("text").Sized("");
  ASSERT_TRUE(writer.Ok());
  EXPECT_EQ(writer.size(), 1u + 2 + 4 + 8 + 10 + 14 + 8 + 4);

  const WipingBytes bytes = std::move(writer).Take();
  Reader reader(bytes);
  EXPECT_THAT(reader.U8(), IsOkAndHolds(0xFE));
  EXPECT_THAT(reader.U16(), IsOkAndHolds(0xFEDC));
  EXPECT_THAT(reader.U32(), IsOkAndHolds(0xFEDCBA98));
  EXPECT_THAT(reader.U64(), IsOkAndHolds(0xFEDCBA9876543210));
  EXPECT_THAT(reader.Take(10), IsOkAndHolds(testing::ElementsAreArray(kTen)));
  EXPECT_THAT(reader.Sized(10), IsOkAndHolds(testing::ElementsAreArray(kTen)));
  ASSERT_OK_AND_ASSIGN(const ByteView text, reader.Sized(4));
  EXPECT_EQ(AsText(text), "text");
  EXPECT_THAT(reader.Sized(0), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(reader.End(), IsOk());
}

TEST(WriterTest, StopsForGoodAtItsMaximum) {
  Writer writer(10);
  writer.Raw(kTen);
  EXPECT_TRUE(writer.Ok());
  writer.U8(1);
  EXPECT_FALSE(writer.Ok());
  EXPECT_EQ(writer.size(), 10u);
  writer.Raw({});  // Even what would fit again.
  EXPECT_FALSE(writer.Ok());

  Writer small(3);
  small.U32(1).U8(1);
  EXPECT_FALSE(small.Ok());
  EXPECT_THAT(small.view(), IsEmpty());

  Writer none(0);
  none.Raw({});
  EXPECT_TRUE(none.Ok());
  none.U8(0);
  EXPECT_FALSE(none.Ok());
}

TEST(WriterTest, GoesOnAfterBytesThatCountTowardsTheMaximum) {
  Writer writer(4, WipingBytes{1, 2});
  writer.U16(0x0304);
  EXPECT_TRUE(writer.Ok());
  EXPECT_THAT(writer.view(), ElementsAre(1, 2, 3, 4));
  writer.U8(5);
  EXPECT_FALSE(writer.Ok());
  EXPECT_FALSE(Writer(1, WipingBytes{1, 2}).Ok());
  EXPECT_FALSE(Writer(1, WipingBytes{1, 2}).U8(3).Ok());
}

}  // namespace
}  // namespace base
