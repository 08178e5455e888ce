// SPDX-License-Identifier: Apache-2.0
#include "hsm/xks/transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/sigv4_verifier.h"
#include "tests/hsm/xks/fixture.h"

namespace hsm::xks {
namespace {

using base::ErrorCode;
using hsm_test::EncryptOf;
using hsm_test::RequestFor;
using testing::HasSubstr;
using testlib::StatusIs;
using TransportTest = hsm_test::XksTest;

// What the proxy got, as its verifier sees it.
base::Status Verify(const fakes::ProxyRequest& request, base::WallTime now) {
  std::vector<base::HeaderView> headers;
  for (const auto& [name, value] : request.headers) {
    headers.push_back({name, value});
  }
  const base::SigV4Request seen = {
      .method = request.method,
      .path = request.path,
      .query = {},
      .headers = headers,
      .payload_sha256 =
          base::ThreadHasher().Sha256(base::AsBytes(request.body))};
  const std::vector<std::string_view> services = {"kms-xks-proxy"};
  ASSIGN_OR_RETURN(const base::SigV4Authorization authorization,
                   base::ReadAuthorization(seen, services, now));
  base::SigV4Verifier verifier(base::ThreadHasher());
  return verifier.Check(seen, authorization,
                        base::Secret::CopyOf(hsm_test::kSecretKey));
}

TEST_F(TransportTest, AsksEveryOperation) {
  StartProxy(fakes::Honest);
  const XksReply health = Ask(RequestFor(XksOperation::kHealth));
  EXPECT_EQ(health.outcome, XksOutcome::kOk) << health.message;
  ASSERT_EQ(health.managers.size(), 1U);
  EXPECT_EQ(health.managers[0].status, "ACTIVE");
  EXPECT_EQ(Ask(RequestFor(XksOperation::kMetadata)).key_spec, "AES_256");

  const XksReply encrypted = Ask(EncryptOf("text"));
  EXPECT_EQ(encrypted.outcome, XksOutcome::kOk) << encrypted.message;
  XksRequest decrypt = RequestFor(XksOperation::kDecrypt);
  decrypt.sealed = encrypted.sealed;
  decrypt.aad = EncryptOf("").aad;
  const XksReply decrypted = Ask(decrypt);
  EXPECT_EQ(decrypted.outcome, XksOutcome::kOk) << decrypted.message;
  EXPECT_EQ(decrypted.plaintext.RevealText(), "text");
}

TEST_F(TransportTest, SendsWhatItSigned) {
  StartProxy(fakes::Honest);
  Ask(RequestFor(XksOperation::kHealth));
  Ask(EncryptOf(std::string(8000, 'x')));
  XksRequest dots = RequestFor(XksOperation::kMetadata);
  dots.external_key_id = "..";
  Ask(dots);
  const auto requests = proxy_->requests();
  ASSERT_EQ(requests.size(), 3U);
  for (const fakes::ProxyRequest& request : requests) {
    EXPECT_OK(Verify(request, clock_.Now()));
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.Header("host"), hsm_test::kHost);
    EXPECT_EQ(request.Header("content-type"), "application/json");
    EXPECT_EQ(request.Header("expect"), "");
    EXPECT_EQ(request.Header("transfer-encoding"), "");
  }
  EXPECT_EQ(requests[0].path, "/kms/xks/v1/health");
  EXPECT_EQ(requests[2].path, "/kms/xks/v1/keys/../metadata");
}

TEST_F(TransportTest, KeepsItsConnections) {
  StartProxy(fakes::Honest);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Ask(EncryptOf("text")).outcome, XksOutcome::kOk);
  }
  EXPECT_EQ(proxy_->connections(), 1);
}

TEST_F(TransportTest, AsksAgainIfAKeptConnectionIsDead) {
  StartProxy(fakes::Honest);
  EXPECT_EQ(Ask(EncryptOf("a")).outcome, XksOutcome::kOk);
  proxy_->DropConnections();
  const XksReply reply = Ask(EncryptOf("b"));
  EXPECT_EQ(reply.outcome, XksOutcome::kOk) << reply.message;
  EXPECT_EQ(proxy_->connections(), 2);
}

// It reads the request first, so that the client cannot know beforehand.
TEST_F(TransportTest, AsksAgainIfAKeptConnectionDiesWithTheRequest) {
  int asked = 0;
  StartProxy([&asked](const fakes::ProxyRequest& request) {
    return ++asked == 2 ? fakes::ProxyAnswer{"", true} : fakes::Honest(request);
  });
  EXPECT_EQ(Ask(EncryptOf("a")).outcome, XksOutcome::kOk);
  const XksReply reply = Ask(EncryptOf("b"));
  EXPECT_EQ(reply.outcome, XksOutcome::kOk) << reply.message;
  EXPECT_EQ(proxy_->requests().size(), 3U);
}

TEST_F(TransportTest, AsksOnceOnAFreshConnection) {
  StartProxy([](const fakes::ProxyRequest&) {
    return fakes::ProxyAnswer{"", true};
  });
  EXPECT_EQ(Ask(EncryptOf("a")).outcome, XksOutcome::kNotReachable);
  EXPECT_EQ(proxy_->requests().size(), 1U);
}

// What the proxy began to answer, it has done.
TEST_F(TransportTest, DoesNotAskAgainAfterTheFirstByte) {
  int asked = 0;
  StartProxy([&asked](const fakes::ProxyRequest& request) {
    return ++asked == 2 ? fakes::ProxyAnswer{"HTTP/1.1 200 OK\r\n", true}
                        : fakes::Honest(request);
  });
  EXPECT_EQ(Ask(EncryptOf("a")).outcome, XksOutcome::kOk);
  EXPECT_NE(Ask(EncryptOf("b")).outcome, XksOutcome::kOk);
  EXPECT_EQ(proxy_->requests().size(), 2U);
}

// One that waits holds up nobody; replies come as they are ready.
TEST_F(TransportTest, HasManyRequestsInFlight) {
  std::mutex mutex;
  std::condition_variable changed;
  int waiting = 0;
  bool released = false;
  StartProxy([&](const fakes::ProxyRequest& request) {
    if (request.path.ends_with("/slow/encrypt")) {
      std::unique_lock lock(mutex);
      ++waiting;
      changed.notify_all();
      changed.wait(lock, [&] { return released; });
    }
    return fakes::Honest(request);
  });
  XksRequest slow = EncryptOf("slow");
  slow.external_key_id = "slow";
  std::vector<std::optional<XksReply>*> begun;
  begun.reserve(8);
  for (int i = 0; i < 8; ++i) {
    begun.push_back(&Begin(slow));
  }
  EXPECT_EQ(transport().in_flight(), 8U);
  RunUntil([&] {
    const std::lock_guard lock(mutex);
    transport().Advance();
    return waiting == 8;
  });
  EXPECT_EQ(Ask(EncryptOf("quick")).outcome, XksOutcome::kOk);
  for (const auto* const reply : begun) {
    EXPECT_FALSE(reply->has_value());
  }
  {
    const std::lock_guard lock(mutex);
    released = true;
  }
  changed.notify_all();
  RunUntil([&] { return transport().in_flight() == 0; });
  for (const auto* const reply : begun) {
    EXPECT_EQ((*reply)->outcome, XksOutcome::kOk);
  }
  proxy_.reset();  // Its threads use what is here.
}

TEST_F(TransportTest, ThrottlesWhatIsTooMuch) {
  settings_.most_in_flight = 2;
  StartProxy(fakes::Honest);
  Begin(EncryptOf("a"));
  Begin(EncryptOf("b"));
  EXPECT_THAT(transport().Ask(EncryptOf("c"), [](auto&&...) {}),
              StatusIs(base::ErrorCode::kThrottled, HasSubstr("in flight")));
  RunUntil([&] { return transport().in_flight() == 0; });
  EXPECT_EQ(Ask(EncryptOf("d")).outcome, XksOutcome::kOk);
}

TEST_F(TransportTest, ThrottlesEachProxyByItself) {
  settings_.requests_per_second = 1;
  StartProxy(fakes::Honest);
  base::FakeClock still{clock_.Now()};
  transport_ = testlib::Take(Transport::Create(settings_, still));
  EXPECT_EQ(Ask(EncryptOf("a")).outcome, XksOutcome::kOk);
  EXPECT_THAT(
      transport().Ask(EncryptOf("b"), [](auto&&...) {}),
      StatusIs(base::ErrorCode::kThrottled, HasSubstr("requests_per_second")));
  XksRequest other = EncryptOf("c");
  const auto proxy = hsm_test::Proxy();
  proxy->path = "/other/kms/xks/v1";
  other.proxy = proxy;
  EXPECT_EQ(Ask(other).outcome, XksOutcome::kOk);
  EXPECT_EQ(proxy_->requests().size(), 2U);
}

// Who has no credential of a proxy does not use up what others may ask it.
TEST_F(TransportTest, ThrottlesEachCredentialByItself) {
  settings_.requests_per_second = 1;
  StartProxy(fakes::Honest);
  base::FakeClock still{clock_.Now()};
  transport_ = testlib::Take(Transport::Create(settings_, still));
  EXPECT_EQ(Ask(EncryptOf("a")).outcome, XksOutcome::kOk);
  XksRequest other = EncryptOf("b");
  const auto proxy = hsm_test::Proxy();
  proxy->access_key_id = "OTHEROTHEROTHEROTHER";
  other.proxy = proxy;
  EXPECT_EQ(Ask(other).outcome, XksOutcome::kOk);
}

TEST_F(TransportTest, AsksNoProxyThatAlwaysTimesOut) {
  settings_.timeout = std::chrono::milliseconds{10};
  std::mutex until_the_end;
  std::unique_lock held(until_the_end);
  StartProxy([&](const fakes::ProxyRequest& request) {
    const std::lock_guard wait(until_the_end);
    return fakes::Honest(request);
  });
  base::FakeClock still{clock_.Now()};
  transport_ = testlib::Take(Transport::Create(settings_, still));
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(Ask(EncryptOf("a")).message, HasSubstr("timed out")) << i;
  }
  const auto& refused = Begin(EncryptOf("b"));
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->outcome, XksOutcome::kTimedOut);
  EXPECT_THAT(refused->message, HasSubstr("not asked"));
  still.Advance(std::chrono::seconds{1});
  EXPECT_FALSE(Begin(EncryptOf("c")).has_value());
  EXPECT_TRUE(Begin(EncryptOf("d")).has_value());
  held.unlock();
  proxy_.reset();  // Its threads use what is here.
}

TEST_F(TransportTest, RefusesRequestsThatTheApiDoesNotAllow) {
  XksRequest request = EncryptOf("a");
  request.external_key_id = "a/b";
  EXPECT_THAT(transport().Ask(request, [](const auto&) {}),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("key id")));
}

TEST_F(TransportTest, RefusesToStartWithoutItsFiles) {
  settings_.ca_file = folder_ / "none";
  EXPECT_THAT(Transport::Create(settings_, clock_),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("ca_file")));
}

// Neither a proxy nor a key log of the environment counts.
TEST_F(TransportTest, TakesNothingFromTheEnvironment) {
  const std::string log = folder_ / "keys";
  setenv("https_proxy", "http://127.0.0.1:1", 1);
  setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
  setenv("SSLKEYLOGFILE", log.c_str(), 1);
  StartProxy(fakes::Honest);
  const XksReply reply = Ask(EncryptOf("a"));
  EXPECT_EQ(reply.outcome, XksOutcome::kOk) << reply.message;
  EXPECT_FALSE(std::ifstream(log).good());
  EXPECT_EQ(getenv("SSLKEYLOGFILE"), nullptr);
  unsetenv("https_proxy");
  unsetenv("ALL_PROXY");
}

}  // namespace
}  // namespace hsm::xks
