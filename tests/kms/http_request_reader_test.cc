// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "kms/http/request_reader.h"
#include "tests/kms/http_testing.h"

namespace kms::http {
namespace {

using Progress = RequestReader::Progress;

const Peer& TestPeer() {
  static const Peer peer{.address = "192.0.2.7", .unix_peer = std::nullopt};
  return peer;
}

// Gives `bytes` to `reader`, `step` at a time, until it has a whole request or
// wants none. Takes off `bytes` what it gave.
Progress Give(RequestReader& reader, std::string_view& bytes,
              std::size_t step) {
  Progress progress = reader.Parse();
  while (progress == Progress::kNeedsMore && !bytes.empty()) {
    const std::span<char> space = reader.Space();
    EXPECT_FALSE(space.empty());
    const std::size_t size = std::min({step, space.size(), bytes.size()});
    std::memcpy(space.data(), bytes.data(), size);
    reader.Received(size);
    bytes.remove_prefix(size);
    progress = reader.Parse();
  }
  return progress;
}

// What becomes of `bytes`: the status of the refusal, 200 for a whole request,
// 0 for one that is not at its end.
unsigned StatusOf(std::string_view bytes, std::size_t step = 1 << 20,
                  const RequestLimits& limits = {}) {
  RequestReader reader(limits);
  switch (Give(reader, bytes, step)) {
    case Progress::kRefused:
      EXPECT_FALSE(reader.refusal().reason.empty());
      return reader.refusal().status;
    case Progress::kComplete:
      return 200;
    case Progress::kNeedsMore:
      return 0;
  }
  return 0;
}

std::string WithHeaders(std::string_view lines) {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(lines) + "\r\n";
}

TEST(RequestReader, ReadsEveryPartOfARequest) {
  RequestReader reader({});
  std::string_view bytes =
      "POST /a?b=c HTTP/1.1\r\nHOST: kms\r\nX-Amz-Target:  A.B \r\n"
      "X-Amz-Target: second\r\nContent-Length: 4\r\n\r\n{\"\"}";
  ASSERT_EQ(Give(reader, bytes, 1000), Progress::kComplete);
  const HttpRequest request = reader.Request(TestPeer(), Door::kHttps);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/a?b=c");
  EXPECT_EQ(request.body, "{\"\"}");
  EXPECT_EQ(request.door, Door::kHttps);
  EXPECT_EQ(&request.peer, &TestPeer());
  EXPECT_EQ(request.Header("host"), "kms");
  EXPECT_EQ(request.Header("x-amz-target"), "A.B");
  EXPECT_EQ(request.Header("accept"), std::nullopt);
  EXPECT_EQ(request.headers.size(), 4u);
  EXPECT_TRUE(reader.KeepsAlive());
  EXPECT_FALSE(reader.IsHttp10());
}

TEST(RequestReader, TakesTheAbsoluteFormOfATarget) {
  for (const auto& [sent, target] :
       {std::pair{"http://127.0.0.1:4599/", "/"},
        std::pair{"HTTPS://kms.example.com/healthz", "/healthz"},
        std::pair{"http://other.example.com", "/"},
        std::pair{"http://h?a=b", "/?a=b"},
        std::pair{"http://h/a?b=c://d/", "/a?b=c://d/"},
        std::pair{"http://", "http://"},
        std::pair{"http:///healthz", "http:///healthz"},
        std::pair{"http", "http"}, std::pair{"http:/healthz", "http:/healthz"},
        std::pair{"ftp://h/healthz", "ftp://h/healthz"},
        std::pair{"/http://h/", "/http://h/"}}) {
    RequestReader reader({});
    const std::string request =
        std::string("POST ") + sent + " HTTP/1.1\r\nHost: h\r\n\r\n";
    std::string_view bytes = request;
    ASSERT_EQ(Give(reader, bytes, 1000), Progress::kComplete);
    EXPECT_EQ(reader.Request(TestPeer(), Door::kHttp).target, target);
    EXPECT_EQ(reader.Request(TestPeer(), Door::kHttp).Header("host"), "h");
  }
}

TEST(RequestReader, CutsAStreamIntoRequestsWhereverItIsCut) {
  const std::string stream =
      PostOf("first") + WithHeaders("Transfer-Encoding: chunked\r\n") +
      "6\r\nsecond\r\n0\r\n\r\n" + PostOf("") + PostOf("last");
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    RequestReader reader({});
    std::string_view bytes = stream;
    std::vector<std::string> bodies;
    while (Give(reader, bytes, step) == Progress::kComplete) {
      bodies.emplace_back(reader.Request(TestPeer(), Door::kHttp).body);
      reader.Next();
    }
    EXPECT_THAT(bodies, testing::ElementsAre("first", "second", "", "last"))
        << "in steps of " << step;
    EXPECT_FALSE(reader.HasBegun());
  }
}

TEST(RequestReader, KeepsALongStreamInBoundedSpace) {
  RequestReader reader({});
  const std::string body(1000, 'x');
  std::string stream;
  for (int i = 0; i < 200; ++i) {
    stream += PostOf(body);
  }
  std::string_view bytes = stream;
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(Give(reader, bytes, 3001), Progress::kComplete);
    EXPECT_EQ(reader.Request(TestPeer(), Door::kHttp).body, body);
    EXPECT_LE(reader.Space().size(), RequestLimits{}.header_bytes);
    reader.Next();
  }
}

struct FramingCase {
  const char* what;
  std::string bytes;
  unsigned status;
};

std::vector<FramingCase> GoodCases() {
  return {
      {"no body", WithHeaders(""), 200},
      {"a repeated header", WithHeaders("A: 1\r\nA: 2\r\n"), 200},
      {"length 0", WithHeaders("Content-Length: 0\r\n"), 200},
      {"HTTP/1.0 without Host", "POST / HTTP/1.0\r\n\r\n", 200},
      {"chunked, in any case",
       WithHeaders("Transfer-Encoding: CHUNKED\r\n") + "0\r\n\r\n", 200},
      {"a trailer",
       WithHeaders("Transfer-Encoding: chunked\r\n") +
           "0\r\nHost: other\r\n\r\n",
       200},
      {"an upgrade, which is ignored",
       WithHeaders("Connection: upgrade\r\nUpgrade: h2c\r\n"), 200},
  };
}

std::vector<FramingCase> BrokenHeads() {
  using std::string_literals::operator""s;
  return {
      {"no Host", "POST / HTTP/1.1\r\n\r\n", 400},
      {"two Hosts", WithHeaders("Host: i\r\n"), 400},
      {"HTTP/0.9", "GET /\r\n\r\n", 400},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {"HTTP/1.2", "POST / HTTP/1.2\r\nHost: h\r\n\r\n", 400},
      {"a TLS hello", "\x16\x03\x01\x02"s + std::string(200, '\0'), 400},
      {"a leading space", " POST / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"a space in the target", "POST /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"a NUL in the target", "POST /\0 HTTP/1.1\r\nHost: h\r\n\r\n"s, 400},
      {"a control in the method", "PO\x01ST / HTTP/1.1\r\nHost: h\r\n\r\n",
       400},
      {"bare LF after the request line", "POST / HTTP/1.1\nHost: h\r\n\r\n",
       400},
      {"bare LF after a header", "POST / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n",
       400},
      {"bare CR in a value", WithHeaders("A: 1\r2\r\n"), 400},
      {"NUL in a value", WithHeaders("A: 1\0002\r\n"s), 400},
      {"a space before the colon", WithHeaders("Content-Length : 1\r\n"), 400},
      {"no colon", WithHeaders("Garbage\r\n"), 400},
      {"no name", WithHeaders(": 1\r\n"), 400},
  };
}

std::vector<FramingCase> FoldedLines() {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  return {
      {"a folded value", WithHeaders("A: 1\r\n 2\r\n"), 400},
      {"a value folded by a tab", WithHeaders("A: 1\r\n\t2\r\n"), 400},
      {"a value on the second line", WithHeaders("A:\r\n 2\r\n"), 400},
      {"an empty second line", WithHeaders("A: 1\r\n \r\n"), 400},
      {"two empty lines", WithHeaders("A:\r\n \r\n"), 400},
      {"a folded length", WithHeaders("Content-Length:\r\n 0\r\n"), 400},
      {"a folded coding",
       WithHeaders("Transfer-Encoding:\r\n chunked\r\n") + "0\r\n\r\n", 400},
      {"a folded Host", "POST / HTTP/1.1\r\nHost:\r\n h\r\n\r\n", 400},
      {"a folded request line", "POST / HTTP/1.1\r\n A: b\r\nHost: h\r\n\r\n",
       400},
      {"a folded trailer", WithHeaders(chunked) + "0\r\nA: 1\r\n 2\r\n\r\n",
       400},
  };
}

std::vector<FramingCase> UnclearLengths() {
  return {
      {"two lengths that differ",
       WithHeaders("Content-Length: 1\r\nContent-Length: 2\r\n"), 400},
      {"two lengths that agree",
       WithHeaders("Content-Length: 1\r\nContent-Length: 1\r\n"), 400},
      {"a list of lengths", WithHeaders("Content-Length: 1, 1\r\n"), 400},
      {"a negative length", WithHeaders("Content-Length: -1\r\n"), 400},
      {"a signed length", WithHeaders("Content-Length: +1\r\n"), 400},
      {"a hexadecimal length", WithHeaders("Content-Length: 0x1\r\n"), 400},
      {"an empty length", WithHeaders("Content-Length:\r\n"), 400},
      {"a length beyond 64 bits",
       WithHeaders("Content-Length: 18446744073709551617\r\n"), 400},
      {"length and chunked",
       WithHeaders("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"chunked and length",
       WithHeaders("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"), 400},
      {"length and another coding",
       WithHeaders("Content-Length: 1\r\nTransfer-Encoding: xchunked\r\n"),
       400},
      {"xchunked", WithHeaders("Transfer-Encoding: xchunked\r\n"), 400},
      {"gzip", WithHeaders("Transfer-Encoding: gzip\r\n"), 400},
      {"gzip, chunked", WithHeaders("Transfer-Encoding: gzip, chunked\r\n"),
       400},
      {"chunked, identity",
       WithHeaders("Transfer-Encoding: chunked, identity\r\n"), 400},
      {"chunked twice",
       WithHeaders("Transfer-Encoding: chunked\r\nTransfer-Encoding: "
                   "chunked\r\n"),
       400},
      {"identity twice",
       WithHeaders("Transfer-Encoding: identity\r\n"
                   "Transfer-Encoding: chunked\r\n"),
       400},
      {"chunked HTTP/1.0",
       "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
  };
}

std::vector<FramingCase> BrokenChunks() {
  return {
      {"a chunk size that is none",
       WithHeaders("Transfer-Encoding: chunked\r\n") + "xyz\r\n", 400},
      {"a negative chunk size",
       WithHeaders("Transfer-Encoding: chunked\r\n") + "-1\r\na\r\n", 400},
      {"a chunk size beyond 64 bits",
       WithHeaders("Transfer-Encoding: chunked\r\n") + "11111111111111111\r\n",
       400},
      {"a chunk longer than its size",
       WithHeaders("Transfer-Encoding: chunked\r\n") + "1\r\nab\r\n0\r\n\r\n",
       400},
      {"a bare LF after a chunk's size",
       WithHeaders("Transfer-Encoding: chunked\r\n") + "1\na\r\n0\r\n\r\n",
       400},
      {"a length in the trailer",
       WithHeaders("Transfer-Encoding: chunked\r\n") +
           "0\r\nContent-Length: 5\r\n\r\n",
       400},
  };
}

std::vector<FramingCase> BrokenLimitsAndHalves() {
  return {
      {"another expectation", WithHeaders("Expect: a miracle\r\n"), 417},
      {"a body beyond the limit", WithHeaders("Content-Length: 262145\r\n"),
       413},
      {"a chunk beyond the limit",
       WithHeaders("Transfer-Encoding: chunked\r\n") + "40001\r\n", 413},
      {"a header beyond the limit",
       WithHeaders("A: " + std::string(17000, 'a') + "\r\n"), 431},
      {"a target beyond the limit",
       "POST /" + std::string(17000, 'a') + " HTTP/1.1\r\n", 431},
      {"a method beyond the limit", std::string(17000, 'A'), 431},

      {"half a request line", "POST / HT", 0},
      {"half a header", "POST / HTTP/1.1\r\nHo", 0},
      {"half a body", WithHeaders("Content-Length: 2\r\n") + "a", 0},
      {"a chunk without its end",
       WithHeaders("Transfer-Encoding: chunked\r\n") + "2\r\nab", 0},
      {"bare LF at the end", "POST / HTTP/1.1\r\nHost: h\r\n\n", 0},
      {"nothing", "", 0},
  };
}

std::vector<FramingCase> FramingCases() {
  std::vector<FramingCase> all;
  for (const auto& part :
       {GoodCases(), BrokenHeads(), FoldedLines(), UnclearLengths(),
        BrokenChunks(), BrokenLimitsAndHalves()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

TEST(RequestReader, JudgesFramingTheSameWhole) {
  for (const FramingCase& c : FramingCases()) {
    EXPECT_EQ(StatusOf(c.bytes), c.status) << c.what;
  }
}

TEST(RequestReader, JudgesFramingTheSameByteByByte) {
  for (const FramingCase& c : FramingCases()) {
    EXPECT_EQ(StatusOf(c.bytes, 1), c.status) << c.what;
  }
}

TEST(RequestReader, LimitsTheHeadHoweverItIsSentInPieces) {
  std::string many = "POST / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 90; ++i) {
    many += "X-" + std::to_string(i) + ": " + std::string(300, 'v') + "\r\n";
  }
  many += "\r\n";
  ASSERT_GT(many.size(), RequestLimits{}.header_bytes);
  for (const std::size_t step : {1, 100, 5000, 100000}) {
    EXPECT_EQ(StatusOf(many, step), 431u) << step;
  }
}

TEST(RequestReader, LimitsTheNumberOfHeaders) {
  const auto with = [](int count) {
    std::string lines;
    for (int i = 0; i < count; ++i) {
      lines += "A:\r\n";
    }
    return StatusOf(WithHeaders(lines));
  };
  EXPECT_EQ(with(99), 200u);  // And Host.
  EXPECT_EQ(with(100), 431u);
}

TEST(RequestReader, TakesABodyOfExactlyTheLimit) {
  RequestLimits limits;
  limits.body_bytes = 1000;
  const std::string most(1000, 'b');
  EXPECT_EQ(StatusOf(PostOf(most), 7, limits), 200u);
  EXPECT_EQ(StatusOf(PostOf(most + "b"), 7, limits), 413u);
  const std::string head = WithHeaders("Transfer-Encoding: chunked\r\n");
  EXPECT_EQ(StatusOf(head + "3e8\r\n" + most + "\r\n0\r\n\r\n", 7, limits),
            200u);
  EXPECT_EQ(
      StatusOf(head + "3e8\r\n" + most + "\r\n1\r\nb\r\n0\r\n\r\n", 7, limits),
      413u);
}

TEST(RequestReader, RefusesAnEndlessChunkHeader) {
  const std::string head = WithHeaders("Transfer-Encoding: chunked\r\n");
  EXPECT_EQ(StatusOf(head + "1;" + std::string(20000, 'x')), 400u);
  EXPECT_EQ(StatusOf(head + "0\r\nA: " + std::string(20000, 'x')), 400u);
}

TEST(RequestReader, AsksToContinueOnceAndOnlyIfTheBodyIsToCome) {
  const std::string head =
      WithHeaders("Expect: 100-continue\r\nContent-Length: 4\r\n");
  RequestReader reader({});
  std::string_view bytes = head;
  ASSERT_EQ(Give(reader, bytes, 1000), Progress::kNeedsMore);
  EXPECT_TRUE(reader.TakeExpectsContinue());
  EXPECT_FALSE(reader.TakeExpectsContinue());

  const std::string early = head + "b";
  RequestReader other({});
  bytes = early;
  ASSERT_EQ(Give(other, bytes, 1000), Progress::kNeedsMore);
  EXPECT_FALSE(other.TakeExpectsContinue());
}

}  // namespace
}  // namespace kms::http
