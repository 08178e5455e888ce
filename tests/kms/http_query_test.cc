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
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kIdentityCall =
    "Action=GetCallerIdentity&Version=2011-06-15";
constexpr std::string_view kCreateUser =
    "Action=CreateUser&Version=2010-05-08&UserName=x";
constexpr const char* kIam = "https://iam.amazonaws.com/doc/2010-05-08/";
constexpr const char* kSts = "https://sts.amazonaws.com/doc/2011-06-15/";
constexpr const char* kFault =
    "http://webservices.amazon.com/AWSFault/2005-15-09";

Sent FormOf(std::string_view body,
            std::string type = "application/x-www-form-urlencoded") {
  Sent sent;
  sent.headers = {{"host", "localhost"}, {"content-type", std::move(type)}};
  sent.body = body;
  return sent;
}

Sent OnSocket(Sent sent, uid_t uid = 0) {
  sent.peer = {.address = "unix", .unix_peer = UnixPeer{uid, 4711}};
  sent.door = Door::kUnix;
  return sent;
}

class Query : public DoorTest {
 protected:
  Query() { service_.answer = ""; }

  Sent SignFor(std::string service, std::string_view body) {
    return Sign(FormOf(body),
                {.region = "us-east-1", .service = std::move(service)});
  }

  std::string TextOf(const Sent& sent, unsigned status = 200) {
    const HttpResponse response = Call(sent);
    EXPECT_EQ(response.status, status) << sent.body;
    EXPECT_EQ(response.content_type, "text/xml");
    EXPECT_THAT(response.extra_headers, StartsWith("x-amzn-RequestId: "));
    std::string text(response.body);
    // The request's id, which the header has as well, stands for itself.
    const std::string id = response.extra_headers.substr(18, 36);
    const auto at = text.find("<RequestId>" + id + "</RequestId>");
    EXPECT_NE(at, std::string::npos) << text;
    return at == std::string::npos ? text : text.replace(at + 11, 36, "ID");
  }

  static std::string ErrorText(const std::string& xmlns,
                               const std::string& type, const std::string& code,
                               const std::string& message) {
    return "<ErrorResponse xmlns=\"" + xmlns + "\"><Error><Type>" + type +
           "</Type><Code>" + code + "</Code><Message>" + message +
           "</Message></Error><RequestId>ID</RequestId></ErrorResponse>";
  }
};

TEST_F(Query, HandsASignedFormToTheService) {
  Call(SignFor("sts", kIdentityCall));
  EXPECT_EQ(service_.seen.service, "STS");
  EXPECT_EQ(service_.seen.operation, "GetCallerIdentity");
  EXPECT_EQ(service_.seen.body, kIdentityCall);
  EXPECT_EQ(service_.seen.region, "us-east-1");
  EXPECT_EQ(service_.seen.caller, "arn:aws:iam::000000000000:user/admin");
  EXPECT_EQ(service_.seen.body_form, BodyForm::kQuery);
  Call(SignFor("iam", kCreateUser));
  EXPECT_EQ(service_.seen.service, "IAM");
  EXPECT_EQ(service_.seen.operation, "CreateUser");
  Call(Sign(Sent()));
  EXPECT_EQ(service_.seen.service, "TrentService");
  EXPECT_EQ(service_.seen.body_form, BodyForm::kJson);
}

TEST_F(Query, AnswersInXml) {
  service_.answer =
      R"({"Arn":"arn:aws:iam::000000000000:user/a&b","UserId":"AIDA",)"
      R"("Tags":[{"Key":"k","Value":"<v>"}]})";
  EXPECT_EQ(TextOf(SignFor("sts", kIdentityCall)),
            std::string("<GetCallerIdentityResponse xmlns=\"") + kSts +
                "\"><GetCallerIdentityResult>"
                "<Arn>arn:aws:iam::000000000000:user/a&amp;b</Arn>"
                "<Tags><member><Key>k</Key><Value>&lt;v&gt;</Value></member>"
                "</Tags><UserId>AIDA</UserId></GetCallerIdentityResult>"
                "<ResponseMetadata><RequestId>ID</RequestId>"
                "</ResponseMetadata></GetCallerIdentityResponse>");
}

TEST_F(Query, HasNoResultWhereThereIsNoBody) {
  EXPECT_EQ(TextOf(SignFor("iam", kCreateUser)),
            std::string("<CreateUserResponse xmlns=\"") + kIam +
                "\"><ResponseMetadata><RequestId>ID</RequestId>"
                "</ResponseMetadata></CreateUserResponse>");
  service_.answer = "{}";
  EXPECT_THAT(TextOf(SignFor("iam", kCreateUser)),
              HasSubstr("<CreateUserResult></CreateUserResult>"));
}

TEST_F(Query, TakesASignatureForItsServiceOnly) {
  struct Case {
    const char* signed_for;
    std::string_view body;
    const char* expected;
  };
  constexpr Case kCases[] = {{"kms", kIdentityCall, "sts"},
                             {"iam", kIdentityCall, "sts"},
                             {"STS", kIdentityCall, "sts"},
                             {"sts", kCreateUser, "iam"},
                             {"kms", kCreateUser, "iam"}};
  for (const Case& c : kCases) {
    const std::string error = TextOf(SignFor(c.signed_for, c.body), 403);
    EXPECT_THAT(error, HasSubstr("<Code>SignatureDoesNotMatch</Code>"));
    EXPECT_THAT(error, HasSubstr(std::string("correct service: &apos;") +
                                 c.expected + "&apos;"));
  }
  // And at the other door.
  for (const char* service : {"iam", "sts"}) {
    const HttpResponse response = Call(Sign(Sent(), {.service = service}));
    EXPECT_EQ(response.status, 400u);
    EXPECT_THAT(std::string(response.body), HasSubstr("service: 'kms'"));
  }
  EXPECT_EQ(service_.calls, 0);
}

TEST_F(Query, RefusesWhoCannotBeAuthenticated) {
  EXPECT_EQ(TextOf(FormOf(kIdentityCall), 403),
            ErrorText(kSts, "Sender", "MissingAuthenticationToken",
                      "Missing Authentication Token"));
  Sent other_body = SignFor("sts", kIdentityCall);
  other_body.body += "&a=b";
  EXPECT_THAT(TextOf(other_body, 403), HasSubstr(">SignatureDoesNotMatch<"));
  EXPECT_EQ(
      TextOf(Sign(FormOf(kCreateUser), {.id = "AKIAUNKNOWN", .service = "iam"}),
             403),
      ErrorText(kIam, "Sender", "InvalidClientTokenId",
                "The security token included in the request is "
                "invalid."));
  EXPECT_THAT(
      TextOf(FormOf(kCreateUser)
                 .With("authorization", "AWS4-HMAC-SHA256 Credential=a"),
             400),
      HasSubstr("<Code>IncompleteSignature</Code>"));
  EXPECT_EQ(service_.calls, 0);
  EXPECT_THAT(metrics_.Text(),
              HasSubstr("claviger_authentication_failures_total{reason="
                        "\"MissingAuthenticationTokenException\"} 1"));
}

TEST_F(Query, LooksAtNoSignatureWhereATokenSaysWhoAsks) {
  service_.answer = "{}";
  const std::string form =
      "Action=AssumeRoleWithWebIdentity&Version=2011-06-15";
  for (const Sent& sent : {SignFor("sts", form), OnSocket(FormOf(form))}) {
    EXPECT_EQ(Call(sent).status, 200u);
    EXPECT_EQ(service_.caller.kind, CallerKind::kAnonymous);
    EXPECT_EQ(service_.caller.policies, nullptr);
  }
}

TEST_F(Query, TrustsTheKernelOnTheUnixSocket) {
  EXPECT_EQ(Call(OnSocket(FormOf(kIdentityCall), 1000)).status, 200u);
  EXPECT_EQ(service_.seen.caller, "arn:aws:iam::000000000000:user/uid-1000");
  EXPECT_THAT(
      TextOf(OnSocket(FormOf(kIdentityCall)).With("x-claviger-region", "EU"),
             400),
      HasSubstr("<Code>ValidationError</Code>"));
}

TEST_F(Query, KnowsNoOperationWithoutItsVersion) {
  struct Case {
    std::string body;
    const char* xmlns;
    std::string message;
  };
  const std::string long_name(4000, 'A');
  const Case cases[] = {
      {"Action=A", kFault,
       "Could not find operation A for version NO_VERSION_SPECIFIED"},
      {"Action=A&Version=2012-11-05", kFault,
       "Could not find operation A for version 2012-11-05"},
      {"Version=2010-05-08", kIam,
       "Could not find operation  for version 2010-05-08"},
      {"", kFault,
       "Could not find operation  for version NO_VERSION_SPECIFIED"},
      {"Action=%3Cx%3E&Version=2011-06-15", kSts,
       "Could not find operation &lt;x&gt; for version 2011-06-15"},
      {"Action=a:b&Version=2011-06-15", kSts,
       "Could not find operation a:b for version 2011-06-15"},
      {"Action=" + long_name + "&Version=" + long_name, kFault,
       "Could not find operation " + long_name.substr(0, 128) +
           " for version " + long_name.substr(0, 128)},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(TextOf(OnSocket(FormOf(c.body)), 400),
              ErrorText(c.xmlns, "Sender", "InvalidAction", c.message));
  }
  EXPECT_EQ(service_.calls, 0);
  service_.error = base::Error{ErrorCode::kUnknownOperation, ""};
  EXPECT_EQ(TextOf(SignFor("iam", kCreateUser), 400),
            ErrorText(kIam, "Sender", "InvalidAction",
                      "Could not find operation CreateUser for version "
                      "2010-05-08"));
}

TEST_F(Query, TellsErrorsAsAwsDoes) {
  service_.error = base::Error{ErrorCode::kNotFound,
                               "The user with name \x01<x> cannot be found."};
  EXPECT_EQ(TextOf(SignFor("iam", kCreateUser), 404),
            ErrorText(kIam, "Sender", "NoSuchEntity",
                      "The user with name \xEF\xBF\xBD&lt;x&gt; cannot be "
                      "found."));
  service_.error = base::Error{ErrorCode::kAccessDenied, "no"};
  EXPECT_EQ(TextOf(SignFor("sts", kIdentityCall), 403),
            ErrorText(kSts, "Sender", "AccessDenied", "no"));
}

TEST_F(Query, KeepsOurOwnTroublesToItself) {
  for (const ErrorCode code :
       {ErrorCode::kInternal, ErrorCode::kStoreUnavailable,
        ErrorCode::kAuditUnavailable, ErrorCode::kCorrupt, ErrorCode::kIo,
        ErrorCode::kInvalidArgument, ErrorCode::kBusy}) {
    service_.error = base::Error{code, "/var/lib/claviger/x.db is on fire"};
    const std::string error = TextOf(SignFor("iam", kCreateUser), 500);
    EXPECT_THAT(error, Not(HasSubstr("fire")));
    EXPECT_THAT(error, HasSubstr("<Type>Receiver</Type>"));
  }
  service_.error = std::nullopt;
  service_.throws = true;
  EXPECT_THAT(TextOf(SignFor("iam", kCreateUser), 500),
              Not(HasSubstr("secret detail")));
}

TEST_F(Query, AnswersAReplyThatIsNoXmlAsAnInternalError) {
  for (const char* bad : {"no JSON", "[]", R"({"a b":"hunter2"})"}) {
    service_.answer = bad;
    const std::string error = TextOf(SignFor("iam", kCreateUser), 500);
    EXPECT_THAT(error, StartsWith("<ErrorResponse xmlns="));
    EXPECT_THAT(error, HasSubstr("<Code>InternalFailure</Code>"));
    EXPECT_THAT(error, Not(HasSubstr("hunter2")));
  }
}

TEST_F(Query, IsChosenByTheContentType) {
  for (const char* good : {"application/x-www-form-urlencoded",
                           "application/x-www-form-urlencoded; charset=utf-8",
                           "Application/X-WWW-Form-Urlencoded ;x"}) {
    EXPECT_EQ(Call(OnSocket(FormOf(kCreateUser, good))).content_type,
              "text/xml");
  }
  for (const char* other :
       {"", "text/xml", "application/json",
        "application/x-www-form-urlencoded2", "multipart/form-data"}) {
    EXPECT_EQ(Call(OnSocket(FormOf(kCreateUser, other))).content_type,
              "application/x-amz-json-1.1")
        << other;
  }
  const Sent twice =
      OnSocket(FormOf(kCreateUser)).With("content-type", "application/json");
  EXPECT_EQ(TextOf(twice, 400),
            ErrorText(kIam, "Sender", "MalformedInput",
                      "the header content-type comes twice"));
  Sent get = OnSocket(FormOf(""));
  get.method = "GET";
  EXPECT_EQ(Call(get).status, 405u);
}

TEST_F(Query, RefusesWhatIsNoForm) {
  for (const char* body :
       {"Action=CreateUser&Version=2010-05-08&Version=2011-06-15", "Action",
        "&", "Action=%", "Action=%FF", "{}", "\xFF=\xFF"}) {
    EXPECT_THAT(TextOf(SignFor("iam", body), 400),
                StartsWith(std::string("<ErrorResponse xmlns=\"") + kFault +
                           "\"><Error><Type>Sender</Type>"
                           "<Code>MalformedInput</Code><Message>parameter "))
        << body;
  }
  EXPECT_EQ(service_.calls, 0);
}

// Each byte of a good request, changed in each bit.
TEST_F(Query, AnswersGarbageWithAnErrorOrAnAnswer) {
  const std::string good(kCreateUser);
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[i] =
          static_cast<char>(static_cast<unsigned char>(bad[i]) ^ (1U << bit));
      const HttpResponse response = Call(OnSocket(FormOf(bad)));
      EXPECT_TRUE(response.status == 200u || response.status == 400u) << bad;
      EXPECT_EQ(response.content_type, "text/xml");
    }
  }
}

TEST_F(Query, SharesTheBoundOfRequestsWithTheOtherDoor) {
  boost::asio::steady_timer gate(io_,
                                 boost::asio::steady_timer::time_point::max());
  service_.gate = &gate;
  const Sent sents[] = {OverUnix(0), OnSocket(FormOf(kCreateUser)),
                        OnSocket(FormOf(kCreateUser))};
  std::vector<std::vector<base::HeaderView>> views;
  std::vector<HttpRequest> requests;
  for (const Sent& sent : sents) {
    views.push_back(sent.Views());
  }
  for (std::size_t i = 0; i < views.size(); ++i) {
    requests.push_back({.method = sents[i].method,
                        .target = sents[i].target,
                        .headers = views[i],
                        .body = sents[i].body,
                        .peer = sents[i].peer,
                        .door = sents[i].door});
  }
  std::vector<std::future<HttpResponse>> responses;
  responses.reserve(requests.size());
  for (const HttpRequest& request : requests) {
    responses.push_back(boost::asio::co_spawn(io_, router_.Handle(request),
                                              boost::asio::use_future));
  }
  boost::asio::post(io_, [&] { gate.cancel(); });
  io_.run();
  EXPECT_EQ(responses[0].get().status, 200u);
  EXPECT_EQ(responses[1].get().status, 200u);
  const HttpResponse third = responses[2].get();
  EXPECT_EQ(third.status, 400u);
  EXPECT_THAT(std::string(third.body),
              HasSubstr("<Code>Throttling</Code><Message>You have exceeded "
                        "the rate at which you may call IAM. Reduce"));
}

TEST_F(Query, CountsUnderTheOperationsName) {
  Call(OnSocket(FormOf("Action=Encrypt&Version=2010-05-08")));
  Call(OnSocket(FormOf("Action=Made_up&Version=2010-05-08")));
  service_.error = base::Error{ErrorCode::kNotFound, "no"};
  Call(OnSocket(FormOf("Action=Encrypt&Version=2010-05-08")));
  for (const char* line :
       {"claviger_requests_total{operation=\"Encrypt\",outcome=\"Success\"} 1",
        "claviger_requests_total{operation=\"Unknown\",outcome=\"Success\"} 1",
        "claviger_requests_total{operation=\"Encrypt\",outcome="
        "\"NotFoundException\"} 1",
        "claviger_http_requests_in_flight 0"}) {
    EXPECT_THAT(metrics_.Text(), HasSubstr(line));
  }
}

}  // namespace
}  // namespace kms::http
