// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "kms/http/server.h"
#include "tests/kms/http_testing.h"
#include "tests/testlib/status.h"

namespace kms::http {
namespace {

using ::base::ErrorCode;
using ::testing::HasSubstr;
using ::testlib::StatusIs;

TEST(HttpServer, AnswersAndKeepsTheConnection) {
  ServerThread server(Echo);
  RawClient client = RawClient::Tcp(server.Listen());
  for (const std::string body : {"one", "two", ""}) {
    const WireReply reply = client.Call(PostOf(body));
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "POST / " + body);
    EXPECT_EQ(reply.headers.at("content-type"), "text/plain");
    EXPECT_EQ(reply.headers.at("date"), "Sun, 22 Nov 2026 12:00:00 GMT");
    EXPECT_EQ(reply.headers.count("connection"), 0u);
  }
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  ServerThread server(Echo);
  RawClient client = RawClient::Tcp(server.Listen());
  std::string many;
  for (int i = 0; i < 100; ++i) {
    many += PostOf(std::to_string(i));
  }
  ASSERT_TRUE(client.Send(many));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(client.Read().body, "POST / " + std::to_string(i));
  }
}

TEST(HttpServer, ReadsARequestByteByByte) {
  ServerThread server(Echo);
  RawClient client = RawClient::Tcp(server.Listen());
  for (const char byte : PostOf("slowly")) {
    ASSERT_TRUE(client.Send({&byte, 1}));
  }
  EXPECT_EQ(client.Read().body, "POST / slowly");
}

TEST(HttpServer, ReadsAChunkedBody) {
  ServerThread server(Echo);
  RawClient client = RawClient::Tcp(server.Listen());
  const WireReply reply = client.Call(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "3\r\nabc\r\n5;ext=1\r\ndefgh\r\n0\r\nX-Trailer: t\r\n\r\n");
  EXPECT_EQ(reply.body, "POST / abcdefgh");
  EXPECT_EQ(client.Call(PostOf("next")).body, "POST / next");
}

TEST(HttpServer, AnswersAClientThatHasFinishedSending) {
  ServerThread server(Echo);
  RawClient client = RawClient::Tcp(server.Listen());
  ASSERT_TRUE(client.Send(PostOf("last")));
  client.FinishSending();
  EXPECT_EQ(client.Read().body, "POST / last");
  EXPECT_TRUE(client.IsAtEnd());
}

// Bytes of the heap that are in use, with large blocks.
std::size_t HeapInUse() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

TEST(HttpServer, IdleConnectionsKeepNoLargeReplies) {
  constexpr std::size_t kReplyBytes = 4 << 20;
  ServerThread server(
      [](const HttpRequest&) -> boost::asio::awaitable<HttpResponse> {
        HttpResponse response;
        response.body.assign(kReplyBytes, 'x');
        co_return response;
      });
  const std::uint16_t port = server.Listen();
  const std::size_t before = HeapInUse();
  std::vector<RawClient> idle;
  for (int i = 0; i < 5; ++i) {
    idle.push_back(RawClient::Tcp(port));
    ASSERT_EQ(idle.back().Call(PostOf("")).body.size(), kReplyBytes);
  }
  EXPECT_TRUE(
      server.WaitUntil([&] { return HeapInUse() < before + kReplyBytes; }));
}

TEST(HttpServer, ClosesWhenTheClientAsksForIt) {
  ServerThread server(Echo);
  RawClient client = RawClient::Tcp(server.Listen());
  const WireReply reply = client.Call(PostOf("x", "Connection: close\r\n"));
  EXPECT_EQ(reply.headers.at("connection"), "close");
  EXPECT_TRUE(client.IsAtEnd());
}

TEST(HttpServer, ClosesAfterHttp10UnlessToldToKeepAlive) {
  ServerThread server(Echo);
  const std::uint16_t port = server.Listen();
  RawClient plain = RawClient::Tcp(port);
  EXPECT_EQ(plain.Call("POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\nx").body,
            "POST / x");
  EXPECT_TRUE(plain.IsAtEnd());

  RawClient kept = RawClient::Tcp(port);
  const std::string request =
      "POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx";
  EXPECT_EQ(kept.Call(request).headers.at("connection"), "keep-alive");
  EXPECT_EQ(kept.Call(request).body, "POST / x");
}

TEST(HttpServer, TellsAWaitingClientToContinue) {
  ServerThread server(Echo);
  RawClient client = RawClient::Tcp(server.Listen());
  const std::string head =
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n"
      "Expect: 100-Continue\r\n\r\n";
  EXPECT_EQ(client.Call(head).status, 100);
  EXPECT_EQ(client.Call("body").body, "POST / body");
  // The body came along: there is nothing to wait for.
  EXPECT_EQ(client.Call(head + "next").body, "POST / next");
}

TEST(HttpServer, OmitsTheBodyOfAReplyToHead) {
  ServerThread server(Echo);
  RawClient client = RawClient::Tcp(server.Listen());
  ASSERT_TRUE(client.Send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n" + PostOf("x")));
  std::string all;
  while (all.find("POST / x") == std::string::npos) {
    char byte = 0;
    ASSERT_EQ(recv(client.fd(), &byte, 1, 0), 1);
    all += byte;
  }
  EXPECT_THAT(all, HasSubstr("Content-Length: 7\r\n\r\nHTTP/1.1 200 OK"));
}

TEST(HttpServer, ListensInPlainOnLoopbackOnly) {
  ServerThread server(Echo);
  const auto listen = [&](const char* address) {
    return server.Run([&] { return server.server().ListenTcp(address, 0); });
  };
  EXPECT_THAT(listen("127.0.0.2"), testlib::IsOk());
  for (const char* address :
       {"0.0.0.0", "192.0.2.1", "::", "::ffff:127.0.0.1"}) {
    EXPECT_THAT(listen(address),
                StatusIs(ErrorCode::kInvalidArgument, HasSubstr("loopback")));
  }
  EXPECT_THAT(listen("localhost"),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("numeric")));
  EXPECT_THAT(listen("192.0.2.999"), StatusIs(ErrorCode::kInvalidArgument));
}

TEST(HttpServer, ReportsAPortThatIsTaken) {
  ServerThread server(Echo);
  // Without SO_REUSEPORT on both sides a port is not shared.
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  RawClient other(fd);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(fd, 1), 0);
  ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::uint16_t port = ntohs(address.sin_port);
  EXPECT_THAT(
      server.Run([&] { return server.server().ListenTcp("127.0.0.1", port); }),
      StatusIs(ErrorCode::kIo, HasSubstr(std::to_string(port))));
}

TEST(HttpServer, NamesTheTcpPeer) {
  ServerThread server(
      [](const HttpRequest& request) -> boost::asio::awaitable<HttpResponse> {
        HttpResponse response;
        response.body.append(request.peer.address);
        response.body.append(request.peer.unix_peer ? " unix" : " tcp");
        response.body.append(request.door == Door::kHttp ? " http" : " other");
        co_return response;
      });
  RawClient client = RawClient::Tcp(server.Listen());
  EXPECT_EQ(client.Call(PostOf("")).body, "127.0.0.1 tcp http");
}

TEST(HttpServer, ServesManyConnectionsAtOnce) {
  ServerThread server(Echo);
  const std::uint16_t port = server.Listen();
  std::vector<RawClient> clients;
  for (int i = 0; i < 512; ++i) {
    clients.push_back(RawClient::Tcp(port));
    ASSERT_TRUE(clients.back().Send(PostOf(std::to_string(i))));
  }
  for (int i = 0; i < 512; ++i) {
    EXPECT_EQ(clients[i].Read().body, "POST / " + std::to_string(i));
  }
  EXPECT_EQ(server.server().connections(), 512u);
  clients.clear();
  EXPECT_TRUE(
      server.WaitUntil([&] { return server.server().connections() == 0; }));
}

}  // namespace
}  // namespace kms::http
