// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <latch>
#include <string>
#include <vector>

#include "kms/client/client.h"
#include "tests/kms/client_server.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace kms::client {
namespace {

using base::ErrorCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testlib::IsOk;
using testlib::StatusIs;
using testlib::Take;

constexpr char kBody[] = R"({"KeyId":"alias/a"})";

// A Client of `server`, with credentials where they are needed.
std::unique_ptr<Client> ClientOf(
    const Endpoint& endpoint, const base::Clock& clock,
    std::chrono::milliseconds timeout = std::chrono::seconds(30)) {
  Options options;
  options.endpoint = endpoint;
  options.region = "eu-west-1";
  options.timeout = timeout;
  if (endpoint.transport != Transport::kUnix) {
    options.credentials.emplace(
        base::SigV4Credentials{"AKIDEXAMPLE", base::Secret::CopyOf("s3"), ""});
  }
  return Take(Client::Create(std::move(options), clock));
}

class ClientCallTest : public testing::Test {
 protected:
  std::string SocketPath() const { return (folder_ / "s").string(); }

  testlib::TempDir folder_;
  base::RealClock clock_;
};

TEST_F(ClientCallTest, SendsAnUnsignedRequestThroughAUnixSocket) {
  std::string request;
  ScriptedServer server({[&](Peer& peer) {
                          request = peer.ReadRequest();
                          peer.Send(Reply("{\"a\":1}"));
                          peer.WaitForClose();
                        }},
                        SocketPath());
  {
    const auto client = ClientOf(server.endpoint(), clock_);
    ASSERT_OK_AND_ASSIGN(const Response response,
                         client->Call("DescribeKey", kBody));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "{\"a\":1}");
    EXPECT_EQ(response.request_id, "5f1d");
  }
  EXPECT_THAT(request,
              AllOf(StartsWith("POST / HTTP/1.1\r\nHost: localhost\r\n"),
                    HasSubstr("\r\nX-Amz-Target: TrentService.DescribeKey\r\n"),
                    HasSubstr("\r\nContent-Type: application/x-amz-json-1.1"),
                    HasSubstr("\r\nX-Claviger-Region: eu-west-1\r\n"),
                    HasSubstr("\r\nContent-Length: 19\r\n"),
                    Not(HasSubstr("Authorization")),
                    testing::EndsWith("\r\n\r\n" + std::string(kBody))));
}

TEST_F(ClientCallTest, SendsOurOwnOperationsUnderTheirOwnPrefix) {
  std::string request;
  ScriptedServer server({[&](Peer& peer) {
                          request = peer.ReadRequest();
                          peer.Send(Reply("{}"));
                        }},
                        SocketPath());
  ASSERT_OK(ClientOf(server.endpoint(), clock_)->Call("Claviger.Status", "{}"));
  EXPECT_THAT(request, HasSubstr("X-Amz-Target: Claviger.Status\r\n"));
}

TEST_F(ClientCallTest, RefusesAnOperationThatCouldEndAHeader) {
  Options options;
  const auto client = Take(Client::Create(std::move(options), clock_));
  EXPECT_THAT(client->Call("Sign\r\nX-Evil: 1", "{}"),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("operation")));
  EXPECT_THAT(client->Get("/a b"), StatusIs(ErrorCode::kInvalidArgument));
}

TEST_F(ClientCallTest, UsesOneConnectionForManyCalls) {
  ScriptedServer server({Answer({Reply("1"), Reply("2"), Reply("3")})},
                        SocketPath());
  const auto client = ClientOf(server.endpoint(), clock_);
  for (const char* body : {"1", "2", "3"}) {
    ASSERT_OK_AND_ASSIGN(const Response response,
                         client->Call("CreateKey", "{}"));
    EXPECT_EQ(response.body, body);
  }
}

TEST_F(ClientCallTest, ConnectsAnewAfterConnectionClose) {
  const std::string closing =
      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1";
  ScriptedServer server({Answer({closing}), Answer({Reply("2")})},
                        SocketPath());
  const auto client = ClientOf(server.endpoint(), clock_);
  EXPECT_OK(client->Call("CreateKey", "{}"));
  ASSERT_OK_AND_ASSIGN(const Response response,
                       client->Call("CreateKey", "{}"));
  EXPECT_EQ(response.body, "2");
}

TEST_F(ClientCallTest, ConnectsAnewWhereTheIdleConnectionWasClosed) {
  ScriptedServer server({Answer({Reply("1")}),
                         [&](Peer& peer) {
                           peer.ReadRequest();
                           peer.Send(Reply("2"));
                         }},
                        SocketPath());
  const auto client = ClientOf(server.endpoint(), clock_);
  ASSERT_OK(client->Call("CreateKey", "{}"));
  // Whether or not the close has arrived by now, a call that repeats nothing
  // visible succeeds.
  ASSERT_OK_AND_ASSIGN(const Response response, client->Call("Sign", "{}"));
  EXPECT_EQ(response.body, "2");
}

// The server reads the second request and closes without a reply.
std::vector<ScriptedServer::Script> HangsUpOnTheSecond() {
  return {[](Peer& peer) {
    peer.ReadRequest();
    peer.Send(Reply("1"));
    peer.ReadRequest();
  }};
}

TEST_F(ClientCallTest, RepeatsARepeatableCallOnce) {
  auto scripts = HangsUpOnTheSecond();
  scripts.push_back(Answer({Reply("2")}));
  ScriptedServer server(std::move(scripts), SocketPath());
  const auto client = ClientOf(server.endpoint(), clock_);
  ASSERT_OK(client->Call("Sign", "{}"));
  ASSERT_OK_AND_ASSIGN(const Response response, client->Call("Sign", "{}"));
  EXPECT_EQ(response.body, "2");
}

TEST_F(ClientCallTest, RepeatsNoMoreThanOnce) {
  auto scripts = HangsUpOnTheSecond();
  scripts.emplace_back([](Peer& peer) { peer.ReadRequest(); });
  ScriptedServer server(std::move(scripts), SocketPath());
  const auto client = ClientOf(server.endpoint(), clock_);
  ASSERT_OK(client->Call("Sign", "{}"));
  EXPECT_THAT(client->Call("Sign", "{}"),
              StatusIs(ErrorCode::kIo, HasSubstr("without a reply")));
}

TEST_F(ClientCallTest, NeverRepeatsACallThatChangesSomething) {
  ScriptedServer server(HangsUpOnTheSecond(), SocketPath());
  const auto client = ClientOf(server.endpoint(), clock_);
  ASSERT_OK(client->Call("CreateKey", "{}"));
  EXPECT_THAT(client->Call("CreateKey", "{}"),
              StatusIs(ErrorCode::kIo, HasSubstr("without a reply")));
}

TEST_F(ClientCallTest, NeverRepeatsWhatWasAnsweredInPart) {
  ScriptedServer server({[](Peer& peer) {
                          peer.ReadRequest();
                          peer.Send(Reply("1"));
                          peer.ReadRequest();
                          peer.Send("HTTP/1.1 2");
                        }},
                        SocketPath());
  const auto client = ClientOf(server.endpoint(), clock_);
  ASSERT_OK(client->Call("Sign", "{}"));
  EXPECT_THAT(client->Call("Sign", "{}"),
              StatusIs(ErrorCode::kIo, HasSubstr("within its reply")));
}

TEST_F(ClientCallTest, DoesNotRepeatOnAFreshConnection) {
  ScriptedServer server({[](Peer& peer) { peer.ReadRequest(); }}, SocketPath());
  EXPECT_THAT(ClientOf(server.endpoint(), clock_)->Call("Sign", "{}"),
              StatusIs(ErrorCode::kIo, HasSubstr("without a reply")));
}

TEST_F(ClientCallTest, DistrustsAConnectionThatSpeaksUnasked) {
  std::latch spoken(1);
  ScriptedServer server({[&](Peer& peer) {
                           peer.ReadRequest();
                           peer.Send(Reply("1"));
                           peer.Send(Reply("injected"));
                           spoken.count_down();
                           peer.WaitForClose();
                         },
                         Answer({Reply("2")})},
                        SocketPath());
  const auto client = ClientOf(server.endpoint(), clock_);
  const auto first = client->Call("CreateKey", "{}");
  spoken.wait();
  // If both replies came in one piece, the first call is what failed.
  if (!first.has_value()) {
    EXPECT_THAT(first, StatusIs(ErrorCode::kCorrupt, HasSubstr("follow")));
  }
  ASSERT_OK_AND_ASSIGN(const Response response,
                       client->Call("CreateKey", "{}"));
  EXPECT_EQ(response.body, "2");
}

TEST_F(ClientCallTest, ReadsAChunkedReply) {
  ScriptedServer server(
      {Answer({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
               "2\r\n{}\r\n0\r\n\r\n"})},
      SocketPath());
  ASSERT_OK_AND_ASSIGN(const Response response,
                       ClientOf(server.endpoint(), clock_)->Call("Sign", "{}"));
  EXPECT_EQ(response.body, "{}");
}

TEST_F(ClientCallTest, RefusesAReplyThatIsNotHttp) {
  ScriptedServer server({Answer({"220 mail.example ESMTP\r\n"})}, SocketPath());
  EXPECT_THAT(ClientOf(server.endpoint(), clock_)->Call("Sign", "{}"),
              StatusIs(ErrorCode::kCorrupt, HasSubstr("status line")));
}

TEST_F(ClientCallTest, GivesUpAtTheDeadline) {
  ScriptedServer server({[](Peer& peer) {
                          peer.ReadRequest();
                          peer.Send("HTTP/1.1 200 OK\r\n");
                          peer.WaitForClose();
                        }},
                        SocketPath());
  const auto client =
      ClientOf(server.endpoint(), clock_, std::chrono::milliseconds(50));
  EXPECT_THAT(client->Call("Sign", "{}"),
              StatusIs(ErrorCode::kTimeout, HasSubstr("in time")));
}

TEST_F(ClientCallTest, GivesUpOnAServerThatDoesNotRead) {
  ScriptedServer server({[](Peer& peer) { peer.WaitForClose(); }});
  // Nobody accepts a second connection: its bytes fill the kernel's buffers.
  const Endpoint& endpoint = server.endpoint();
  const auto first = ClientOf(endpoint, clock_, std::chrono::milliseconds(50));
  EXPECT_THAT(first->Call("Sign", "{}"), StatusIs(ErrorCode::kTimeout));
  const auto second = ClientOf(endpoint, clock_, std::chrono::milliseconds(50));
  const std::string large(32U << 20, 'x');
  EXPECT_THAT(second->Call("Sign", large), Not(IsOk()));
}

TEST_F(ClientCallTest, NamesTheSocketThatIsNotThere) {
  Options options;
  options.endpoint.path = "/nonexistent/claviger.sock";
  const auto client = Take(Client::Create(std::move(options), clock_));
  EXPECT_THAT(client->Call("Sign", "{}"),
              StatusIs(ErrorCode::kIo,
                       AllOf(HasSubstr("unix:/nonexistent/claviger.sock"),
                             HasSubstr("No such file"))));
}

TEST_F(ClientCallTest, RefusesAPathThatNoSocketCanHave) {
  Options options;
  options.endpoint.path = "/" + std::string(200, 'p');
  const auto client = Take(Client::Create(std::move(options), clock_));
  EXPECT_THAT(client->Call("Sign", "{}"),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("107 bytes")));
}

TEST_F(ClientCallTest, TurnsAnAwsErrorIntoOurs) {
  ScriptedServer server(
      {Answer({Reply(R"({"__type":"DisabledException","message":"it is off"})",
                     400),
               Reply("{}")})},
      SocketPath());
  const auto client = ClientOf(server.endpoint(), clock_);
  EXPECT_THAT(client->Call("Sign", "{}"),
              StatusIs(ErrorCode::kDisabled, "DisabledException: it is off"));
  EXPECT_OK(client->Call("Sign", "{}"));  // The connection is still good.
}

TEST_F(ClientCallTest, FetchesAPageWhateverItsStatus) {
  std::string request;
  ScriptedServer server({[&](Peer& peer) {
                          request = peer.ReadRequest();
                          peer.Send(Reply("audit log full", 503));
                        }},
                        SocketPath());
  ASSERT_OK_AND_ASSIGN(const Response response,
                       ClientOf(server.endpoint(), clock_)->Get("/readyz"));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "audit log full");
  EXPECT_THAT(request, StartsWith("GET /readyz HTTP/1.1\r\n"));
}

TEST_F(ClientCallTest, GivesAForkedChildAConnectionOfItsOwn) {
  // The parent's connection serves the parent before and after; the child's
  // call arrives on a second one.
  ScriptedServer server({Answer({Reply("child")})}, SocketPath());
  testlib::TempDir other;
  ScriptedServer parents({Answer({Reply("1"), Reply("2")})},
                         (other / "s").string());
  const auto client = ClientOf(parents.endpoint(), clock_);
  ASSERT_OK(client->Call("CreateKey", "{}"));

  // The child looks for its server where the parent's was.
  std::filesystem::rename(SocketPath(), other / "s");
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto response = client->Call("CreateKey", "{}");
    _exit(response.has_value() && response->body == "child" ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  ASSERT_OK_AND_ASSIGN(const Response response,
                       client->Call("CreateKey", "{}"));
  EXPECT_EQ(response.body, "2");
}

}  // namespace
}  // namespace kms::client
