// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "kms/client/response.h"
#include "tests/testlib/status.h"

namespace kms::client {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testlib::IsOk;
using testlib::IsOkAndHolds;
using testlib::StatusIs;

constexpr std::string_view kPlain =
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nx-amzn-RequestId:  r-1 \r\n\r\n"
    "hello";
constexpr std::string_view kChunked =
    "HTTP/1.1 400 Bad Request\r\ntransfer-encoding: chunked\r\n\r\n"
    "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";

// Feeds all of `text`, `step` bytes at a time.
base::Status FeedAll(ResponseParser& parser, std::string_view text,
                     std::size_t step = 1U << 30) {
  while (!text.empty() && !parser.Done()) {
    const std::string_view piece = text.substr(0, step);
    ASSIGN_OR_RETURN(const std::size_t used, parser.Feed(base::AsBytes(piece)));
    text.remove_prefix(used);
  }
  return {};
}

TEST(ResponseParserTest, ReadsABodyOfKnownLength) {
  ResponseParser parser;
  ASSERT_OK(FeedAll(parser, kPlain));
  ASSERT_TRUE(parser.Done());
  EXPECT_TRUE(parser.KeepAlive());
  const Response response = std::move(parser).Take();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.request_id, "r-1");
  EXPECT_EQ(response.body, "hello");
}

TEST(ResponseParserTest, ReadsAChunkedBody) {
  ResponseParser parser;
  ASSERT_OK(FeedAll(parser, kChunked));
  ASSERT_TRUE(parser.Done());
  const Response response = std::move(parser).Take();
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body, "hello world");
}

TEST(ResponseParserTest, DoesNotDependOnHowTheBytesArrive) {
  for (const std::size_t step : {1U, 2U, 3U, 7U, 64U}) {
    ResponseParser plain;
    ASSERT_OK(FeedAll(plain, kPlain, step));
    EXPECT_EQ(std::move(plain).Take().body, "hello");
    ResponseParser chunked;
    ASSERT_OK(FeedAll(chunked, kChunked, step));
    EXPECT_EQ(std::move(chunked).Take().body, "hello world");
  }
}

TEST(ResponseParserTest, IsNotDoneBeforeTheLastByte) {
  for (const std::string_view whole : {kPlain, kChunked}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      ResponseParser parser;
      ASSERT_OK(FeedAll(parser, whole.substr(0, size)));
      EXPECT_FALSE(parser.Done()) << size;
      EXPECT_EQ(parser.Started(), size > 0);
    }
  }
}

TEST(ResponseParserTest, LeavesWhatFollowsTheResponse) {
  ResponseParser parser;
  const std::string more = std::string(kPlain) + "HTTP/1.1 200";
  EXPECT_THAT(parser.Feed(base::AsBytes(more)), IsOkAndHolds(kPlain.size()));
  EXPECT_TRUE(parser.Done());
}

TEST(ResponseParserTest, HearsThatTheServerWillClose) {
  ResponseParser parser;
  ASSERT_OK(FeedAll(parser,
                    "HTTP/1.1 200 \r\nConnection: Close\r\n"
                    "Content-Length: 0\r\n\r\n"));
  EXPECT_TRUE(parser.Done());
  EXPECT_FALSE(parser.KeepAlive());
}

TEST(ResponseParserTest, TakesNoContentWithoutLength) {
  ResponseParser parser;
  ASSERT_OK(FeedAll(parser, "HTTP/1.1 204 No Content\r\n\r\n"));
  EXPECT_TRUE(parser.Done());
}

struct BadCase {
  const char* name;
  std::string text;
  const char* why;
};

class BadResponseTest : public testing::TestWithParam<BadCase> {};

TEST_P(BadResponseTest, IsRefused) {
  ResponseParser parser;
  EXPECT_THAT(FeedAll(parser, GetParam().text),
              StatusIs(ErrorCode::kCorrupt, HasSubstr(GetParam().why)));
  EXPECT_FALSE(parser.Done());
}

std::string WithHeader(const std::string& header) {
  return "HTTP/1.1 200 OK\r\n" + header + "\r\n\r\n";
}

std::string WithChunk(const std::string& line) {
  return WithHeader("Transfer-Encoding: chunked") + line;
}

INSTANTIATE_TEST_SUITE_P(
    All, BadResponseTest,
    testing::ValuesIn(std::vector<BadCase>{
        {"Garbage", "\x16\x03\x01\x02", "control character"},
        {"OtherProtocol", "SSH-2.0-OpenSSH_9.2\r\n", "status line"},
        {"Http10", "HTTP/1.0 200 OK\r\n", "status line"},
        {"NoBlankAfterCode", "HTTP/1.1 200\r\n", "status line"},
        {"NegativeCode", "HTTP/1.1 -20 OK\r\n", "status is not"},
        {"Interim", "HTTP/1.1 100 Continue\r\n", "status is not"},
        {"LargeCode", "HTTP/1.1 600 What\r\n", "status is not"},
        {"BareLineFeed", "HTTP/1.1 200 OK\n", "control character"},
        {"CarriageReturnInside", "HTTP/1.1 200 \rOK\r\n", "CRLF"},
        {"FoldedHeader", WithHeader("A: b\r\n c"), "no proper name"},
        {"NoColon", WithHeader("Content-Length 5"), "no proper name"},
        {"EmptyName", WithHeader(": 5"), "no proper name"},
        {"BlankInName", WithHeader("Content-Length : 5"), "no proper name"},
        {"ZeroByteInValue", WithHeader(std::string("A: \0", 4)), "control"},
        {"NoLength", WithHeader("A: b"), "neither"},
        {"TwoLengths", WithHeader("Content-Length: 1\r\nContent-Length: 1"),
         "once"},
        {"LengthList", WithHeader("Content-Length: 1, 1"), "one number"},
        {"SignedLength", WithHeader("Content-Length: +1"), "one number"},
        {"NegativeLength", WithHeader("Content-Length: -1"), "one number"},
        {"EmptyLength", WithHeader("Content-Length:"), "one number"},
        {"HugeLength", WithHeader("Content-Length: 99999999999999999999"),
         "one number"},
        {"LongBody", WithHeader("Content-Length: 1048577"), "1 MiB"},
        {"LengthAndChunked",
         WithHeader("Content-Length: 1\r\nTransfer-Encoding: chunked"), "both"},
        {"ChunkedTwice",
         WithHeader("Transfer-Encoding: chunked\r\n"
                    "Transfer-Encoding: chunked"),
         "once"},
        {"OtherCoding", WithHeader("Transfer-Encoding: gzip, chunked"),
         "chunked"},
        {"BodyOfNoContent", "HTTP/1.1 204 No\r\nContent-Length: 1\r\n\r\n",
         "can be none"},
        {"EmptyChunkSize", WithChunk("\r\n"), "hexadecimal"},
        {"ChunkExtension", WithChunk("1;a=b\r\n"), "hexadecimal"},
        {"HexPrefix", WithChunk("0x1\r\n"), "hexadecimal"},
        {"NegativeChunk", WithChunk("-1\r\n"), "hexadecimal"},
        {"LongChunkLine", WithChunk("0000000001\r\n"), "too long"},
        {"LongChunk", WithChunk("100001\r\n"), "1 MiB"},
        {"ChunkOverrun", WithChunk("1\r\nab\r\n"), "longer than it said"},
        {"Trailer", WithChunk("0\r\nA: b\r\n\r\n"), "trailer"},
    }),
    [](const auto& param) { return std::string(param.param.name); });

TEST(ResponseParserTest, BoundsTheHeaders) {
  const std::string fill(ResponseParser::kMaxHeaderBytes, 'a');
  ResponseParser parser;
  EXPECT_THAT(FeedAll(parser, WithHeader("A: " + fill)),
              StatusIs(ErrorCode::kCorrupt, HasSubstr("16 KiB")));
}

TEST(ResponseParserTest, TakesABodyAsLongAsTheBound) {
  const std::string body(ResponseParser::kMaxBodyBytes, 'b');
  ResponseParser parser;
  ASSERT_OK(FeedAll(parser, WithHeader("Content-Length: 1048576") + body));
  ASSERT_TRUE(parser.Done());
  EXPECT_EQ(std::move(parser).Take().body.size(), body.size());
}

TEST(ResponseParserTest, BoundsTheSumOfAllChunks) {
  const std::string half(512U << 10, 'b');
  ResponseParser parser;
  const std::string chunk = "80000\r\n" + half + "\r\n";
  EXPECT_THAT(FeedAll(parser, WithChunk(chunk + chunk + "1\r\n")),
              StatusIs(ErrorCode::kCorrupt, HasSubstr("1 MiB")));
}

}  // namespace
}  // namespace kms::client
