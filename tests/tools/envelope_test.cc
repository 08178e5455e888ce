// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/envelope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "tests/testlib/status.h"
#include "tests/tools/envelope_streams.h"
#include "tools/claviger/files.h"

namespace tools::claviger {
namespace {

using base::Bytes;
using base::ErrorCode;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;
using testlib::IsOk;
using testlib::StatusIs;
using testlib::Take;

constexpr std::size_t kChunk = 4096;  // kMinChunkBits.
constexpr std::size_t kSealed = kChunk + 16;

Bytes Encrypt(const Bytes& plaintext, const EnvelopeHeader& header,
              std::size_t step = 100'000) {
  Bytes envelope;
  Take(EncryptEnvelope(header, TestKey(), From(plaintext, step),
                       Into(envelope)));
  return envelope;
}

// How many bytes stand before the first chunk.
std::size_t ChunksBegin(const EnvelopeHeader& header) {
  return Take(EncodeHeader(header)).size() + 32;
}

TEST(EnvelopeTest, ComesBackAtEverySizeAndStep) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, kChunk - 1, kChunk, kChunk + 1,
        3 * kChunk, 3 * kChunk + 7}) {
    for (const std::size_t step : {std::size_t{1}, kChunk, kSealed + 1}) {
      SCOPED_TRACE(std::to_string(size) + " by " + std::to_string(step));
      const Bytes plaintext = Pattern(size);
      const Bytes envelope = Encrypt(plaintext, TestHeader(), step);
      const std::size_t chunks =
          std::max<std::size_t>(1, (size + kChunk - 1) / kChunk);
      EXPECT_EQ(envelope.size(),
                ChunksBegin(TestHeader()) + size + 16 * chunks);
      Bytes back;
      ASSERT_OK(DecryptAll(envelope, TestKey(), back, step));
      EXPECT_EQ(back, plaintext);
    }
  }
}

TEST(EnvelopeTest, TenMebibytesInDefaultChunks) {
  const Bytes plaintext = Pattern(10U << 20);
  const Bytes envelope = Encrypt(plaintext, TestHeader(kDefaultChunkBits));
  Bytes back;
  ASSERT_OK(DecryptAll(envelope, TestKey(), back));
  EXPECT_TRUE(back == plaintext);
}

TEST(EnvelopeTest, AnotherSaltGivesAnotherCiphertext) {
  EnvelopeHeader other = TestHeader();
  other.salt[0] ^= 1;
  const Bytes plaintext = Pattern(100);
  const Bytes one = Encrypt(plaintext, TestHeader());
  const Bytes two = Encrypt(plaintext, other);
  const std::size_t begin = ChunksBegin(other);
  EXPECT_NE(Cut(one, begin), Cut(two, begin));
}

TEST(EnvelopeTest, TheHeaderTellsWhatToAskTheServer) {
  const Bytes envelope = Encrypt(Pattern(5), TestHeader());
  ASSERT_OK_AND_ASSIGN(const OpenedEnvelope opened,
                       OpenEnvelope(From(envelope)));
  EXPECT_EQ(opened.header.wrapped_key, TestHeader().wrapped_key);
  EXPECT_EQ(opened.header.context, TestHeader().context);
}

// What a reader that trusted every byte it was given would have got.
struct Outcome {
  base::Status status;
  Bytes plaintext;
};

Outcome Open(const Bytes& envelope, const base::Secret& key = TestKey()) {
  Outcome outcome;
  outcome.status = DecryptAll(envelope, key, outcome.plaintext);
  return outcome;
}

bool IsPrefix(const Bytes& part, const Bytes& whole) {
  return part.size() <= whole.size() &&
         std::equal(part.begin(), part.end(), whole.begin());
}

TEST(EnvelopeTest, EveryFlippedBitIsNoticed) {
  EnvelopeHeader header = TestHeader();
  header.wrapped_key.resize(8);
  const Bytes plaintext = Pattern(kChunk + 3);
  const Bytes envelope = Encrypt(plaintext, header);
  for (std::size_t i = 0; i < envelope.size(); ++i) {
    Bytes changed = envelope;
    changed[i] ^= static_cast<std::uint8_t>(1U << (i % 8));
    const Outcome outcome = Open(changed);
    ASSERT_THAT(outcome.status, AnyOf(StatusIs(ErrorCode::kCorrupt),
                                      StatusIs(ErrorCode::kInvalidCiphertext)))
        << "byte " << i;
    ASSERT_TRUE(IsPrefix(outcome.plaintext, plaintext)) << "byte " << i;
    ASSERT_LT(outcome.plaintext.size(), plaintext.size()) << "byte " << i;
  }
}

TEST(EnvelopeTest, EveryTruncationIsNoticed) {
  EnvelopeHeader header = TestHeader();
  header.wrapped_key.resize(8);
  const Bytes plaintext = Pattern(2 * kChunk);
  const Bytes envelope = Encrypt(plaintext, header);
  for (std::size_t size = 0; size < envelope.size(); ++size) {
    const Outcome outcome = Open(Cut(envelope, 0, size));
    ASSERT_THAT(outcome.status, Not(IsOk())) << size;
    ASSERT_LT(outcome.plaintext.size(), plaintext.size()) << size;
  }
}

class EnvelopeChunksTest : public testing::Test {
 protected:
  EnvelopeChunksTest()
      : plaintext_(Pattern(3 * kChunk + 7)),
        envelope_(Encrypt(plaintext_, TestHeader())),
        begin_(ChunksBegin(TestHeader())) {}

  Bytes Head() const { return Cut(envelope_, 0, begin_); }
  Bytes Chunk(std::size_t number) const {
    const std::size_t at = begin_ + number * kSealed;
    return Cut(envelope_, at, std::min(kSealed, envelope_.size() - at));
  }
  // The envelope with these chunks, in this order.
  Bytes With(const std::vector<std::size_t>& chunks) const {
    Bytes bytes = Head();
    for (const std::size_t number : chunks) {
      const Bytes chunk = Chunk(number);
      bytes.insert(bytes.end(), chunk.begin(), chunk.end());
    }
    return bytes;
  }

  Bytes plaintext_;
  Bytes envelope_;
  std::size_t begin_;
};

TEST_F(EnvelopeChunksTest, InOrderTheyAreTheEnvelope) {
  EXPECT_EQ(With({0, 1, 2, 3}), envelope_);
}

TEST_F(EnvelopeChunksTest, CutOffAtAChunkIsToldAsSuch) {
  EXPECT_THAT(Open(With({0, 1, 2})).status,
              StatusIs(ErrorCode::kInvalidCiphertext,
                       HasSubstr("cut off after chunk 2")));
  EXPECT_THAT(Open(With({0})).status,
              StatusIs(ErrorCode::kInvalidCiphertext,
                       HasSubstr("cut off after chunk 0")));
  EXPECT_THAT(Open(With({})).status,
              StatusIs(ErrorCode::kInvalidCiphertext, HasSubstr("chunk 0")));
}

TEST_F(EnvelopeChunksTest, ChunksOutOfOrderAreNoticed) {
  const std::vector<std::vector<std::size_t>> orders = {
      {1, 0, 2, 3}, {0, 2, 1, 3}, {0, 0, 1, 2, 3},
      {0, 1, 1, 3}, {1, 2, 3},    {0, 1, 3},
      {0, 1, 2, 2}, {3},          {0, 1, 3, 2},
  };
  for (const auto& order : orders) {
    EXPECT_THAT(Open(With(order)).status,
                StatusIs(ErrorCode::kInvalidCiphertext))
        << testing::PrintToString(order);
  }
}

TEST_F(EnvelopeChunksTest, WhatFollowsTheLastChunkIsNoticed) {
  EXPECT_THAT(Open(With({0, 1, 2, 3, 3})).status,
              StatusIs(ErrorCode::kInvalidCiphertext));
  Bytes longer = envelope_;
  longer.push_back(0);
  EXPECT_THAT(Open(longer).status, StatusIs(ErrorCode::kInvalidCiphertext));
}

TEST_F(EnvelopeChunksTest, WhatFollowsAFullLastChunkIsToldAsSuch) {
  Bytes whole = Encrypt(Pattern(2 * kChunk), TestHeader());
  whole.push_back(0);
  EXPECT_THAT(Open(whole).status,
              StatusIs(ErrorCode::kInvalidCiphertext,
                       HasSubstr("after the envelope's last chunk")));
}

TEST_F(EnvelopeChunksTest, ChunksOfAnotherEnvelopeAreNoticed) {
  EnvelopeHeader other = TestHeader();
  other.salt[31] ^= 1;
  const Bytes second = Encrypt(plaintext_, other);
  const Bytes chunks = Cut(second, begin_);
  Bytes mixed = Head();
  mixed.insert(mixed.end(), chunks.begin(), chunks.end());
  EXPECT_THAT(Open(mixed).status,
              StatusIs(ErrorCode::kInvalidCiphertext, HasSubstr("chunk 0")));
}

TEST_F(EnvelopeChunksTest, TheHeaderOfAnotherEnvelopeIsNoticed) {
  EnvelopeHeader other = TestHeader();
  other.context = {{"purpose", "Test"}, {"zone", ""}};
  const Bytes head = Take(EncodeHeader(other));
  Bytes mixed = envelope_;
  std::copy(head.begin(), head.end(), mixed.begin());
  EXPECT_THAT(Open(mixed).status,
              StatusIs(ErrorCode::kInvalidCiphertext, HasSubstr("header")));
}

TEST_F(EnvelopeChunksTest, AnotherDataKeyIsNoticedBeforeAnyChunk) {
  const Outcome outcome = Open(envelope_, TestKey(8));
  EXPECT_THAT(outcome.status, StatusIs(ErrorCode::kInvalidCiphertext,
                                       HasSubstr("another data key")));
  EXPECT_TRUE(outcome.plaintext.empty());
}

TEST(EnvelopeTest, ADataKeyOfAnotherSizeIsRefused) {
  Bytes out;
  EXPECT_THAT(
      EncryptEnvelope(TestHeader(), base::Secret(16), From({}), Into(out)),
      StatusIs(ErrorCode::kInvalidArgument, HasSubstr("16 bytes")));
  EXPECT_TRUE(out.empty());
  const Bytes envelope = Encrypt({}, TestHeader());
  EXPECT_THAT(Open(envelope, base::Secret(33)).status,
              StatusIs(ErrorCode::kInvalidArgument));
}

TEST(EnvelopeTest, FailuresOfSourceAndSinkPassThrough) {
  const base::Error disk{ErrorCode::kIo, "disk on fire"};
  const Source bad_source = [&](auto) -> base::Result<std::size_t> {
    return disk;
  };
  const Sink bad_sink = [&](auto) -> base::Status { return disk; };
  Bytes out;
  EXPECT_THAT(EncryptEnvelope(TestHeader(), TestKey(), bad_source, Into(out)),
              StatusIs(ErrorCode::kIo, "disk on fire"));
  EXPECT_THAT(EncryptEnvelope(TestHeader(), TestKey(), From({}), bad_sink),
              StatusIs(ErrorCode::kIo));
  EXPECT_THAT(OpenEnvelope(bad_source), StatusIs(ErrorCode::kIo));
  const Bytes envelope = Encrypt(Pattern(5), TestHeader());
  const Source source = From(envelope);
  ASSERT_OK_AND_ASSIGN(const OpenedEnvelope opened, OpenEnvelope(source));
  EXPECT_THAT(DecryptEnvelope(opened, TestKey(), source, bad_sink),
              StatusIs(ErrorCode::kIo));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Runs `work` in a child that may have 128 MiB of address space in all; the
// child's exit status is 0 if it succeeds.
pid_t ForkLimited(const std::function<base::Status()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit limit = {128U << 20, 128U << 20};
    _exit(setrlimit(RLIMIT_AS, &limit) == 0 && work().has_value() ? 0 : 1);
  }
  return child;
}

int ExitStatusOf(pid_t child) {
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// A Source of `size` zero bytes.
Source Zeros(std::uint64_t size) {
  return
      [size](
          std::span<std::uint8_t> into) mutable -> base::Result<std::size_t> {
        const std::size_t now = std::min<std::uint64_t>(into.size(), size);
        std::fill_n(into.begin(), now, std::uint8_t{0});
        size -= now;
        return now;
      };
}

// A stream that nobody ever holds goes through a pipe, twice as large as the
// memory of those who encrypt and decrypt it.
TEST(EnvelopeTest, NeedsNoMoreMemoryForALargerFile) {
  constexpr std::uint64_t kSize = 256U << 20;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t writer = ForkLimited([&] {
    close(ends[0]);
    return EncryptEnvelope(
        TestHeader(20), TestKey(), Zeros(kSize),
        [&](base::ByteView bytes) { return WriteAll(ends[1], bytes); });
  });
  close(ends[1]);
  const pid_t reader = ForkLimited([&]() -> base::Status {
    const Source source =
        [&](std::span<std::uint8_t> into) -> base::Result<std::size_t> {
      return static_cast<std::size_t>(
          std::max<ssize_t>(0, read(ends[0], into.data(), into.size())));
    };
    std::uint64_t total = 0;
    ASSIGN_OR_RETURN(const OpenedEnvelope opened, OpenEnvelope(source));
    RETURN_IF_ERROR(DecryptEnvelope(opened, TestKey(), source,
                                    [&](base::ByteView bytes) -> base::Status {
                                      total += bytes.size();
                                      return {};
                                    }));
    return total == kSize ? base::Status()
                          : base::Error{ErrorCode::kInternal, "another size"};
  });
  close(ends[0]);
  EXPECT_EQ(ExitStatusOf(writer), 0);
  EXPECT_EQ(ExitStatusOf(reader), 0);
}
#endif

}  // namespace
}  // namespace tools::claviger
