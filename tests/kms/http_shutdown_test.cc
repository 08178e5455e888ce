// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <string>
#include <vector>

#include "tests/kms/http_testing.h"

namespace kms::http {
namespace {

using std::chrono::seconds;

// A handler that answers when it is told to.
class Gate {
 public:
  Handler handler() {
    return [this](const HttpRequest& request) { return Wait(request); };
  }

  // To be used on the io thread.
  bool open = false;
  int waiting = 0;

 private:
  boost::asio::awaitable<HttpResponse> Wait(const HttpRequest& request) {
    ++waiting;
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    while (!open) {
      timer.expires_after(std::chrono::milliseconds(1));
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
    --waiting;
    HttpResponse response = co_await Echo(request);
    co_return response;
  }
};

TEST(Shutdown, EndsAtOnceWhenNobodyIsThere) {
  ServerThread server(Echo);
  server.Listen();
  EXPECT_TRUE(server.Shutdown(seconds(10)).get());
}

TEST(Shutdown, ClosesIdleConnectionsAtOnce) {
  ServerThread server(Echo);
  const std::uint16_t port = server.Listen();
  RawClient fresh = RawClient::Tcp(port);
  RawClient used = RawClient::Tcp(port);
  ASSERT_EQ(used.Call(PostOf("")).status, 200);
  EXPECT_TRUE(server.Shutdown(seconds(10)).get());
  EXPECT_TRUE(fresh.IsAtEnd());
  EXPECT_TRUE(used.IsAtEnd());
}

TEST(Shutdown, AnswersWhatHasArrivedAndSaysClose) {
  Gate gate;
  ServerThread server(gate.handler());
  RawClient client = RawClient::Tcp(server.Listen());
  ASSERT_TRUE(client.Send(PostOf("one") + PostOf("two")));
  ASSERT_TRUE(server.WaitUntil([&] { return gate.waiting == 1; }));
  std::future<bool> ended = server.Shutdown(seconds(10));
  server.Run([&] { gate.open = true; });
  const WireReply one = client.Read();
  EXPECT_EQ(one.body, "POST / one");
  EXPECT_EQ(one.headers.count("connection"), 0u);
  const WireReply two = client.Read();
  EXPECT_EQ(two.body, "POST / two");
  EXPECT_EQ(two.headers.at("connection"), "close");
  EXPECT_TRUE(client.IsAtEnd());
  EXPECT_TRUE(ended.get());
}

TEST(Shutdown, ServesARequestThatOnlyTheKernelHasAccepted) {
  ServerThread server(Echo);
  const std::uint16_t port = server.Listen();
  std::vector<RawClient> clients;
  // While clients connect and send, the io thread is busy, and then begins to
  // shut down before it has accepted them.
  std::future<bool> ended = server.Run([&] {
    for (int i = 0; i < 20; ++i) {
      clients.push_back(RawClient::Tcp(port));
      EXPECT_TRUE(clients.back().Send(PostOf(std::to_string(i))));
    }
    return boost::asio::co_spawn(server.io(),
                                 server.server().Shutdown(seconds(10)),
                                 boost::asio::use_future);
  });
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(clients[i].Read().body, "POST / " + std::to_string(i));
  }
  EXPECT_TRUE(ended.get());
}

TEST(Shutdown, WaitsForARequestThatIsStillComing) {
  ServerThread server(Echo);
  const std::uint16_t port = server.Listen();
  RawClient client = RawClient::Tcp(port);
  ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4"));
  RawClient other = RawClient::Tcp(port);
  ASSERT_EQ(other.Call(PostOf("")).status, 200);
  std::future<bool> ended = server.Shutdown(seconds(10));
  const WireReply reply = client.Call("\r\n\r\nbody");
  EXPECT_EQ(reply.body, "POST / body");
  EXPECT_EQ(reply.headers.at("connection"), "close");
  EXPECT_TRUE(ended.get());
}

TEST(Shutdown, AcceptsNoMore) {
  Gate gate;
  ServerThread server(gate.handler());
  const std::uint16_t port = server.Listen();
  RawClient client = RawClient::Tcp(port);
  ASSERT_TRUE(client.Send(PostOf("")));
  ASSERT_TRUE(server.WaitUntil([&] { return gate.waiting == 1; }));
  std::future<bool> ended = server.Shutdown(seconds(10));
  // The port is free again: somebody else may listen on it, alone.
  ServerThread next(Echo);
  EXPECT_EQ(next.Run([&] {
    return next.server().ListenTcp("127.0.0.1", port).value_or(0);
  }),
            port);
  RawClient late = RawClient::Tcp(port);
  EXPECT_EQ(late.Call(PostOf("late")).body, "POST / late");
  server.Run([&] { gate.open = true; });
  EXPECT_EQ(client.Read().status, 200);
  EXPECT_TRUE(ended.get());
}

TEST(Shutdown, CutsWhatIsNotAnsweredInTime) {
  Gate gate;
  ServerThread server(gate.handler());
  RawClient client = RawClient::Tcp(server.Listen());
  ASSERT_TRUE(client.Send(PostOf("")));
  ASSERT_TRUE(server.WaitUntil([&] { return gate.waiting == 1; }));
  std::future<bool> ended = server.Shutdown(seconds(10));
  server.Pass(seconds(9));
  EXPECT_EQ(ended.wait_for(seconds(0)), std::future_status::timeout);
  server.Pass(seconds(1));
  EXPECT_FALSE(ended.get());
  EXPECT_TRUE(client.IsAtEnd());
  server.Run([&] { gate.open = true; });
}

}  // namespace
}  // namespace kms::http
