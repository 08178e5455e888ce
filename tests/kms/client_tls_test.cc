// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "kms/client/client.h"
#include "tests/kms/client_certificates.h"
#include "tests/kms/client_server.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace kms::client {
namespace {

using base::ErrorCode;
using testing::AllOf;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

Subject Authority() { return {.name = "ca", .is_authority = true}; }

Subject Loopback() {
  return {.name = "server", .alternative_names = "IP:127.0.0.1,DNS:localhost"};
}

class ClientTlsTest : public testing::Test {
 protected:
  ClientTlsTest() : authority_(Authority()) {
    authority_.WriteCertificate(Path("ca.pem"));
  }

  std::string Path(std::string_view name) { return (folder_ / name).string(); }

  // Writes the files that ScriptedServer wants.
  void Issue(const Subject& subject, const Certificate& issuer) {
    const Certificate certificate(subject, &issuer);
    certificate.WriteCertificate(Path("cert.pem"));
    certificate.WriteKey(Path("key.pem"));
  }

  std::unique_ptr<Client> ClientOf(Endpoint endpoint) {
    Options options;
    options.endpoint = std::move(endpoint);
    options.ca_file = Path("ca.pem");
    options.credentials.emplace(
        base::SigV4Credentials{"AKID", base::Secret::CopyOf("s"), ""});
    return Take(Client::Create(std::move(options), clock_));
  }

  // The result of one call to a server with the certificate of Issue().
  base::Result<Response> CallOnce(const std::string& host = "127.0.0.1") {
    ScriptedServer server({Answer({Reply("{}")})}, Path("cert.pem"),
                          Path("key.pem"));
    Endpoint endpoint = server.endpoint();
    endpoint.host = host;
    return ClientOf(endpoint)->Call("Sign", "{}");
  }

  testlib::TempDir folder_;
  base::RealClock clock_;
  Certificate authority_;
};

TEST_F(ClientTlsTest, TrustsItsAuthorityForAddressAndName) {
  Issue(Loopback(), authority_);
  EXPECT_THAT(CallOnce(), testlib::IsOk());
  EXPECT_THAT(CallOnce("localhost"), testlib::IsOk());
}

TEST_F(ClientTlsTest, KeepsTheConnectionInSpiteOfSessionTickets) {
  Issue(Loopback(), authority_);
  ScriptedServer server({Answer({Reply("1"), Reply("2"), Reply("3")})},
                        Path("cert.pem"), Path("key.pem"));
  const auto client = ClientOf(server.endpoint());
  for (const char* body : {"1", "2", "3"}) {
    ASSERT_OK_AND_ASSIGN(const Response response,
                         client->Call("CreateKey", "{}"));
    EXPECT_EQ(std::string_view(response.body), body);
  }
}

TEST_F(ClientTlsTest, CarriesRepliesOfManyRecords) {
  Issue(Loopback(), authority_);
  const std::string body(300'000, 'b');
  ScriptedServer server({[&](Peer& peer) {
                          const std::string request = peer.ReadRequest();
                          EXPECT_GT(request.size(), 200'000U);
                          peer.Send(Reply(body));
                        }},
                        Path("cert.pem"), Path("key.pem"));
  ASSERT_OK_AND_ASSIGN(
      const Response response,
      ClientOf(server.endpoint())->Call("Sign", std::string(200'000, 'a')));
  EXPECT_EQ(std::string_view(response.body), body);
}

TEST_F(ClientTlsTest, RefusesACertificateForAnotherHost) {
  Issue({.name = "127.0.0.1", .alternative_names = "DNS:kms.example"},
        authority_);
  EXPECT_THAT(CallOnce(), StatusIs(ErrorCode::kInvalidArgument,
                                   HasSubstr("IP address mismatch")));
  EXPECT_THAT(CallOnce("localhost"), StatusIs(ErrorCode::kInvalidArgument,
                                              HasSubstr("hostname mismatch")));
}

TEST_F(ClientTlsTest, RefusesAnExpiredCertificate) {
  Subject expired = Loopback();
  expired.valid_from_seconds = -7200;
  expired.valid_for_seconds = -3600;
  Issue(expired, authority_);
  EXPECT_THAT(CallOnce(),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("expired")));
}

TEST_F(ClientTlsTest, RefusesACertificateOfTomorrow) {
  Subject early = Loopback();
  early.valid_from_seconds = 3600;
  early.valid_for_seconds = 7200;
  Issue(early, authority_);
  EXPECT_THAT(CallOnce(), StatusIs(ErrorCode::kInvalidArgument,
                                   HasSubstr("not yet valid")));
}

TEST_F(ClientTlsTest, RefusesAnotherAuthority) {
  Issue(Loopback(), Certificate(Authority()));
  EXPECT_THAT(CallOnce(),
              StatusIs(ErrorCode::kInvalidArgument,
                       AllOf(HasSubstr("the certificate of 127.0.0.1"),
                             HasSubstr("CLAVIGER_CA_FILE"))));
}

TEST_F(ClientTlsTest, RefusesACertificateThatSignedItself) {
  const Certificate own(Loopback());
  own.WriteCertificate(Path("cert.pem"));
  own.WriteKey(Path("key.pem"));
  EXPECT_THAT(CallOnce(),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("self-signed")));
}

TEST_F(ClientTlsTest, RefusesAServerWithoutTls) {
  ScriptedServer server({[](Peer& peer) {
    peer.Send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    peer.WaitForClose();
  }});
  Endpoint endpoint = server.endpoint();
  endpoint.transport = Transport::kHttps;
  EXPECT_THAT(ClientOf(endpoint)->Call("Sign", "{}"),
              StatusIs(ErrorCode::kCorrupt, HasSubstr("TLS handshake")));
}

TEST_F(ClientTlsTest, RefusesAnAuthorityFileWithoutCertificate) {
  Options options;
  options.endpoint = Take(ParseEndpoint("https://localhost"));
  options.ca_file = Path("none.pem");
  options.credentials.emplace(
      base::SigV4Credentials{"AKID", base::Secret::CopyOf("s"), ""});
  EXPECT_THAT(Client::Create(std::move(options), clock_),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("none.pem")));
}

TEST_F(ClientTlsTest, AChildLeavesItsParentsConnectionAlone) {
  Issue(Loopback(), authority_);
  ScriptedServer server({Answer({Reply("1"), Reply("2")})}, Path("cert.pem"),
                        Path("key.pem"));
  auto client = ClientOf(server.endpoint());
  ASSERT_OK(client->Call("CreateKey", "{}"));
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    client.reset();  // Closes the descriptor and says nothing.
    _exit(0);
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
