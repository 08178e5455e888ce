// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "kms/client/endpoint.h"
#include "tests/testlib/status.h"

namespace kms::client {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testlib::StatusIs;

struct GoodCase {
  const char* text;
  Transport transport;
  const char* path;
  const char* host;
  int port;
  const char* description;
  const char* host_header;
};

TEST(EndpointTest, ReadsSocketsAndUrls) {
  const GoodCase cases[] = {
      {"/run/s", Transport::kUnix, "/run/s", "", 0, "unix:/run/s", "localhost"},
      {"unix:/run/s", Transport::kUnix, "/run/s", "", 0, "unix:/run/s",
       "localhost"},
      {"http://127.0.0.1:8080", Transport::kHttp, "", "127.0.0.1", 8080,
       "http://127.0.0.1:8080", "127.0.0.1:8080"},
      {"http://localhost/", Transport::kHttp, "", "localhost", 80,
       "http://localhost", "localhost"},
      {"http://[::1]:9", Transport::kHttp, "", "::1", 9, "http://[::1]:9",
       "[::1]:9"},
      {"https://kms.example", Transport::kHttps, "", "kms.example", 443,
       "https://kms.example", "kms.example"},
      {"https://[2001:db8::1]", Transport::kHttps, "", "2001:db8::1", 443,
       "https://[2001:db8::1]", "[2001:db8::1]"},
      {"https://10.0.0.1:443/", Transport::kHttps, "", "10.0.0.1", 443,
       "https://10.0.0.1", "10.0.0.1"},
  };
  for (const GoodCase& each : cases) {
    SCOPED_TRACE(each.text);
    ASSERT_OK_AND_ASSIGN(const Endpoint endpoint, ParseEndpoint(each.text));
    EXPECT_EQ(endpoint.transport, each.transport);
    EXPECT_EQ(endpoint.path, each.path);
    EXPECT_EQ(endpoint.host, each.host);
    EXPECT_EQ(endpoint.port, each.port);
    EXPECT_EQ(Describe(endpoint), each.description);
    EXPECT_EQ(HostHeader(endpoint), each.host_header);
  }
}

TEST(EndpointTest, RefusesPlainHttpToOtherMachines) {
  for (const char* text :
       {"http://kms.example", "http://10.0.0.1:80", "http://128.0.0.1",
        "http://[::2]", "http://localhost.example", "http://0.0.0.0"}) {
    EXPECT_THAT(ParseEndpoint(text),
                StatusIs(ErrorCode::kInvalidArgument, HasSubstr("use https")))
        << text;
  }
}

TEST(EndpointTest, RefusesWhatItWouldNotSend) {
  for (const char* text : {"",
                           "relative.sock",
                           "unix:relative",
                           "ftp://h",
                           "https://",
                           "https://user@h",
                           "https://h/path",
                           "https://h?q",
                           "https://h:",
                           "https://h:0",
                           "https://h:65536",
                           "https://h:-1",
                           "https://h:80x",
                           "https://[::1",
                           "https://[h]",
                           "https://[::1]x",
                           "https://a:b:c",
                           "https://h\r\nX: y",
                           "https://:80",
                           "HTTPS://h"}) {
    EXPECT_THAT(ParseEndpoint(text), StatusIs(ErrorCode::kInvalidArgument))
        << text;
  }
}

TEST(EndpointTest, SaysWhatIsWrong) {
  EXPECT_THAT(ParseEndpoint("http://127.0.0.1:1/a"),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("a path")));
  const std::string longest = "/" + std::string(106, 'x');
  EXPECT_OK(ParseEndpoint("unix:" + longest));
  EXPECT_THAT(ParseEndpoint("unix:" + longest + "x"),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("107 bytes")));
}

}  // namespace
}  // namespace kms::client
