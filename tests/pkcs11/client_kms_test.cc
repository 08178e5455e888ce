// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/client_kms.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/kms/client_server.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace pkcs11::module {
namespace {

using base::ErrorCode;
using kms::client::Reply;
using testlib::StatusIs;

class ClientKmsTest : public testing::Test {
 protected:
  base::Result<base::Json> CallAnsweredBy(std::string reply) {
    const std::string path = folder_ / std::to_string(++servers_);
    kms::client::ScriptedServer server(
        {kms::client::Answer({std::move(reply)})}, path);
    kms::client::Options options;
    options.endpoint = server.endpoint();
    const auto kms =
        testlib::Take(ClientKms::Create(std::move(options), clock_));
    return kms->Call("ListKeys", base::Json::object());
  }

  testlib::TempDir folder_;
  base::RealClock clock_;
  int servers_ = 0;
};

TEST_F(ClientKmsTest, ReturnsTheReply) {
  ASSERT_OK_AND_ASSIGN(const base::Json reply,
                       CallAnsweredBy(Reply(R"({"a":"b"})")));
  EXPECT_EQ(TextMember(reply, "a"), "b");
  EXPECT_THAT(CallAnsweredBy(Reply("")), testlib::IsOk());
  for (const std::string& bad :
       {std::string("[]"), std::string("<html>"), std::string(1000, '[')}) {
    EXPECT_THAT(CallAnsweredBy(Reply(bad)), StatusIs(ErrorCode::kCorrupt));
  }
}

TEST_F(ClientKmsTest, FailsAsTheServerSays) {
  EXPECT_THAT(
      CallAnsweredBy(Reply(R"({"__type":"AccessDeniedException"})", 400)),
      StatusIs(ErrorCode::kAccessDenied));
}

TEST_F(ClientKmsTest, ErrorsNameOperationKeyAndRequest) {
  const std::string reply =
      Reply(R"({"__type":"AccessDeniedException","message":"no"})", 400);
  kms::client::ScriptedServer server({kms::client::Answer({reply})},
                                     folder_ / "socket");
  kms::client::Options options;
  options.endpoint = server.endpoint();
  const auto kms = testlib::Take(ClientKms::Create(std::move(options), clock_));
  EXPECT_EQ(kms->LastFailure(), 0);
  EXPECT_THAT(kms->Call("Sign", {{"KeyId", base::WipingString("a-key")},
                                 {"Message", base::WipingString("hidden")}}),
              StatusIs(ErrorCode::kAccessDenied,
                       "AccessDeniedException: no "
                       "(Sign with a-key, request 5f1d)"));
  EXPECT_EQ(kms->LastFailure(), 400);
}

}  // namespace
}  // namespace pkcs11::module
