// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/login_kms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "pkcs11/errors.h"
#include "tests/kms/client_server.h"
#include "tests/testlib/status.h"

namespace pkcs11::module {
namespace {

using base::ErrorCode;
using kms::client::Reply;
using testing::HasSubstr;
using testlib::IsOk;
using testlib::StatusIs;

constexpr const char* kNotFound = R"({"__type":"NotFoundException"})";
constexpr const char* kKeys = R"({"Keys":[]})";

base::SigV4Credentials Credentials(const std::string& id = "AKIAGOOD") {
  return {id, base::Secret::CopyOf("secret"), "token"};
}

class LoginKmsTest : public testing::Test {
 protected:
  // A server that gives these replies, each on a connection of its own, and
  // keeps the requests.
  kms::client::ScriptedServer Server(std::vector<std::string> replies) {
    std::vector<kms::client::ScriptedServer::Script> scripts;
    scripts.reserve(replies.size());
    for (std::string& reply : replies) {
      scripts.emplace_back(
          [this, reply = std::move(reply)](kms::client::Peer& peer) {
            requests_.push_back(peer.ReadRequest());
            peer.Send(reply);
          });
    }
    return kms::client::ScriptedServer(std::move(scripts));
  }

  base::RealClock clock_;
  std::vector<std::string> requests_;
};

LoginPlace PlaceOf(const kms::client::ScriptedServer& server) {
  return {server.endpoint(), "eu-west-1", "", "a-key"};
}

// The server closes after each reply, so that nothing is kept.
std::string Last(std::string_view body, int status = 200) {
  std::string reply = Reply(body, status);
  reply.insert(reply.find("\r\n") + 2, "Connection: close\r\n");
  return reply;
}

TEST_F(LoginKmsTest, CallsNobodyBeforeALogin) {
  LoginKms kms({{}, "us-east-1", "", "a-key"}, clock_);
  EXPECT_THAT(kms.Call("ListKeys", base::Json::object()),
              StatusIs(ErrorCode::kMissingAuthentication));
  EXPECT_THAT(kms.CheckLogin(Credentials()),
              StatusIs(ErrorCode::kUnrecognizedClient));
}

TEST_F(LoginKmsTest, SignsAsWhoLoggedInUntilTheLogout) {
  {
    const auto server = Server({Last(kNotFound, 400), Last(kKeys)});
    LoginKms kms(PlaceOf(server), clock_);
    ASSERT_THAT(kms.LogIn(Credentials()), IsOk());
    EXPECT_THAT(kms.LogIn(Credentials()), StatusIs(ErrorCode::kAlreadyExists));
    EXPECT_THAT(kms.Call("ListKeys", base::Json::object()), IsOk());
    std::shared_ptr<void> forgotten;
    {
      const StateLock lock;
      forgotten = kms.LogOut(lock);
    }
    EXPECT_NE(forgotten, nullptr);
    EXPECT_THAT(kms.Call("ListKeys", base::Json::object()),
                StatusIs(ErrorCode::kMissingAuthentication));
  }
  ASSERT_EQ(requests_.size(), 2U);
  EXPECT_THAT(requests_[0], HasSubstr("TrentService.DescribeKey"));
  EXPECT_THAT(requests_[0], HasSubstr("\"a-key\""));
  for (const std::string& request : requests_) {
    EXPECT_THAT(request, HasSubstr("Credential=AKIAGOOD/"));
    EXPECT_THAT(request, HasSubstr("/eu-west-1/kms/"));
    EXPECT_THAT(request, testing::Not(HasSubstr("secret")));
  }
}

TEST_F(LoginKmsTest, TakesAnswersThatOnlyTheKnownGet) {
  for (const char* const type :
       {"NotFoundException", "AccessDeniedException"}) {
    const auto server =
        Server({Last(R"({"__type":")" + std::string(type) + R"("})", 400)});
    LoginKms kms(PlaceOf(server), clock_);
    EXPECT_THAT(kms.LogIn(Credentials()), IsOk()) << type;
    EXPECT_EQ(kms.LastFailure(), 0);
  }
  const auto server = Server({Last(R"({"KeyMetadata":{}})")});
  LoginKms kms(PlaceOf(server), clock_);
  EXPECT_THAT(kms.LogIn(Credentials()), IsOk());
}

TEST_F(LoginKmsTest, RefusesWhatTheServerDoesNotKnow) {
  const struct {
    const char* type;
    CK_RV rv;
  } cases[] = {
      {"UnrecognizedClientException", CKR_USER_NOT_LOGGED_IN},
      {"InvalidSignatureException", CKR_USER_NOT_LOGGED_IN},
      {"IncompleteSignatureException", CKR_USER_NOT_LOGGED_IN},
      {"MissingAuthenticationTokenException", CKR_USER_NOT_LOGGED_IN},
      {"ExpiredTokenException", CKR_USER_NOT_LOGGED_IN},
      {"KMSInternalException", CKR_DEVICE_ERROR},
      {"ValidationException", CKR_FUNCTION_FAILED},
      {"SomethingNew", CKR_DEVICE_ERROR},
  };
  for (const auto& each : cases) {
    const auto server = Server(
        {Last(R"({"__type":")" + std::string(each.type) + R"("})", 403)});
    LoginKms kms(PlaceOf(server), clock_);
    const base::Status status = kms.LogIn(Credentials());
    ASSERT_FALSE(status.has_value()) << each.type;
    EXPECT_EQ(RvOf(status.error().code), each.rv) << each.type;
    EXPECT_EQ(kms.LastFailure(), 403);
    EXPECT_THAT(kms.Call("ListKeys", base::Json::object()),
                StatusIs(ErrorCode::kMissingAuthentication));
  }
}

TEST_F(LoginKmsTest, WhatCannotBeAnAccessKeyIsNotSent) {
  LoginKms kms({{.transport = kms::client::Transport::kHttp,
                 .host = "127.0.0.1",
                 .port = 1},
                "us-east-1",
                "",
                "a-key"},
               clock_);
  for (const char* const id : {"A B", "A\r\nX: y", "\x7F"}) {
    EXPECT_THAT(kms.LogIn(Credentials(id)),
                StatusIs(ErrorCode::kUnrecognizedClient))
        << id;
  }
  EXPECT_THAT(kms.LogIn(Credentials()), StatusIs(ErrorCode::kIo));
}

TEST_F(LoginKmsTest, AsksAgainForTheSameUserOnly) {
  const auto server =
      Server({Last(kNotFound, 400), Last(kNotFound, 400),
              Last(R"({"__type":"InvalidSignatureException"})", 403)});
  LoginKms kms(PlaceOf(server), clock_);
  ASSERT_THAT(kms.LogIn(Credentials()), IsOk());
  EXPECT_THAT(kms.CheckLogin(Credentials("AKIAOTHER")),
              StatusIs(ErrorCode::kUnrecognizedClient));
  EXPECT_THAT(kms.CheckLogin(Credentials()), IsOk());
  EXPECT_THAT(kms.CheckLogin(Credentials()),
              StatusIs(ErrorCode::kInvalidSignature));
}

}  // namespace
}  // namespace pkcs11::module
