// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "tests/kms/http_door_testing.h"

namespace kms::http {
namespace {

using ::base::ErrorCode;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr std::string_view kUuid =
    "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

class AwsJson : public DoorTest {
 protected:
  // The error that is answered, after checking that it looks like AWS's.
  std::string ErrorOf(const Sent& sent, unsigned status = 400) {
    const HttpResponse response = Call(sent);
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.content_type, "application/x-amz-json-1.1");
    EXPECT_THAT(response.extra_headers,
                MatchesRegex("x-amzn-RequestId: .*\r\n"));
    return std::string(response.body);
  }
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
            "arn:aws:iam::000000000000:user/admin|user|192.0.2.7|aws-cli/2");
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

// A role of the directory in force, and temporary credentials for it.
class Sessions : public AwsJson {
 protected:
  Sessions() {
    auto session = std::make_shared<identity::Session>();
    session->access_key_id = "ASIASESSION";
    session->secret = base::Secret::CopyOf(kSecret);
    session->account = kAccount;
    session->principal_id = "AROAROLE";
    session->name = "job";
    session->issued = clock_.Now();
    session->expires = clock_.Now() + std::chrono::hours(1);
    sessions_.sessions["token"] = std::move(session);
    MakeRole("AROAROLE");
  }
  void MakeRole(std::string id) {
    store::IdentityRows rows;
    Entity& role = rows.entities.emplace_back();
    role.id = std::move(id);
    role.kind = EntityKind::kRole;
    role.account = kAccount;
    role.name = "role";
    role.trust_policy = "{}";
    directory_.Replace(DirectoryOf({}, std::move(rows)));
  }
  Sent Signed(std::string id, std::string token) {
    return Sign({}, {.id = std::move(id), .session_token = std::move(token)});
  }
};

TEST_F(Sessions, AreOfWhomTheirTokenNames) {
  const Sent sent = Signed("ASIASESSION", "token");
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(std::string(Call(sent).body),
                HasSubstr("arn:aws:sts::000000000000:assumed-role/role/job"));
  }
  EXPECT_EQ(sessions_.opened, 1);  // It is kept.
  EXPECT_EQ(ErrorOf(Signed("ASIASESSION", "unknown")), kUnrecognized);
  EXPECT_EQ(ErrorOf(Signed("ASIAOTHER", "token")), kUnrecognized);
  EXPECT_EQ(ErrorOf(Sign({}, {.id = "ASIASESSION"})), kUnrecognized);
  EXPECT_THAT(ErrorOf(Sign({}, {.id = "ASIASESSION",
                                .secret = "another",
                                .session_token = "token"})),
              HasSubstr("InvalidSignatureException"));
}

// Whoever has no key must not keep the HSM busy.
TEST_F(Sessions, AreOpenedOnlyForWhatCanBeOne) {
  EXPECT_EQ(ErrorOf(Sign({}, {.session_token = "token"})), kUnrecognized);
  Sent unsigned_request = Signed("ASIASESSION", "token");
  unsigned_request.With("authorization", "AWS4-HMAC-SHA256 nonsense");
  EXPECT_THAT(ErrorOf(unsigned_request),
              HasSubstr("IncompleteSignatureException"));
  EXPECT_EQ(sessions_.opened, 0);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ErrorOf(Signed("ASIASESSION", "unknown")), kUnrecognized);
  }
  EXPECT_EQ(sessions_.opened, 1);
}

TEST_F(Sessions, MayBeOpenedHoweverManyEndedInAnException) {
  sessions_.throws = true;
  for (int i = 0; i < 40; ++i) {
    EXPECT_THROW(Call(Signed("ASIASESSION", "token")), std::runtime_error);
  }
  sessions_.throws = false;
  EXPECT_EQ(Call(Signed("ASIASESSION", "token")).status, 200U);
}

TEST_F(Sessions, KeepNoDirectoryThatIsPast) {
  EXPECT_EQ(Call(Signed("ASIASESSION", "token")).status, 200U);
  const std::weak_ptr<const identity::Directory> past = directory_.current();
  MakeRole("AROAROLE");
  EXPECT_EQ(Call(Signed("ASIASESSION", "token")).status, 200U);
  EXPECT_TRUE(past.expired());
}

TEST_F(Sessions, Expire) {
  clock_.Advance(std::chrono::hours(1) - std::chrono::seconds(1));
  EXPECT_EQ(Call(Signed("ASIASESSION", "token")).status, 200U);
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_EQ(ErrorOf(Signed("ASIASESSION", "token")),
            R"({"__type":"ExpiredTokenException","message":"The security )"
            R"(token included in the request is expired"})");
}

TEST_F(Sessions, EndWhenTheirRoleIsDeletedOrMadeAgain) {
  EXPECT_EQ(Call(Signed("ASIASESSION", "token")).status, 200U);
  MakeRole("AROAAGAIN");
  EXPECT_EQ(ErrorOf(Signed("ASIASESSION", "token")), kUnrecognized);
  MakeRole("AROAROLE");
  EXPECT_EQ(Call(Signed("ASIASESSION", "token")).status, 200U);
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
  EXPECT_THAT(
      ErrorOf(OverUnix(4294967294)),
      AllOf(HasSubstr("UnrecognizedClientException"),
            HasSubstr("user uid-4294967294"), HasSubstr("[peer_principals]")));
}

// Nobody else can know for whom a service acts.
TEST_F(AwsJson, BelievesAServiceForWhatItActs) {
  const auto with = [&](uid_t uid, const char* arn) {
    Sent sent = OverUnix(uid);
    sent.With("x-claviger-source-arn", arn);
    return sent;
  };
  constexpr const char* kTopic = "arn:aws:sns:eu-west-1:000000000000:topic";
  EXPECT_EQ(Call(with(1234, kTopic)).status, 200u);
  EXPECT_EQ(service_.seen.source_arn, kTopic);
  EXPECT_THAT(ErrorOf(with(1234, "topic")), HasSubstr("must be the ARN"));
  EXPECT_THAT(ErrorOf(with(1000, kTopic)),
              HasSubstr("is for services, which [[service_principal]] names"));
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
        "application/x-www-form-urlencode", "application/jsonx"}) {
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
  Router open(json_, query_, metrics_, service_, Observers::kAll);
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

TEST_F(AwsJson, AnswersHeadAsGet) {
  for (const char* const target : {"/healthz", "/readyz", "/metrics"}) {
    Sent sent;
    sent.method = "HEAD";
    sent.target = target;
    EXPECT_EQ(Call(sent).status, 200u) << target;
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
      {"POST", "/metrics", 405, "Allow: GET, HEAD\r\n"},
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
