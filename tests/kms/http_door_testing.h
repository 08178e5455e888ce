// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMS_HTTP_DOOR_TESTING_H_
#define TESTS_KMS_HTTP_DOOR_TESTING_H_

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/sigv4_signer.h"
#include "kms/http/aws_json.h"
#include "kms/http/query.h"
#include "kms/http/router.h"
#include "kms/identity/principals.h"
#include "tests/kms/http_testing.h"
#include "tests/testlib/status.h"

namespace kms::http {

inline constexpr std::string_view kAccount = "000000000000";
inline constexpr std::string_view kKeyId = "AKIAIOSFODNN7EXAMPLE";
inline constexpr std::string_view kSecret =
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

// Of whom the fixture's uids and certificates are; the last does not exist.
inline constexpr std::string_view kUserArn =
    "arn:aws:iam::000000000000:user/uid-1000";
inline constexpr std::string_view kRoleArn =
    "arn:aws:iam::000000000000:role/night/worker";
inline constexpr std::string_view kGoneArn =
    "arn:aws:iam::000000000000:role/gone";

// A fingerprint of one byte, 32 times.
inline base::Digest DigestOf(std::uint8_t byte) {
  base::Digest digest;
  digest.fill(byte);
  return digest;
}

// Answers with what it was asked, or with what the test has set.
class FakeService final : public Service {
 public:
  struct Seen {
    std::string service;
    std::string operation;
    std::string body;
    std::string region;
    std::string caller;
    std::string source_arn = {};
    BodyForm body_form = BodyForm::kJson;
  };

  boost::asio::awaitable<base::Result<Reply>> Handle(
      const Request& request) override {
    ++calls;
    request_id = request.request_id;
    caller = request.caller;
    seen = {.service = std::string(request.service),
            .operation = std::string(request.operation),
            .body = std::string(request.body),
            .region = std::string(request.region),
            .caller = request.caller.arn,
            .source_arn = std::string(request.source_arn),
            .body_form = request.body_form};
    if (gate != nullptr) {
      boost::system::error_code ignored;
      co_await gate->async_wait(
          boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    }
    if (throws) {
      throw std::runtime_error("secret detail");
    }
    if (error) {
      co_return *error;
    }
    Reply reply;
    if (answer) {
      reply.body.append(*answer);
      co_return reply;
    }
    reply.body.append(request.service).append("|");
    reply.body.append(request.operation).append("|");
    reply.body.append(request.body).append("|");
    reply.body.append(request.region).append("|");
    reply.body.append(request.caller.arn).append("|");
    reply.body.append(request.caller.administrator ? "admin|" : "user|");
    reply.body.append(request.source_address).append("|");
    reply.body.append(request.user_agent);
    co_return reply;
  }
  base::Status Ready() const override { return ready; }

  int calls = 0;
  std::string request_id;
  Caller caller;  // Of the last call.
  Seen seen;      // Of the last call.
  std::optional<std::string> answer;
  std::optional<base::Error> error;
  bool throws = false;
  base::Status ready;
  boost::asio::steady_timer* gate = nullptr;  // Answers when it is cancelled.
};

// What a test sends: a request that is right but for what it changes.
struct Sent {
  std::string method = "POST";
  std::string target = "/";
  std::vector<base::Header> headers = {
      {"host", "localhost"},
      {"content-type", "application/x-amz-json-1.1"},
      {"x-amz-target", "TrentService.Encrypt"}};
  std::string body = "{}";
  Peer peer = {.address = "192.0.2.7", .unix_peer = std::nullopt};
  Door door = Door::kHttp;

  Sent& With(std::string name, std::string value) {
    headers.push_back({std::move(name), std::move(value)});
    return *this;
  }
  Sent& Without(std::string_view name) {
    std::erase_if(headers, [&](const auto& h) { return h.name == name; });
    return *this;
  }
  std::vector<base::HeaderView> Views() const {
    std::vector<base::HeaderView> views;
    for (const auto& [name, value] : headers) {
      views.push_back({name, value});
    }
    return views;
  }
};

// Both doors behind the router, on an io_context of the test's own.
class DoorTest : public testing::Test {
 protected:
  static std::shared_ptr<const identity::Directory> MakeDirectory(
      std::string_view secret) {
    store::IdentityRows rows;
    Entity& user = rows.entities.emplace_back();
    user.id = "AIDAUIDTHOUSAND234567";
    user.account = kAccount;
    user.name = "uid-1000";
    Entity& role = rows.entities.emplace_back();
    role.id = "AROAWORKER";
    role.kind = EntityKind::kRole;
    role.account = kAccount;
    role.name = "worker";
    role.path = "/night/";
    role.trust_policy =
        R"({"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",)"
        R"("Principal":{"AWS":"000000000000"}}]})";
    return DirectoryOf(
        {AccessKeyOf(kKeyId, secret, identity::Administrator(kAccount)),
         AccessKeyOf("AKIAINACTIVE", secret, identity::User(kAccount, "gone"),
                     false)},
        std::move(rows));
  }

  struct Signature {
    std::string id{kKeyId};
    std::string secret{kSecret};
    std::string region = "eu-central-1";
    std::string service = "kms";
    std::string session_token;
    std::chrono::seconds skew{0};
  };

  // Adds the headers that sign `sent` as it is now.
  Sent Sign(Sent sent, const Signature& how) {
    base::SigV4Signer signer(
        base::ThreadHasher(),
        {how.id, base::Secret::CopyOf(how.secret), how.session_token},
        how.region, how.service);
    const auto views = sent.Views();
    const auto headers = testlib::Take(
        signer.Sign({.method = sent.method,
                     .path = sent.target,
                     .query = "",
                     .headers = views,
                     .payload_sha256 =
                         base::ThreadHasher().Sha256(base::AsBytes(sent.body))},
                    clock_.Now() + how.skew));
    sent.headers.insert(sent.headers.end(), headers.begin(), headers.end());
    return sent;
  }
  Sent Sign(Sent sent) { return Sign(std::move(sent), Signature()); }

  static Sent OverUnix(uid_t uid) {
    Sent sent;
    sent.peer = {.address = "unix", .unix_peer = UnixPeer{uid, 4711}};
    sent.door = Door::kUnix;
    return sent;
  }

  HttpResponse Call(const Sent& sent) {
    const auto views = sent.Views();
    const HttpRequest request{.method = sent.method,
                              .target = sent.target,
                              .headers = views,
                              .body = sent.body,
                              .peer = sent.peer,
                              .door = sent.door};
    auto response = boost::asio::co_spawn(io_, router_.Handle(request),
                                          boost::asio::use_future);
    io_.restart();
    io_.run();
    return response.get();
  }

  base::FakeClock clock_{kNoon};
  FakeService service_;
  identity::DirectorySource directory_{MakeDirectory(kSecret)};
  FakeSessions sessions_;
  const std::vector<std::string_view> operations_ = {"Encrypt", "Decrypt"};
  Metrics metrics_{operations_};
  ApiDoor api_{
      service_,
      directory_,
      sessions_,
      metrics_,
      clock_,
      {.local = {.account = std::string(kAccount),
                 .default_region = "us-east-1",
                 .own_uid = 990,
                 .principals = {{1234, "s3.amazonaws.com"},
                                {0, "ec2.amazonaws.com"},
                                {990, "sqs.amazonaws.com"},
                                {2001, std::string(kUserArn)},
                                {2002, std::string(kRoleArn)},
                                {2003, std::string(kGoneArn)}},
                 .certificates = {{DigestOf(1), std::string(kUserArn)},
                                  {DigestOf(2), std::string(kRoleArn)},
                                  {DigestOf(3), std::string(kGoneArn)}}},
       .most_in_flight = 2}};
  AwsJsonDoor json_{api_};
  QueryDoor query_{api_};
  Router router_{json_, query_, metrics_, service_, Observers::kLocal};
  boost::asio::io_context io_;
};

}  // namespace kms::http

#endif  // TESTS_KMS_HTTP_DOOR_TESTING_H_
