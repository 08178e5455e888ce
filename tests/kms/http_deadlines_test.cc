// SPDX-License-Identifier: Apache-2.0
// What a server does with clients that are slow, too many or too big.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string>

#include "tests/kms/http_testing.h"

namespace kms::http {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

// A server, a client and what the server believes about time.
class Deadlines : public testing::Test {
 protected:
  // Sends `bytes` and waits until the server has read them: it answers the
  // requests on other connections in turn, after this one's bytes.
  void SendAndSettle(RawClient& client, std::string_view bytes) {
    ASSERT_TRUE(client.Send(bytes));
    RawClient other = RawClient::Tcp(port_);
    ASSERT_EQ(other.Call(PostOf("")).status, 200);
  }

  ServerThread server_{Echo};
  std::uint16_t port_ = server_.Listen();
};

TEST_F(Deadlines, AnswersAHeaderThatTricklesInWith408) {
  RawClient client = RawClient::Tcp(port_);
  SendAndSettle(client, "POST / HT");
  server_.Pass(seconds(6));
  SendAndSettle(client, "TP/1.1\r\n");
  // What trickles in does not move the deadline.
  server_.Pass(seconds(4));
  const WireReply reply = client.Read();
  EXPECT_EQ(reply.status, 408);
  EXPECT_EQ(reply.headers.at("connection"), "close");
  EXPECT_TRUE(client.IsAtEnd());
}

TEST_F(Deadlines, AnswersABodyThatTricklesInWith408) {
  RawClient client = RawClient::Tcp(port_);
  SendAndSettle(client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n");
  SendAndSettle(client, "\r\nab");
  server_.Pass(seconds(29));
  SendAndSettle(client, "c");
  server_.Pass(seconds(1));
  EXPECT_EQ(client.Read().status, 408);
  EXPECT_TRUE(client.IsAtEnd());
}

TEST_F(Deadlines, ClosesAConnectionThatSaysNothingWithoutAWord) {
  RawClient client = RawClient::Tcp(port_);
  SendAndSettle(client, "");
  server_.Pass(seconds(9));
  EXPECT_TRUE(server_.WaitUntil(
      [this] { return server_.server().connections() == 1; }));
  server_.Pass(seconds(1));
  EXPECT_TRUE(client.IsAtEnd());
}

TEST_F(Deadlines, KeepsAnIdleConnectionLongerThanAFreshOne) {
  RawClient client = RawClient::Tcp(port_);
  ASSERT_EQ(client.Call(PostOf("a")).status, 200);
  server_.Pass(seconds(74));
  ASSERT_EQ(client.Call(PostOf("b")).status, 200);
  server_.Pass(seconds(74));
  server_.Pass(seconds(1));
  EXPECT_TRUE(client.IsAtEnd());
}

TEST_F(Deadlines, ClosesOnAClientThatTakesNoReply) {
  ServerLimits limits;
  ServerThread server(
      [](const HttpRequest&) -> boost::asio::awaitable<HttpResponse> {
        HttpResponse response;
        response.body.assign(64 * 1024 * 1024, 'x');
        co_return response;
      },
      limits);
  RawClient client = RawClient::Tcp(server.Listen());
  ASSERT_TRUE(client.Send(PostOf("")));
  char byte = 0;
  ASSERT_EQ(recv(client.fd(), &byte, 1, 0), 1);  // It has begun to write.
  server.Pass(seconds(30));
  EXPECT_TRUE(
      server.WaitUntil([&] { return server.server().connections() == 0; }));
}

TEST_F(Deadlines, DoesNotLimitTheHandler) {
  bool go_on = false;
  ServerThread server(
      [&](const HttpRequest& request) -> boost::asio::awaitable<HttpResponse> {
        boost::asio::steady_timer timer(
            co_await boost::asio::this_coro::executor);
        while (!go_on) {
          timer.expires_after(std::chrono::milliseconds(1));
          co_await timer.async_wait(boost::asio::use_awaitable);
        }
        co_return co_await Echo(request);
      });
  RawClient client = RawClient::Tcp(server.Listen());
  ASSERT_TRUE(client.Send(PostOf("long")));
  EXPECT_TRUE(
      server.WaitUntil([&] { return server.server().connections() == 1; }));
  server.Pass(seconds(1000));
  server.Run([&] { go_on = true; });
  EXPECT_EQ(client.Read().body, "POST / long");
}

TEST(Limits, AreAnsweredBeforeTheConnectionCloses) {
  struct Case {
    std::string request;
    int status;
  };
  const Case cases[] = {
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n" +
           std::string(300000, 'x'),
       413},
      {"POST / HTTP/1.1\r\nHost: h\r\nA: " + std::string(40000, 'a'), 431},
      {"POST / HTTP/1.1\r\nHost: h\r\nExpect: more\r\n\r\n", 417},
      {"NONSENSE\r\n\r\n" + std::string(100000, 'x'), 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n",
       400},
  };
  ServerThread server(Echo);
  const std::uint16_t port = server.Listen();
  for (const Case& c : cases) {
    RawClient client = RawClient::Tcp(port);
    EXPECT_TRUE(client.Send(c.request));
    client.FinishSending();
    const WireReply reply = client.Read();
    EXPECT_EQ(reply.status, c.status);
    EXPECT_EQ(reply.headers.at("connection"), "close");
    EXPECT_EQ(reply.headers.at("content-type"), "text/plain; charset=utf-8");
    EXPECT_FALSE(reply.body.empty());
    EXPECT_TRUE(client.IsAtEnd());
  }
}

TEST(Limits, AnswersTheRequestsBeforeABrokenOne) {
  ServerThread server(Echo);
  RawClient client = RawClient::Tcp(server.Listen());
  ASSERT_TRUE(client.Send(PostOf("good") + "BROKEN\r\n\r\n" + PostOf("lost")));
  EXPECT_EQ(client.Read().body, "POST / good");
  EXPECT_EQ(client.Read().status, 400);
  client.FinishSending();
  EXPECT_TRUE(client.IsAtEnd());
}

TEST(Limits, StopsDroppingWhatARefusedClientSends) {
  ServerThread server(Echo);
  RawClient client = RawClient::Tcp(server.Listen());
  EXPECT_EQ(client.Call("BROKEN\r\n\r\n").status, 400);
  // It does not close: so do we.
  server.Pass(seconds(2));
  EXPECT_TRUE(
      server.WaitUntil([&] { return server.server().connections() == 0; }));
}

TEST(Limits, TurnsAwayConnectionsBeyondTheLimit) {
  ServerLimits limits;
  limits.connections = 2;
  ServerThread server(Echo, limits);
  const std::uint16_t port = server.Listen();
  RawClient first = RawClient::Tcp(port);
  RawClient second = RawClient::Tcp(port);
  ASSERT_EQ(first.Call(PostOf("")).status, 200);
  ASSERT_EQ(second.Call(PostOf("")).status, 200);
  {
    RawClient third = RawClient::Tcp(port);
    EXPECT_EQ(third.Read().status, 503);
    EXPECT_TRUE(third.IsAtEnd());
  }
  // A place becomes free.
  { const RawClient leaves = std::move(second); }
  ASSERT_TRUE(
      server.WaitUntil([&] { return server.server().connections() == 1; }));
  RawClient fourth = RawClient::Tcp(port);
  EXPECT_EQ(fourth.Call(PostOf("")).status, 200);
}

}  // namespace
}  // namespace kms::http
