// SPDX-License-Identifier: Apache-2.0
// Several io threads on one port; meant for the thread sanitizer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/sigv4_signer.h"
#include "kms/http/aws_json.h"
#include "kms/http/router.h"
#include "kms/identity/principals.h"
#include "tests/kms/http_testing.h"
#include "tests/testlib/status.h"

namespace kms::http {
namespace {

constexpr int kThreads = 2;
constexpr int kClients = 4;
constexpr int kRequests = 50;
constexpr std::array<std::string_view, 1> kOperations = {"Encrypt"};

std::shared_ptr<const identity::Directory> MakeDirectory() {
  return DirectoryOf({AccessKeyOf("AKIATEST", "secret",
                                  identity::Administrator("000000000000"))});
}

class EchoService final : public Service {
 public:
  boost::asio::awaitable<base::Result<Reply>> Handle(
      const Request& request) override {
    Reply reply;
    reply.body.append(request.body);
    co_return reply;
  }
  base::Status Ready() const override { return {}; }
};

// One io thread with all that belongs to it.
class IoThread {
 public:
  IoThread(const identity::DirectorySource& directory, Metrics& metrics,
           const base::Clock& clock)
      : api_(service_, directory, sessions_, metrics, clock,
             {.local = {.account = "000000000000",
                        .default_region = "us-east-1",
                        .own_uid = 0}}),
        router_(json_, query_, metrics, service_, Observers::kLocal),
        thread_([this](const HttpRequest& request) {
          return router_.Handle(request);
        }) {}

  std::uint16_t Listen(std::uint16_t port) {
    return thread_.Run([this, port] {
      return testlib::Take(thread_.server().ListenTcp("127.0.0.1", port));
    });
  }
  bool Shutdown() { return thread_.Shutdown(std::chrono::seconds(10)).get(); }

 private:
  EchoService service_;
  FakeSessions sessions_;
  ApiDoor api_;
  AwsJsonDoor json_{api_};
  QueryDoor query_{api_};
  Router router_;
  ServerThread thread_;
};

std::string SignedPost(std::string_view body) {
  base::SigV4Signer signer(base::ThreadHasher(),
                           {"AKIATEST", base::Secret::CopyOf("secret"), ""},
                           "us-east-1", "kms");
  const std::array<base::HeaderView, 3> headers = {
      {{"host", "localhost"},
       {"content-type", "application/x-amz-json-1.1"},
       {"x-amz-target", "TrentService.Encrypt"}}};
  const auto added = testlib::Take(signer.Sign(
      {.method = "POST",
       .path = "/",
       .query = "",
       .headers = headers,
       .payload_sha256 = base::ThreadHasher().Sha256(base::AsBytes(body))},
      kNoon));
  std::string lines =
      "Content-Type: application/x-amz-json-1.1\r\n"
      "X-Amz-Target: TrentService.Encrypt\r\n";
  for (const auto& [name, value] : added) {
    lines.append(name).append(": ").append(value).append("\r\n");
  }
  return PostOf(body, lines);
}

TEST(HttpThreads, ShareAPortTheCredentialsAndTheMetrics) {
  base::FakeClock clock(kNoon);
  identity::DirectorySource directory(MakeDirectory());
  Metrics metrics(kOperations);
  std::vector<std::unique_ptr<IoThread>> threads;
  std::uint16_t port = 0;
  for (int i = 0; i < kThreads; ++i) {
    threads.push_back(std::make_unique<IoThread>(directory, metrics, clock));
    port = threads.back()->Listen(port);
  }

  std::vector<std::thread> clients;
  clients.reserve(kClients);
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      for (int j = 0; j < kRequests; ++j) {
        // A connection each, so that both threads get some.
        const std::string body = std::to_string(i) + ":" + std::to_string(j);
        const WireReply reply = RawClient::Tcp(port).Call(SignedPost(body));
        EXPECT_EQ(reply.status, 200) << reply.body;
        EXPECT_EQ(reply.body, body);
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    directory.Replace(MakeDirectory());
    EXPECT_EQ(RawClient::Tcp(port)
                  .Call("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n")
                  .status,
              200);
  }
  for (std::thread& client : clients) {
    client.join();
  }
  for (const auto& thread : threads) {
    EXPECT_TRUE(thread->Shutdown());
  }
  EXPECT_THAT(metrics.Text(),
              testing::HasSubstr(
                  "claviger_requests_total{operation=\"Encrypt\",outcome="
                  "\"Success\"} " +
                  std::to_string(kClients * kRequests)));
}

}  // namespace
}  // namespace kms::http
