// SPDX-License-Identifier: Apache-2.0
// What is sent again, and what never is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "kms/client/client.h"
#include "tests/kms/client_server.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace kms::client {
namespace {

using base::ErrorCode;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

std::string Throttled() {
  return Reply(R"({"__type":"ThrottlingException","message":"slow down"})",
               400);
}
std::string Expired() {
  return Reply(R"({"__type":"ExpiredTokenException","message":"too old"})",
               400);
}

class ClientRetryTest : public testing::Test {
 protected:
  ClientRetryTest() {
    options_.throttle_pause = milliseconds(1);
    options_.credential_files.emplace();
    options_.credential_files->credentials = {File(), true};
    options_.credentials.emplace(
        base::SigV4Credentials{"FIRST", base::Secret::CopyOf("s"), "t1"});
  }

  std::string File() const { return (folder_ / "credentials").string(); }

  void WriteCredentials(const std::string& id, const std::string& token) {
    std::ofstream(File()) << "[default]\naws_access_key_id = " + id +
                                 "\naws_secret_access_key = s\n"
                                 "aws_session_token = " +
                                 token + "\n";
  }

  std::unique_ptr<Client> ClientOf(const ScriptedServer& server) {
    options_.endpoint = server.endpoint();
    return Take(Client::Create(std::move(options_), clock_));
  }

  // Answers with `replies` and notes which access keys have signed.
  ScriptedServer::Script Note(std::vector<std::string> replies) {
    return [this, replies](Peer& peer) {
      for (const std::string& reply : replies) {
        const std::string request = peer.ReadRequest();
        const std::size_t begin = request.find("Credential=") + 11;
        signers_.push_back(
            request.substr(begin, request.find('/', begin) - begin));
        peer.Send(reply);
      }
    };
  }

  testlib::TempDir folder_;
  base::RealClock clock_;
  Options options_;
  std::vector<std::string> signers_;
};

TEST_F(ClientRetryTest, TriesThreeTimesWhenThrottled) {
  ScriptedServer server({Answer({Throttled(), Throttled(), Reply("{}")})});
  EXPECT_OK(ClientOf(server)->Call("Sign", "{}"));
}

TEST_F(ClientRetryTest, GivesUpAfterTheThird) {
  ScriptedServer server(
      {Answer({Throttled(), Throttled(), Throttled(), Reply("1")})});
  const auto client = ClientOf(server);
  EXPECT_THAT(client->Call("Sign", "{}"),
              StatusIs(ErrorCode::kThrottled, HasSubstr("slow down")));
  ASSERT_OK_AND_ASSIGN(const Response next, client->Call("Sign", "{}"));
  EXPECT_EQ(next.body, "1");
}

TEST_F(ClientRetryTest, LeavesThrottledChangesToTheCaller) {
  ScriptedServer server({Answer({Throttled(), Reply("1")})});
  const auto client = ClientOf(server);
  EXPECT_THAT(client->Call("CreateKey", "{}"), StatusIs(ErrorCode::kThrottled));
  EXPECT_OK(client->Call("CreateKey", "{}"));
}

TEST_F(ClientRetryTest, DoesNotWaitLongerThanTheCallMayTake) {
  options_.throttle_pause = std::chrono::hours(1);
  options_.timeout = std::chrono::seconds(30);
  ScriptedServer server({Answer({Throttled()})});
  EXPECT_THAT(ClientOf(server)->Call("Sign", "{}"),
              StatusIs(ErrorCode::kThrottled));
}

TEST_F(ClientRetryTest, DoesNotRepeatOtherRefusals) {
  ScriptedServer server(
      {Answer({Reply(R"({"__type":"KMSInternalException"})", 500),
               Reply("bad gateway", 502), Reply("{}")})});
  const auto client = ClientOf(server);
  EXPECT_THAT(client->Call("Sign", "{}"), StatusIs(ErrorCode::kInternal));
  EXPECT_THAT(client->Call("Sign", "{}"), StatusIs(ErrorCode::kHsmUnavailable));
}

TEST_F(ClientRetryTest, TakesCredentialsFromAFileThatHasChanged) {
  WriteCredentials("SECOND", "t2");
  ScriptedServer server({Note({Reply("{}"), Reply("{}"), Reply("{}")})});
  const auto client = ClientOf(server);
  EXPECT_OK(client->Call("CreateKey", "{}"));
  std::ofstream(File()) << "half written";
  EXPECT_OK(client->Call("CreateKey", "{}"));
  WriteCredentials("THIRD", "t3");
  EXPECT_OK(client->Call("CreateKey", "{}"));
  EXPECT_THAT(signers_, testing::ElementsAre("SECOND", "SECOND", "THIRD"));
}

TEST_F(ClientRetryTest, ReadsThemAgainWhenTheyAreExpired) {
  WriteCredentials("FIRST", "t1");
  ScriptedServer server({[&](Peer& peer) {
    peer.ReadRequest();
    // So that the file looks as it did: the answer alone tells.
    const auto time = std::filesystem::last_write_time(File());
    WriteCredentials("OTHER", "t2");
    std::filesystem::last_write_time(File(), time);
    peer.Send(Expired());
    Note({Reply("{}")})(peer);
  }});
  EXPECT_OK(ClientOf(server)->Call("CreateKey", "{}"));
  EXPECT_THAT(signers_, testing::ElementsAre("OTHER"));
}

TEST_F(ClientRetryTest, ReadsThemOnceForACall) {
  WriteCredentials("FIRST", "t1");
  ScriptedServer server({[&](Peer& peer) {
    for (const char* id : {"SECOND", "THIRD"}) {
      peer.ReadRequest();
      WriteCredentials(id, "t");
      peer.Send(Expired());
    }
    Note({Reply("{}")})(peer);
  }});
  const auto client = ClientOf(server);
  EXPECT_THAT(client->Call("Sign", "{}"), StatusIs(ErrorCode::kExpiredToken));
  EXPECT_OK(client->Call("Sign", "{}"));
  EXPECT_THAT(signers_, testing::ElementsAre("THIRD"));
}

TEST_F(ClientRetryTest, SaysSoWhereNothingNewerIsThere) {
  WriteCredentials("FIRST", "t1");
  ScriptedServer server({Note({Expired(), Reply("{}")})});
  const auto client = ClientOf(server);
  EXPECT_THAT(client->Call("Sign", "{}"),
              StatusIs(ErrorCode::kExpiredToken, HasSubstr("too old")));
  EXPECT_OK(client->Call("Sign", "{}"));
}

}  // namespace
}  // namespace kms::client
