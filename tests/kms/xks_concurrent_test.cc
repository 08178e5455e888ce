// SPDX-License-Identifier: Apache-2.0
// The doors of several io threads, made on one; meant for the thread sanitizer.
#include <gtest/gtest.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/sigv4_signer.h"
#include "kms/audit/log.h"
#include "kms/http/xks_door.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace kms::http {
namespace {

namespace asio = boost::asio;

constexpr int kThreads = 2;
constexpr int kRequests = 200;
constexpr std::string_view kTarget = "/kms/xks/v1/health";
constexpr const char* kId = "XKSKAAAAAAAAAAAAAAAA";
constexpr const char* kSecret = "the secret of a test, of enough characters.";

// What all threads share.
struct Shared {
  Shared() {
    store = testlib::Take(
        store::Store::Open({.path = (folder / "store.db").string()}, clock));
    audit::LogOptions options;
    options.folder = folder.path();
    options.store_id = store->info().id;
    log = testlib::Take(audit::Log::Open(options, clock));
    xks::TenantSettings tenant;
    tenant.name = "a";
    tenant.requests_per_second = 1'000'000;
    tenants = std::make_unique<xks::TenantSource>(std::vector{tenant});
    store::ExternalKeyRows rows;
    rows.revision = 1;
    rows.credentials = {{.access_key_id = kId, .tenant = "a"}};
    Put(std::move(rows));
  }
  void Put(store::ExternalKeyRows rows) {
    tenants->Replace(std::make_shared<const xks::Tenants>(
        tenants->settings(), std::move(rows),
        xks::Tenants::Secrets{{kId, std::make_shared<const base::Secret>(
                                        base::Secret::CopyOf(kSecret))}}));
  }

  testlib::TempDir folder;
  base::RealClock clock;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<audit::Log> log;
  std::unique_ptr<xks::TenantSource> tenants;
  xks::Quotas quotas{clock};
  Metrics metrics{{}};
};

// One io thread's.
class Front {
 public:
  explicit Front(Shared& shared, std::size_t most_in_flight = 64,
                 std::size_t most_working = 64)
      : shared_(shared),
        hsm_(io_, {.key_store = "none", .supervisor_socket = "/nowhere"},
             shared.clock),
        health_(shared.clock,
                []() -> asio::awaitable<base::Status> {
                  co_return base::Status();
                }),
        proxy_({.io = io_,
                .hsm = hsm_,
                .store = *shared.store,
                .log = *shared.log,
                .clock = shared.clock,
                .health = health_},
               most_working),
        door_(proxy_, *shared.tenants, shared.quotas, shared.metrics,
              shared.clock, most_in_flight) {}

  // How many requests had this answer; 400: they were taken for what they are.
  int Ask(int number, unsigned status = 400) {
    int good = 0;
    asio::co_spawn(io_, AskAll(number, status, good), asio::detached);
    io_.restart();
    io_.run();
    return good;
  }

  void SignFor(std::string region) { region_ = std::move(region); }

  unsigned AskOne(const std::string& target, const std::string& body) {
    unsigned status = 0;
    asio::co_spawn(io_, Post(target, body, status), asio::detached);
    io_.restart();
    io_.run();
    return status;
  }

 private:
  // Each thread has bodies of its own, which are no requestMetadata.
  asio::awaitable<void> AskAll(int number, unsigned status, int& good) {
    for (int i = 0; i < kRequests; ++i) {
      const std::string body =
          "[" + std::to_string(number * kRequests + i) + "]";
      unsigned answered = 0;
      co_await Post(std::string(kTarget), body, answered);
      good += answered == status ? 1 : 0;
    }
  }

  asio::awaitable<void> Post(std::string target, std::string body,
                             unsigned& status) {
    base::Hasher hasher(nullptr);
    base::SigV4Signer signer(hasher, {kId, base::Secret::CopyOf(kSecret), {}},
                             region_, "kms-xks-proxy");
    const Peer peer = {.address = "192.0.2.7", .unix_peer = {}};
    std::vector<base::HeaderView> headers = {{"host", "xks.example.com"}};
    const auto added = testlib::Take(
        signer.Sign({.method = "POST",
                     .path = target,
                     .query = "",
                     .headers = headers,
                     .payload_sha256 = hasher.Sha256(base::AsBytes(body))},
                    shared_.clock.Now()));
    for (const base::Header& header : added) {
      headers.push_back({header.name, header.value});
    }
    const HttpRequest request = {.method = "POST",
                                 .target = target,
                                 .headers = headers,
                                 .body = body,
                                 .peer = peer,
                                 .door = Door::kHttps};
    const HttpResponse response = co_await door_.Handle(request);
    status = response.status;
  }

  Shared& shared_;
  std::string region_ = "us-east-1";
  asio::io_context io_{1};
  hsm::client::Client hsm_;
  xks::Health health_;
  xks::Proxy proxy_;
  XksDoor door_;
};

TEST(XksDoors, EachHashesByItself) {
  Shared shared;
  std::vector<std::unique_ptr<Front>> fronts;
  fronts.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    fronts.push_back(std::make_unique<Front>(shared));
  }
  std::array<int, kThreads> good{};
  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] { good[i] = fronts[i]->Ask(i); });
    }
  }
  for (const int each : good) {
    EXPECT_EQ(each, kRequests);
  }
  shared.log->Close();
}

TEST(XksDoors, WantASignatureForSomeRegion) {
  Shared shared;
  Front front(shared);
  EXPECT_EQ(front.AskOne(std::string(kTarget), "[]"), 400U);
  front.SignFor("");
  EXPECT_EQ(front.AskOne(std::string(kTarget), "[]"), 401U);
  shared.log->Close();
}

// Overload is refused at once, as a quota is (section 5.2).
TEST(XksDoors, RefuseMoreThanTheyTake) {
  Shared shared;
  Front none(shared, 0);
  EXPECT_EQ(none.Ask(0, 429), kRequests);
  shared.log->Close();
}

TEST(XksDoors, LeaveNoMoreToTheTokenThanMayWork) {
  Shared shared;
  ExternalKey key;
  key.tenant = "a";
  key.id = "key-1";
  key.versions.resize(1);
  key.versions[0].version = 1;
  key.versions[0].ref.algorithm = hsm::Algorithm::kXaes256Gcm;
  store::ExternalKeyRows rows = shared.tenants->current()->rows();
  rows.keys = {key};
  shared.Put(std::move(rows));
  Front idle(shared, 64, 0);
  EXPECT_EQ(idle.AskOne("/kms/xks/v1/keys/key-1/encrypt",
                        R"({"requestMetadata": {
                              "awsPrincipalArn": "arn:aws:iam::1:user/a",
                              "kmsOperation": "Encrypt",
                              "kmsRequestId": "1",
                              "kmsKeyArn": "arn:aws:kms:r:1:key/k"},
                            "plaintext": "YQ==",
                            "encryptionAlgorithm": "AES_GCM"})"),
            429U);
  shared.log->Close();
}

// XKS proxy API, "Errors": whatever a proxy refuses, it says in JSON.
TEST(XksDoors, SayInJsonThatABodyIsNotRead) {
  const HttpResponse response = XksDoor::Refuse({413, "too large"});
  EXPECT_EQ(response.status, 501U);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(std::string_view(response.body),
            R"({"errorName":"UnsupportedOperationException",)"
            R"("errorMessage":"the body is larger than what this proxy )"
            R"(takes"})");
  const HttpResponse other = XksDoor::Refuse({431, "the header"});
  EXPECT_EQ(other.status, 431U);
  EXPECT_EQ(std::string_view(other.body), "the header\n");
}

// A credential may have been deleted, or a key disabled.
TEST(XksDoors, AnswerNobodyWhileAChangeIsNotInForce) {
  Shared shared;
  Front front(shared);
  shared.tenants->FallBehind(2);
  EXPECT_EQ(front.Ask(0, 500), kRequests);
  store::ExternalKeyRows rows = shared.tenants->current()->rows();
  rows.revision = 2;
  shared.Put(std::move(rows));
  EXPECT_EQ(front.Ask(1), kRequests);
  shared.log->Close();
}

}  // namespace
}  // namespace kms::http
