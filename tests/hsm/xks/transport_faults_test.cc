// SPDX-License-Identifier: Apache-2.0
// What a proxy can do wrong, and where a connection must not go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "hsm/fd.h"
#include "hsm/xks/own_network.h"
#include "hsm/xks/transport.h"
#include "tests/hsm/xks/fixture.h"

namespace hsm::xks {
namespace {

using fakes::HonestBody;
using fakes::HttpAnswer;
using fakes::ProxyAnswer;
using fakes::ProxyRequest;
using hsm_test::EncryptOf;
using hsm_test::RequestFor;
using testing::HasSubstr;
using testlib::Take;

std::string B64(std::size_t size) {
  return base::Base64Encode(base::Bytes(size, 3));
}

class TransportFaultsTest : public hsm_test::XksTest {
 protected:
  // The reply of a proxy that answers so.
  XksReply AskOne(fakes::XksProxy::AnswerFn answer) {
    transport_.reset();
    StartProxy(std::move(answer));
    return Ask(EncryptOf("text"));
  }
};

TEST_F(TransportFaultsTest, TakesNoSpoiltAnswer) {
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"ciphertext", B64(4)},  // Of something else.
      {"ciphertext", B64(3)},
      {"ciphertext", "...."},
      {"initializationVector", B64(13)},
      {"authenticationTag", B64(12)},
      {"ciphertextMetadata", B64(21)},
      {"ciphertextMetadata", B64(20)},  // Not what the value is of.
      {"ciphertextDataIntegrityValue", B64(32)},
      {"ciphertextDataIntegrityValue", ""}};
  for (const auto& change : changes) {
    const XksReply reply = AskOne([&change](const ProxyRequest& request) {
      return HttpAnswer(200, HonestBody(request, {change}));
    });
    EXPECT_EQ(reply.outcome, XksOutcome::kMalformed) << change.first;
    EXPECT_TRUE(reply.sealed.ciphertext.empty());
  }
}

TEST_F(TransportFaultsTest, TakesNoAnswerThatIsNoReply) {
  const std::string html = "<html>Internal Server Error</html>";
  const std::vector<ProxyAnswer> answers = {
      HttpAnswer(500, html),
      HttpAnswer(200, html),
      HttpAnswer(200, ""),
      HttpAnswer(302, "{}", "location: https://xks.example.com/\r\n"),
      HttpAnswer(307, "{}", "location: http://127.0.0.1:1/\r\n"),
      HttpAnswer(200, std::string((64U << 10) + 1, ' ')),
      HttpAnswer(200, "{}", "x: " + std::string(20'000, 'x') + "\r\n"),
      {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" +
           std::string("10000\r\n") + std::string(0x10000, ' ') +
           "\r\n1\r\n \r\n0\r\n\r\n",
       true},
      {"SSH-2.0-OpenSSH\r\n", true}};
  for (const ProxyAnswer& answer : answers) {
    const XksReply reply =
        AskOne([&answer](const ProxyRequest&) { return answer; });
    EXPECT_EQ(reply.outcome, XksOutcome::kMalformed)
        << answer.bytes.substr(0, 60) << " " << reply.message;
    EXPECT_EQ(proxy_->requests().size(), 1U);
  }
}

TEST_F(TransportFaultsTest, SaysThatAnAnswerBroke) {
  for (const ProxyAnswer& answer :
       {ProxyAnswer{"", true},
        ProxyAnswer{"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", true}}) {
    EXPECT_EQ(AskOne([&answer](const ProxyRequest&) { return answer; }).outcome,
              XksOutcome::kNotReachable);
  }
}

TEST_F(TransportFaultsTest, PassesErrorsOnByName) {
  const XksReply reply = AskOne([](const ProxyRequest&) {
    return fakes::ErrorAnswer(429, "ThrottlingException", "slow down");
  });
  EXPECT_EQ(reply.outcome, XksOutcome::kThrottling);
  EXPECT_EQ(reply.message, "slow down");
}

TEST_F(TransportFaultsTest, DoesNotWaitForASlowProxy) {
  settings_.timeout = std::chrono::milliseconds{500};
  std::mutex until_the_end;
  std::unique_lock held(until_the_end);
  std::atomic<bool> slow = false;
  StartProxy([&](const ProxyRequest& request) {
    if (slow) {
      const std::lock_guard wait(until_the_end);
    }
    return fakes::Honest(request);
  });
  // There must be a connection, however slow this machine is.
  while (Ask(EncryptOf("a")).outcome != XksOutcome::kOk) {
  }
  slow = true;
  // On a connection that was kept.
  EXPECT_EQ(Ask(EncryptOf("b")).outcome, XksOutcome::kTimedOut);
  held.unlock();
  proxy_.reset();  // Its threads use what is here.
}

TEST_F(TransportFaultsTest, SaysThatNobodyListens) {
  StartProxy(fakes::Honest);
  const std::uint16_t port = proxy_->port();
  proxy_.reset();
  SendTo(port);
  const XksReply reply = Ask(EncryptOf("a"));
  EXPECT_EQ(reply.outcome, XksOutcome::kNotReachable);
  EXPECT_THAT(reply.message, HasSubstr("connect"));
}

TEST_F(TransportFaultsTest, SaysThatThereIsNoSuchHost) {
  XksRequest request = EncryptOf("a");
  const auto proxy = hsm_test::Proxy();
  proxy->endpoint = "https://xks.invalid";  // RFC 2606, 2.
  request.proxy = proxy;
  settings_.timeout = std::chrono::seconds{5};
  EXPECT_EQ(Ask(request).outcome, XksOutcome::kNotReachable);
}

// A listener that counts who comes.
class SsrfTest : public hsm_test::XksTest {
 protected:
  SsrfTest() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(
        bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_.get(), 5), 0);
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  bool SomebodyCame() const {
    return Fd(accept(listener_.get(), nullptr, nullptr)).valid();
  }
  static XksRequest To(const std::string& host) {
    XksRequest request = EncryptOf("a");
    const auto proxy = hsm_test::Proxy();
    proxy->endpoint = "https://" + host;
    request.proxy = proxy;
    return request;
  }

  Fd listener_;
  std::uint16_t port_ = 0;
};

// "localhost" is what a resolver makes of it, as any name could be.
TEST_F(SsrfTest, LooksAtTheAddressThatANameHas) {
  const XksReply reply = Ask(To("localhost"));
  EXPECT_EQ(reply.outcome, XksOutcome::kForbidden);
  EXPECT_THAT(reply.message, HasSubstr("localhost"));
  EXPECT_THAT(reply.message, HasSubstr("allow_networks"));
}

TEST_F(SsrfTest, TakesNoAddressForAnEndpoint) {
  for (const char* const host :
       {"127.0.0.1", "127.1", "2130706433", "0x7f000001", "10.0.0.1",
        "169.254.169.254", "1.1.1.1"}) {
    const auto& reply = Begin(To(host));
    ASSERT_TRUE(reply.has_value()) << host;
    EXPECT_EQ(reply->outcome, XksOutcome::kForbidden) << host;
  }
  EXPECT_EQ(transport().in_flight(), 0U);
}

// Even if the way there is configured: it is the way of another host.
TEST_F(SsrfTest, GoesWhereAHostIsSentForThatHostOnly) {
  SendTo(port_);
  EXPECT_EQ(Ask(To("localhost")).outcome, XksOutcome::kForbidden);
  EXPECT_FALSE(SomebodyCame());
}

TEST_F(SsrfTest, GoesToNetworksThatAreAllowed) {
  settings_.allow_networks = {Take(ParseNetwork("127.0.0.0/8")),
                              Take(ParseNetwork("::1/128"))};
  // Nobody listens at port 443, or does not show the right certificate.
  EXPECT_NE(Ask(To("localhost")).outcome, XksOutcome::kForbidden);
  EXPECT_NE(Ask(To("127.0.0.1")).outcome, XksOutcome::kForbidden);
}

// To the broadcast address there is no way for TCP.
TEST_F(TransportFaultsTest, TellsItsOwnNetworkFromTheProxy) {
  settings_.connect_to = {Take(ParseConnectTo(std::string(hsm_test::kHost) +
                                              ":443:255.255.255.255:443"))};
  std::optional<base::Result<XksReply>> reply;
  ASSERT_FALSE(
      Take(transport().Ask(EncryptOf("text"), [&](base::Result<XksReply> late) {
        reply = std::move(late);
      })));
  RunUntil([&] { return reply.has_value(); });
  EXPECT_THAT(*reply, testlib::StatusIs(base::ErrorCode::kIo,
                                        HasSubstr("own network")));
}

TEST(OwnNetwork, IsToldByTheError) {
  for (const int error : {EMFILE, ENFILE, ENETUNREACH, ENETDOWN}) {
    EXPECT_TRUE(IsOwnTrouble(error)) << error;
  }
  for (const int error :
       {0, ECONNREFUSED, ECONNRESET, EHOSTUNREACH, ETIMEDOUT}) {
    EXPECT_FALSE(IsOwnTrouble(error)) << error;
  }
}

// As where one of two addresses is of IPv6, and this host is not.
TEST(OwnNetwork, IsNotToldByTheLastOfSeveralAddresses) {
  EXPECT_TRUE(IsOwnTroubleOfAll(ENETUNREACH, 1));
  EXPECT_FALSE(IsOwnTroubleOfAll(ENETUNREACH, 2));
  EXPECT_FALSE(IsOwnTroubleOfAll(ECONNREFUSED, 1));
}

TEST(OwnNetwork, NeedsAResolver) {
  const testlib::TempDir folder;
  const std::string path = folder / "resolv.conf";
  EXPECT_FALSE(NamesResolver(path));
  std::ofstream(path) << "# nameserver 192.0.2.1\nsearch example.com\n";
  EXPECT_FALSE(NamesResolver(path));
  std::ofstream(path, std::ios::app) << "nameserver 192.0.2.1\n";
  EXPECT_TRUE(NamesResolver(path));
}

}  // namespace
}  // namespace hsm::xks
