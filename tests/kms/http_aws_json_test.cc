// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/sigv4_signer.h"
#include "kms/http/aws_json.h"
#include "kms/http/router.h"
#include "kms/identity/principals.h"
#include "tests/kms/http_testing.h"
#include "tests/testlib/status.h"

namespace kms::http {
namespace {

using ::base::ErrorCode;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr std::string_view kAccount = "000000000000";
constexpr std::string_view kKeyId = "AKIAIOSFODNN7EXAMPLE";
constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr std::string_view kUuid =
    "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

// Answers with what it was asked, or with the error that the test has set.
class FakeService final : public Service {
 public:
  boost::asio::awaitable<base::Result<Reply>> Handle(
      const Request& request) override {
    ++calls;
    request_id = request.request_id;
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

class AwsJson : public testing::Test {
 protected:
  static std::shared_ptr<const identity::Directory> MakeDirectory(
      std::string_view secret) {
    store::IdentityRows rows;
    Entity& user = rows.entities.emplace_back();
    user.id = "AIDAUIDTHOUSAND234567";
    user.account = kAccount;
    user.name = "uid-1000";
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

  // The error that is answered, after checking that it looks like AWS's.
  std::string ErrorOf(const Sent& sent, unsigned status = 400) {
    const HttpResponse response = Call(sent);
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.content_type, "application/x-amz-json-1.1");
    EXPECT_THAT(response.extra_headers,
                MatchesRegex("x-amzn-RequestId: .*\r\n"));
    return std::string(response.body);
  }

  base::FakeClock clock_{kNoon};
  FakeService service_;
  identity::DirectorySource directory_{MakeDirectory(kSecret)};
  FakeSessions sessions_;
  const std::vector<std::string_view> operations_ = {"Encrypt", "Decrypt"};
  Metrics metrics_{operations_};
  AwsJsonDoor door_{service_,
                    directory_,
                    sessions_,
                    metrics_,
                    clock_,
                    {.local = {.account = std::string(kAccount),
                               .default_region = "us-east-1",
                               .own_uid = 990,
                               .principals = {{1234, "s3.amazonaws.com"},
                                              {0, "ec2.amazonaws.com"},
                                              {990, "sqs.amazonaws.com"}}},
                     .most_in_flight = 2}};
  Router router_{door_, metrics_, service_, Observers::kLocal};
  boost::asio::io_context io_;
};

constexpr std::string_view kUnrecognized =
    R"({"__type":"UnrecognizedClientException","message":)"
    R"("The security token included in the request is invalid."})";

TEST_F(AwsJson, HandsASignedRequestToTheService) {
  Sent sent;
  sent.body = R"({"KeyId":"alias/a"})";
  const HttpResponse response =
      Call(Sign(sent.With("user-agent", "aws-cli/2")));
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(response.content_type, "application/x-amz-json-1.1");
  EXPECT_EQ(std::string_view(response.body),
            "TrentService|Encrypt|{\"KeyId\":\"alias/a\"}|eu-central-1|"
            "arn:aws:iam::000000000000:user/admin|admin|192.0.2.7|aws-cli/2");
}

TEST_F(AwsJson, GivesEveryRequestAnIdThatTheServiceSees) {
  const HttpResponse first = Call(Sign({}));
  const std::string first_id = service_.request_id;
  EXPECT_EQ(first.extra_headers, "x-amzn-RequestId: " + first_id + "\r\n");
  EXPECT_THAT(first_id, testing::SizeIs(36));
  EXPECT_THAT(first_id, testing::ContainsRegex(std::string(kUuid)));
  Call(Sign({}));
  EXPECT_NE(service_.request_id, first_id);
}

TEST_F(AwsJson, RefusesAnUnsignedRequest) {
  EXPECT_EQ(ErrorOf({}), R"({"__type":"MissingAuthenticationTokenException",)"
                         R"("message":"Missing Authentication Token"})");
  EXPECT_EQ(ErrorOf(Sent().With("authorization", "Basic YTpi")),
            R"({"__type":"MissingAuthenticationTokenException",)"
            R"("message":"Missing Authentication Token"})");
  EXPECT_EQ(service_.calls, 0);
}

TEST_F(AwsJson, RefusesWhatIsNotSignedRight) {
  struct Case {
    const char* what;
    Sent sent;
    const char* type;
    const char* message;
  };
  Sent other_body = Sign({});
  other_body.body = "{ }";
  Sent other_target = Sign({});
  other_target.Without("x-amz-target")
      .With("x-amz-target", "TrentService.Decrypt");
  Sent replayed_later = Sign({}, {.skew = -std::chrono::minutes(6)});
  Sent no_date = Sign({});
  no_date.Without("x-amz-date");
  const Case cases[] = {
      {"a wrong secret", Sign({}, {.secret = "no"}),
       "InvalidSignatureException", "does not match"},
      {"an unknown key", Sign({}, {.id = "AKIAUNKNOWN"}),
       "UnrecognizedClientException", "token included"},
      {"an inactive key", Sign({}, {.id = "AKIAINACTIVE"}),
       "UnrecognizedClientException", "token included"},
      {"a session token", Sign({}, {.session_token = "token"}),
       "UnrecognizedClientException", "token included"},
      {"an old date", replayed_later, "InvalidSignatureException",
       "Signature expired: 20261122T115400Z is now earlier than"},
      {"a future date", Sign({}, {.skew = std::chrono::minutes(6)}),
       "InvalidSignatureException", "Signature not yet current"},
      {"another service", Sign({}, {.service = "s3"}),
       "InvalidSignatureException", "correct service: 'kms'"},
      {"another body", other_body, "InvalidSignatureException",
       "does not match"},
      {"another operation", other_target, "InvalidSignatureException",
       "does not match"},
      {"a header that is not signed", Sign({}).With("x-amz-meta", "unsigned"),
       "InvalidSignatureException", "SignedHeader"},
      {"no date", no_date, "IncompleteSignatureException", "X-Amz-Date"},
      {"a broken header",
       Sent().With("authorization", "AWS4-HMAC-SHA256 Credential=a"),
       "IncompleteSignatureException", "Authorization"},
      {"another algorithm",
       Sent().With("authorization", "AWS4-ECDSA-P256-SHA256 Credential=a"),
       "IncompleteSignatureException", "algorithm"},
      {"two signatures", Sign({}).With("authorization", "AWS4-HMAC-SHA256 a=b"),
       "IncompleteSignatureException", "more than one"},
  };
  for (const Case& c : cases) {
    const std::string error = ErrorOf(c.sent);
    EXPECT_THAT(error, HasSubstr(std::string("\"__type\":\"") + c.type + "\""))
        << c.what;
    EXPECT_THAT(error, HasSubstr(c.message)) << c.what;
  }
  EXPECT_EQ(service_.calls, 0);
  EXPECT_EQ(ErrorOf(cases[1].sent), kUnrecognized);
}

TEST_F(AwsJson, ForgetsASecretThatWasReplaced) {
  const Sent sent = Sign({});
  EXPECT_EQ(Call(sent).status, 200u);
  directory_.Replace(MakeDirectory("another secret"));
  EXPECT_THAT(ErrorOf(sent), HasSubstr("InvalidSignatureException"));
  EXPECT_EQ(Call(Sign({}, {.secret = "another secret"})).status, 200u);
}

TEST_F(AwsJson, TrustsTheKernelOnTheUnixSocket) {
  const auto who = [&](uid_t uid) {
    const HttpResponse response = Call(OverUnix(uid));
    EXPECT_EQ(response.status, 200u);
    return std::string(response.body);
  };
  EXPECT_EQ(who(0),
            "TrentService|Encrypt|{}|us-east-1|"
            "arn:aws:iam::000000000000:user/admin|admin|unix|");
  EXPECT_THAT(who(990), HasSubstr("user/admin|admin|"));
  EXPECT_THAT(who(1000), HasSubstr("user/uid-1000|user|"));
  // Nobody has made that user.
  EXPECT_THAT(ErrorOf(OverUnix(4294967294)),
              AllOf(HasSubstr("UnrecognizedClientException"),
                    HasSubstr("user uid-4294967294"),
                    HasSubstr("[peer_principals]")));
}

TEST_F(AwsJson, AUidMayStandForAServicePrincipal) {
  EXPECT_EQ(std::string(Call(OverUnix(1234)).body),
            "TrentService|Encrypt|{}|us-east-1|s3.amazonaws.com|user|unix|");
  // Root and the server itself stay who they are.
  EXPECT_THAT(std::string(Call(OverUnix(0)).body), HasSubstr("|admin|"));
  EXPECT_THAT(std::string(Call(OverUnix(990)).body), HasSubstr("|admin|"));
}

TEST_F(AwsJson, TakesTheRegionOfTheUnixSocketFromAHeader) {
  const auto with = [](std::string region) {
    return OverUnix(0).With("x-claviger-region", std::move(region));
  };
  EXPECT_THAT(std::string(Call(with("ap-south-1")).body),
              HasSubstr("|ap-south-1|"));
  for (const char* bad : {"", "EU", "a b", "a/b", "a:b", "é"}) {
    EXPECT_THAT(ErrorOf(with(bad)),
                HasSubstr("\"__type\":\"ValidationException\""))
        << bad;
  }
  EXPECT_THAT(ErrorOf(with(std::string(33, 'a'))),
              HasSubstr("ValidationException"));
}

TEST_F(AwsJson, IgnoresTheRegionHeaderOfASignedRequest) {
  EXPECT_THAT(
      std::string(
          Call(Sign(Sent().With("x-claviger-region", "us-west-2"))).body),
      HasSubstr("|eu-central-1|"));
}

TEST_F(AwsJson, PrefersASignatureOnTheUnixSocket) {
  EXPECT_THAT(std::string(Call(Sign(OverUnix(1000))).body),
              HasSubstr("|eu-central-1|arn:aws:iam::000000000000:user/admin|"));
  // Root's word does not mend a broken signature.
  EXPECT_THAT(ErrorOf(Sign(OverUnix(0), {.secret = "no"})),
              HasSubstr("InvalidSignatureException"));
}

TEST_F(AwsJson, KnowsNoOperationWithoutATarget) {
  for (const char* target : {"", "Encrypt", ".Encrypt", "TrentService."}) {
    Sent sent = OverUnix(0);
    sent.Without("x-amz-target").With("x-amz-target", target);
    EXPECT_EQ(ErrorOf(sent), R"({"__type":"UnknownOperationException"})");
  }
  EXPECT_EQ(ErrorOf(OverUnix(0).Without("x-amz-target")),
            R"({"__type":"UnknownOperationException"})");
  EXPECT_THAT(ErrorOf(OverUnix(0).With("x-amz-target", "TrentService.Decrypt")),
              HasSubstr("SerializationException"));
}

TEST_F(AwsJson, SplitsTheTargetAtTheFirstDot) {
  Sent sent = OverUnix(0);
  sent.Without("x-amz-target").With("x-amz-target", "Claviger.A.b");
  EXPECT_THAT(std::string(Call(sent).body), HasSubstr("Claviger|A.b|"));
}

TEST_F(AwsJson, TakesJsonOnly) {
  const auto with = [](std::string type) {
    return OverUnix(0)
        .Without("content-type")
        .With("content-type", std::move(type));
  };
  for (const char* good :
       {"application/x-amz-json-1.1", "application/json",
        "Application/JSON; charset=utf-8", "application/json ;x"}) {
    EXPECT_EQ(Call(with(good)).status, 200u) << good;
  }
  for (const char* bad :
       {"", "text/plain", "application/x-amz-json-1.0",
        "application/x-www-form-urlencoded", "application/jsonx"}) {
    EXPECT_THAT(ErrorOf(with(bad)), HasSubstr("SerializationException")) << bad;
  }
  EXPECT_THAT(ErrorOf(OverUnix(0).Without("content-type")),
              HasSubstr("application/x-amz-json-1.1"));
}

TEST_F(AwsJson, SpellsAccessDeniedInAwssWay) {
  service_.error = base::Error{ErrorCode::kAccessDenied, "User: \"x\" may not"};
  EXPECT_EQ(ErrorOf(Sign({})), R"({"__type":"AccessDeniedException",)"
                               R"("Message":"User: \"x\" may not"})");
}

TEST_F(AwsJson, OmitsAMessageThatIsNotThere) {
  service_.error = base::Error{ErrorCode::kInvalidCiphertext, ""};
  EXPECT_EQ(ErrorOf(Sign({})), R"({"__type":"InvalidCiphertextException"})");
}

TEST_F(AwsJson, KeepsOurOwnTroublesToItself) {
  for (const ErrorCode code :
       {ErrorCode::kInternal, ErrorCode::kStoreUnavailable,
        ErrorCode::kAuditUnavailable, ErrorCode::kCorrupt, ErrorCode::kIo,
        ErrorCode::kInvalidArgument, ErrorCode::kHsmUnavailable,
        ErrorCode::kTimeout, ErrorCode::kBusy}) {
    service_.error = base::Error{code, "/var/lib/claviger/x.db is on fire"};
    const std::string error = ErrorOf(Sign({}), 500);
    EXPECT_THAT(error, Not(HasSubstr("fire"))) << error;
    EXPECT_THAT(error, HasSubstr("\"message\":\"")) << error;
  }
}

TEST_F(AwsJson, AnswersAnExceptionAsAnInternalError) {
  service_.throws = true;
  const std::string error = ErrorOf(Sign({}), 500);
  EXPECT_THAT(error, HasSubstr("\"__type\":\"KMSInternalException\""));
  EXPECT_THAT(error, Not(HasSubstr("secret detail")));
}

TEST_F(AwsJson, ThrottlesWhenTooManyAreBeingAnswered) {
  // Three at once, where two may be; the Service answers none until all wait.
  boost::asio::steady_timer gate(io_,
                                 boost::asio::steady_timer::time_point::max());
  service_.gate = &gate;
  const Sent sent = OverUnix(0);
  const auto views = sent.Views();
  const HttpRequest request{.method = sent.method,
                            .target = sent.target,
                            .headers = views,
                            .body = sent.body,
                            .peer = sent.peer,
                            .door = sent.door};
  std::vector<std::future<HttpResponse>> responses;
  responses.reserve(3);
  for (int i = 0; i < 3; ++i) {
    responses.push_back(boost::asio::co_spawn(io_, router_.Handle(request),
                                              boost::asio::use_future));
  }
  boost::asio::post(io_, [&] { gate.cancel(); });
  io_.run();
  EXPECT_EQ(responses[0].get().status, 200u);
  EXPECT_EQ(responses[1].get().status, 200u);
  const HttpResponse third = responses[2].get();
  EXPECT_EQ(third.status, 400u);
  EXPECT_EQ(std::string_view(third.body),
            R"({"__type":"ThrottlingException","message":)"
            R"("You have exceeded the rate at which you may call KMS. )"
            R"(Reduce the frequency of your calls."})");
  service_.gate = nullptr;
  EXPECT_EQ(Call(sent).status, 200u);
}

TEST_F(AwsJson, CountsWhatItAnswers) {
  Call(Sign({}));
  service_.error = base::Error{ErrorCode::kAccessDenied, "no"};
  Call(Sign({}));
  Call(Sent());
  Sent unknown = OverUnix(0);
  unknown.Without("x-amz-target").With("x-amz-target", "TrentService.Made_up");
  Call(unknown);
  const std::string text = metrics_.Text();
  for (const char* line :
       {"claviger_requests_total{operation=\"Encrypt\",outcome=\"Success\"} 1",
        "claviger_requests_total{operation=\"Encrypt\",outcome="
        "\"AccessDeniedException\"} 1",
        "claviger_requests_total{operation=\"Encrypt\",outcome="
        "\"MissingAuthenticationTokenException\"} 1",
        "claviger_requests_total{operation=\"Unknown\",outcome="
        "\"AccessDeniedException\"} 1",
        "claviger_denials_total{operation=\"Encrypt\"} 1",
        "claviger_authentication_failures_total{reason="
        "\"MissingAuthenticationTokenException\"} 1",
        "claviger_request_duration_seconds_count{operation=\"Encrypt\"} 3",
        "claviger_http_requests_in_flight 0"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(AwsJson, ShowsMetricsHealthAndReadinessWithoutASignature) {
  Sent sent;
  sent.method = "GET";
  sent.target = "/healthz";
  EXPECT_EQ(Call(sent).status, 200u);
  sent.target = "/readyz";
  EXPECT_EQ(Call(sent).status, 200u);
  service_.ready = base::Error{ErrorCode::kHsmUnavailable, "no worker is up"};
  const HttpResponse not_ready = Call(sent);
  EXPECT_EQ(not_ready.status, 503u);
  EXPECT_EQ(std::string_view(not_ready.body), "no worker is up\n");
  sent.target = "/healthz";
  EXPECT_EQ(Call(sent).status, 200u);
  sent.target = "/metrics";
  const HttpResponse metrics = Call(sent);
  EXPECT_EQ(metrics.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(std::string(metrics.body),
              HasSubstr("# TYPE claviger_requests_total counter"));
}

TEST_F(AwsJson, HidesThemBehindTlsUnlessTold) {
  Router open(door_, metrics_, service_, Observers::kAll);
  for (const char* path : {"/metrics", "/healthz", "/readyz"}) {
    Sent sent;
    sent.method = "GET";
    sent.target = path;
    sent.door = Door::kHttps;
    EXPECT_EQ(Call(sent).status, 404u);
    sent.door = Door::kUnix;
    EXPECT_EQ(Call(sent).status, 200u);
    const HttpRequest request{.method = sent.method,
                              .target = sent.target,
                              .headers = {},
                              .body = {},
                              .peer = sent.peer,
                              .door = Door::kHttps};
    auto response = boost::asio::co_spawn(io_, open.Handle(request),
                                          boost::asio::use_future);
    io_.restart();
    io_.run();
    EXPECT_EQ(response.get().status, 200u);
  }
}

TEST_F(AwsJson, ServesNothingElse) {
  struct Case {
    const char* method;
    const char* target;
    unsigned status;
    const char* extra_headers;
  };
  constexpr Case kCases[] = {
      {"GET", "/", 405, "Allow: POST\r\n"},
      {"HEAD", "/", 405, "Allow: POST\r\n"},
      {"PUT", "/", 405, "Allow: POST\r\n"},
      {"OPTIONS", "/", 405, "Allow: POST\r\n"},
      {"POST", "/metrics", 405, "Allow: GET\r\n"},
      {"HEAD", "/healthz", 405, "Allow: GET\r\n"},
      {"POST", "/other", 404, ""},
      {"GET", "/metrics/", 404, ""},
      {"GET", "/metrics?a", 404, ""},
      {"POST", "//", 404, ""},
      {"GET", "*", 404, ""},
  };
  for (const Case& c : kCases) {
    Sent sent;
    sent.method = c.method;
    sent.target = c.target;
    const HttpResponse response = Call(sent);
    EXPECT_EQ(response.status, c.status) << c.method << " " << c.target;
    EXPECT_EQ(response.extra_headers, c.extra_headers);
  }
}

}  // namespace
}  // namespace kms::http
