// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/envelope_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/buffer.h"
#include "tests/testlib/status.h"
#include "tests/tools/envelope_streams.h"

namespace tools::claviger {
namespace {

using base::Bytes;
using base::ErrorCode;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

// Where the fields of TestHeader() lie.
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kAlgorithmAt = 9;
constexpr std::size_t kChunkBitsAt = 10;
constexpr std::size_t kLengthAt = 11;
constexpr std::size_t kKeyLengthAt = 15 + 32;

TEST(EnvelopeHeaderTest, ComesBack) {
  const Bytes bytes = Take(EncodeHeader(TestHeader()));
  ASSERT_OK_AND_ASSIGN(const EnvelopeHeader header, DecodeHeader(bytes));
  EXPECT_EQ(header.chunk_bits, kMinChunkBits);
  EXPECT_EQ(header.chunk_bytes(), 4096U);
  EXPECT_EQ(header.salt, TestHeader().salt);
  EXPECT_EQ(header.wrapped_key, TestHeader().wrapped_key);
  EXPECT_EQ(header.context, TestHeader().context);
  EXPECT_EQ(Take(EncodeHeader(header)), bytes);
}

TEST(EnvelopeHeaderTest, NothingOutOfBoundsIsWritten) {
  EnvelopeHeader header = TestHeader();
  header.chunk_bits = kMinChunkBits - 1;
  EXPECT_THAT(EncodeHeader(header), StatusIs(ErrorCode::kInvalidArgument));
  header.chunk_bits = kMaxChunkBits + 1;
  EXPECT_THAT(EncodeHeader(header), StatusIs(ErrorCode::kInvalidArgument));
  header = TestHeader();
  header.wrapped_key.clear();
  EXPECT_THAT(EncodeHeader(header), StatusIs(ErrorCode::kInvalidArgument));
  header.wrapped_key.resize(6145);
  EXPECT_THAT(EncodeHeader(header), StatusIs(ErrorCode::kInvalidArgument));
  header = TestHeader();
  header.context = {{"k", std::string(8192, 'v')}};
  EXPECT_THAT(EncodeHeader(header),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("context")));
  header.context.clear();
  for (int i = 0; i < 257; ++i) {
    header.context[std::to_string(i)] = "";
  }
  EXPECT_THAT(EncodeHeader(header), StatusIs(ErrorCode::kInvalidArgument));
}

TEST(EnvelopeHeaderTest, TheLargestHeaderFits) {
  EnvelopeHeader header = TestHeader();
  header.wrapped_key.resize(6144);
  header.context.clear();
  for (int i = 100; i < 356; ++i) {
    header.context[std::to_string(i)] = std::string(29, 'v');
  }
  ASSERT_OK_AND_ASSIGN(const Bytes bytes, EncodeHeader(header));
  ASSERT_OK_AND_ASSIGN(const Bytes read, ReadHeaderBytes(From(bytes, 1)));
  EXPECT_EQ(read, bytes);
  EXPECT_OK(DecodeHeader(read));
}

TEST(EnvelopeHeaderTest, ReadsNotAByteMoreThanTheHeader) {
  Bytes bytes = Take(EncodeHeader(TestHeader()));
  const std::size_t size = bytes.size();
  bytes.insert(bytes.end(), {1, 2, 3});
  const Source source = From(bytes);
  ASSERT_OK_AND_ASSIGN(const Bytes header, ReadHeaderBytes(source));
  EXPECT_EQ(header.size(), size);
  Bytes rest(10);
  EXPECT_THAT(ReadFull(source, rest), testlib::IsOkAndHolds(3U));
}

struct BadCase {
  const char* name;
  std::size_t at;
  Bytes bytes;
  const char* why;
};

class BadHeaderTest : public testing::TestWithParam<BadCase> {};

TEST_P(BadHeaderTest, IsRefused) {
  Bytes bytes = Take(EncodeHeader(TestHeader()));
  std::ranges::copy(GetParam().bytes,
                    std::span(bytes).subspan(GetParam().at).begin());
  EXPECT_THAT(OpenEnvelope(From(bytes)),
              StatusIs(ErrorCode::kCorrupt, HasSubstr(GetParam().why)));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadHeaderTest,
    testing::ValuesIn(std::vector<BadCase>{
        {"Magic", 0, {'c'}, "does not begin"},
        {"TextMode", 7, {'\r'}, "does not begin"},
        {"Version", kVersionAt, {2}, "version 2, algorithm 1"},
        {"Algorithm", kAlgorithmAt, {0}, "version 1, algorithm 0"},
        {"SmallChunks", kChunkBitsAt, {11}, "4 KiB to 16 MiB"},
        {"LargeChunks", kChunkBitsAt, {25}, "4 KiB to 16 MiB"},
        {"ManyBits", kChunkBitsAt, {255}, "4 KiB to 16 MiB"},
        {"LongHeader", kLengthAt, {0, 0, 0x80}, "32 KiB"},
        {"HugeHeader", kLengthAt, {0xFF, 0xFF, 0xFF, 0xFF}, "32 KiB"},
        {"CutOff", kLengthAt, {0, 0, 1}, "cut off"},
        {"ShortLength", kLengthAt, {0, 0, 0, 31}, "before its last field"},
        {"NoLength", kLengthAt, {0, 0, 0, 0}, "before its last field"},
        {"LongKey", kKeyLengthAt, {0, 0, 0x18, 1}, "longer"},
        {"NoKey", kKeyLengthAt, {0, 0, 0, 0}, ""},
    }),
    [](const auto& param) { return std::string(param.param.name); });

// A header with the context written as it stands here.
Bytes WithPairs(
    const std::vector<std::pair<std::string_view, std::string_view>>& pairs,
    std::uint32_t count) {
  base::Writer body(1U << 16);
  body.Raw(Bytes(32)).Sized("key").U32(count);
  for (const auto& [key, value] : pairs) {
    body.Sized(key).Sized(value);
  }
  base::Writer whole(1U << 16);
  whole.Raw(base::AsBytes("CLVGENV\n")).U8(1).U8(1).U8(12).Sized(body.view());
  return Bytes(whole.view().begin(), whole.view().end());
}

TEST(EnvelopeHeaderTest, AContextHasOneSpelling) {
  EXPECT_OK(DecodeHeader(WithPairs({{"a", "2"}, {"b", "1"}}, 2)));
  EXPECT_OK(DecodeHeader(WithPairs({{"a", ""}, {"aa", ""}}, 2)));
  EXPECT_THAT(DecodeHeader(WithPairs({{"b", "1"}, {"a", "2"}}, 2)),
              StatusIs(ErrorCode::kCorrupt, HasSubstr("sorted")));
  EXPECT_THAT(DecodeHeader(WithPairs({{"a", "1"}, {"a", "2"}}, 2)),
              StatusIs(ErrorCode::kCorrupt, HasSubstr("sorted")));
  // Bytes compare unsigned: what is not ASCII comes last.
  EXPECT_OK(DecodeHeader(WithPairs({{"z", ""}, {"\xC3\xA4", ""}}, 2)));
}

TEST(EnvelopeHeaderTest, CountsAndLengthsMustAddUp) {
  EXPECT_THAT(DecodeHeader(WithPairs({{"a", "1"}}, 2)),
              StatusIs(ErrorCode::kCorrupt));
  EXPECT_THAT(DecodeHeader(WithPairs({{"a", "1"}}, 0)),
              StatusIs(ErrorCode::kCorrupt, HasSubstr("after the last")));
  EXPECT_THAT(DecodeHeader(WithPairs({}, 257)),
              StatusIs(ErrorCode::kCorrupt, HasSubstr("too many pairs")));
  EXPECT_THAT(DecodeHeader(WithPairs({}, 0xFFFFFFFF)),
              StatusIs(ErrorCode::kCorrupt));
  EXPECT_THAT(DecodeHeader(WithPairs({{"a", std::string(8192, 'v')}}, 1)),
              StatusIs(ErrorCode::kCorrupt, HasSubstr("8 KiB")));
}

}  // namespace
}  // namespace tools::claviger
