// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "kms/http/reply.h"
#include "tests/kms/http_testing.h"

namespace kms::http {
namespace {

std::string Format(const HttpResponse& response,
                   ConnectionWord word = ConnectionWord::kNone,
                   BodyRule rule = BodyRule::kSend) {
  base::WipingString out = "what was there before";
  FormatReply(response, "Date: d\r\n", word, rule, out);
  return std::string(out);
}

TEST(Reply, HasEveryPart) {
  HttpResponse response;
  response.status = 400;
  response.content_type = "text/x";
  response.body = "body";
  response.extra_headers = "A: b\r\n";
  EXPECT_EQ(Format(response, ConnectionWord::kClose),
            "HTTP/1.1 400 Bad Request\r\nDate: d\r\nContent-Type: text/x\r\n"
            "Content-Length: 4\r\nA: b\r\nConnection: close\r\n\r\nbody");
  EXPECT_EQ(Format({}),
            "HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(Format(response, ConnectionWord::kKeepAlive, BodyRule::kOmit),
            "HTTP/1.1 400 Bad Request\r\nDate: d\r\nContent-Type: text/x\r\n"
            "Content-Length: 4\r\nA: b\r\nConnection: keep-alive\r\n\r\n");
}

TEST(Reply, TakesAStatusThatItDoesNotKnowForAnError) {
  HttpResponse response;
  response.status = 299;
  EXPECT_EQ(Format(response).substr(0, 12), "HTTP/1.1 500");
}

TEST(Reply, DatesInTheFormOfRfc9110) {
  struct Case {
    std::int64_t seconds;
    const char* line;
  };
  constexpr Case kCases[] = {
      {784111777, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"},
      {951827696, "Date: Tue, 29 Feb 2000 12:34:56 GMT\r\n"},
      {0, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"},
      {1798761599, "Date: Thu, 31 Dec 2026 23:59:59 GMT\r\n"},
  };
  DateLine date;
  for (const Case& c : kCases) {
    const base::WallTime time{std::chrono::seconds(c.seconds)};
    EXPECT_EQ(date.At(time), c.line);
    EXPECT_EQ(date.At(time + std::chrono::microseconds(999999)), c.line);
  }
}

}  // namespace
}  // namespace kms::http
