// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <csignal>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "kms/http/tls.h"
#include "tests/kms/client_certificates.h"
#include "tests/kms/http_testing.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace kms::http {
namespace {

using ::base::ErrorCode;
using ::testing::HasSubstr;
using ::testlib::StatusIs;

struct FreeSsl {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SessionPtr = std::unique_ptr<SSL_SESSION, FreeSsl>;

// What a client shows, if it is asked.
struct Shown {
  const client::Certificate* certificate = nullptr;
  int chain_length = 0;  // That many copies of it are sent with it.
};

// A TlsClient is a RawClient inside TLS. It trusts everybody.
class TlsClient {
 public:
  TlsClient(std::uint16_t port, int version, SSL_SESSION* session = nullptr,
            const Shown& shown = {})
      : raw_(RawClient::Tcp(port)),
        context_(SSL_CTX_new(TLS_client_method())),
        ssl_(nullptr) {
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    Show(shown);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), raw_.fd());
    if (session != nullptr) {
      SSL_set_session(ssl_.get(), session);
    }
    connected_ = SSL_connect(ssl_.get()) == 1;
  }

  // Without a goodbye OpenSSL would not resume the session.
  ~TlsClient() { SSL_shutdown(ssl_.get()); }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  bool connected() const { return connected_; }
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  SessionPtr session() const {
    return SessionPtr(SSL_get1_session(ssl_.get()));
  }

  // The common name of the server's certificate.
  std::string ServerName() const {
    X509* certificate = SSL_get0_peer_certificate(ssl_.get());
    std::string name(64, '\0');
    const int size = X509_NAME_get_text_by_NID(
        X509_get_subject_name(certificate), NID_commonName, name.data(),
        static_cast<int>(name.size()));
    name.resize(static_cast<std::size_t>(size));
    return name;
  }

  // Sends, and reads until what came ends in `end`, or the connection does.
  std::string Call(std::string_view bytes, std::string_view end) {
    SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
    std::string all;
    while (!all.ends_with(end)) {
      char some[4096];
      const int size = SSL_read(ssl_.get(), some, sizeof(some));
      if (size <= 0) {
        break;
      }
      all.append(some, static_cast<std::size_t>(size));
    }
    return all;
  }

  // Whether the server says goodbye the way TLS wants it.
  bool IsClosedCleanly() {
    char byte;
    const int size = SSL_read(ssl_.get(), &byte, 1);
    return SSL_get_error(ssl_.get(), size) == SSL_ERROR_ZERO_RETURN;
  }

 private:
  void Show(const Shown& shown) {
    if (shown.certificate == nullptr) {
      return;
    }
    SSL_CTX_use_certificate(context_.get(), shown.certificate->certificate());
    SSL_CTX_use_PrivateKey(context_.get(), shown.certificate->key());
    for (int i = 0; i < shown.chain_length; ++i) {
      SSL_CTX_add1_chain_cert(context_.get(), shown.certificate->certificate());
    }
  }

  RawClient raw_;
  std::unique_ptr<SSL_CTX, FreeSsl> context_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  bool connected_ = false;
};

class Tls : public testing::Test {
 protected:
  explicit Tls(Handler handler = Echo, ServerLimits limits = {})
      : server_(std::move(handler), limits) {}

  void WriteCertificate(const std::string& name) {
    const client::Certificate certificate({.name = name});
    certificate.WriteCertificate(files_.certificate_chain);
    certificate.WriteKey(files_.private_key);
  }

  void Listen(ClientCertificates clients = ClientCertificates::kIgnore) {
    WriteCertificate("first");
    tls_ = testlib::Take(TlsContext::Load(files_, clients));
    port_ = server_.Run([this] {
      return testlib::Take(server_.server().ListenTls("127.0.0.1", 0, tls_));
    });
  }

  testlib::TempDir dir_;
  const TlsFiles files_{.certificate_chain = dir_ / "chain.pem",
                        .private_key = dir_ / "key.pem"};
  std::shared_ptr<TlsContext> tls_;
  ServerThread server_;
  std::uint16_t port_ = 0;
};

TEST_F(Tls, ServesTls12And13) {
  Listen();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(port_, version);
    ASSERT_TRUE(client.connected());
    EXPECT_THAT(client.Call(PostOf("one"), "one"), HasSubstr("POST / one"));
    EXPECT_THAT(client.Call(PostOf("two"), "two"), HasSubstr("POST / two"));
    EXPECT_THAT(client.Call(PostOf("end", "Connection: close\r\n"), "end"),
                HasSubstr("Connection: close"));
    EXPECT_TRUE(client.IsClosedCleanly());
  }
}

TEST_F(Tls, RefusesTls11) {
  Listen();
  EXPECT_FALSE(TlsClient(port_, TLS1_1_VERSION).connected());
}

TEST_F(Tls, ResumesASessionByTicket) {
  Listen();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SessionPtr session;
    {
      TlsClient first(port_, version);
      EXPECT_FALSE(first.resumed());
      first.Call(PostOf("one"), "one");
      session = first.session();
    }
    TlsClient second(port_, version, session.get());
    EXPECT_TRUE(second.resumed());
    EXPECT_THAT(second.Call(PostOf("two"), "two"), HasSubstr("POST / two"));
  }
}

TEST_F(Tls, PresentsANewCertificateToNewConnectionsOnly) {
  Listen();
  TlsClient before(port_, TLS1_3_VERSION);
  EXPECT_EQ(before.ServerName(), "first");
  WriteCertificate("second");
  ASSERT_OK(tls_->Reload());
  TlsClient after(port_, TLS1_3_VERSION);
  EXPECT_EQ(after.ServerName(), "second");
  EXPECT_THAT(before.Call(PostOf("old"), "old"), HasSubstr("POST / old"));
  EXPECT_THAT(after.Call(PostOf("new"), "new"), HasSubstr("POST / new"));
}

TEST_F(Tls, KeepsTheOldCertificateIfTheNewOneIsBroken) {
  Listen();
  std::ofstream(files_.private_key) << "not a key";
  EXPECT_THAT(tls_->Reload(), StatusIs(ErrorCode::kInvalidArgument,
                                       HasSubstr(files_.private_key)));
  EXPECT_EQ(TlsClient(port_, TLS1_3_VERSION).ServerName(), "first");
}

TEST_F(Tls, NamesTheFileThatCannotBeUsed) {
  WriteCertificate("first");
  const auto load = [&](TlsFiles files) {
    return TlsContext::Load(std::move(files));
  };
  EXPECT_THAT(load({dir_ / "none", files_.private_key}),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("none")));
  EXPECT_THAT(load({files_.certificate_chain, dir_ / "none"}),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("none")));
  EXPECT_THAT(load({files_.private_key, files_.private_key}),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("key.pem")));
  const std::string other = dir_ / "other.pem";
  client::Certificate({.name = "other"}).WriteKey(other);
  EXPECT_THAT(load({files_.certificate_chain, other}),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("other.pem")));
}

TEST_F(Tls, AsksNobodyForThePasswordOfAnEncryptedKey) {
  const client::Certificate certificate({.name = "locked"});
  certificate.WriteCertificate(files_.certificate_chain);
  const std::unique_ptr<BIO, decltype(&BIO_free)> file(
      BIO_new_file(files_.private_key.c_str(), "w"), BIO_free);
  constexpr std::string_view kPassword = "secret";
  ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(file.get(), certificate.key(),
                                          EVP_aes_256_cbc(), kPassword.data(),
                                          static_cast<int>(kPassword.size()),
                                          nullptr, nullptr),
            1);
  BIO_flush(file.get());
  EXPECT_THAT(
      TlsContext::Load(files_),
      StatusIs(ErrorCode::kInvalidArgument,
               AllOf(HasSubstr(files_.private_key), HasSubstr("is encrypted"),
                     HasSubstr("openssl pkey"))));
}

TEST_F(Tls, SurvivesClientsThatDoNotSpeakIt) {
  Listen();
  RawClient plain = RawClient::Tcp(port_);
  ASSERT_TRUE(plain.Send(PostOf("plain")));
  EXPECT_EQ(plain.Read().status, 0);
  { const RawClient leaves = RawClient::Tcp(port_); }
  EXPECT_TRUE(TlsClient(port_, TLS1_3_VERSION).connected());
}

TEST_F(Tls, EndsAHandshakeThatTakesTooLong) {
  Listen();
  RawClient client = RawClient::Tcp(port_);
  ASSERT_TRUE(
      server_.WaitUntil([&] { return server_.server().connections() == 1; }));
  server_.Pass(std::chrono::seconds(10));
  EXPECT_TRUE(client.IsAtEnd());
}

class FewHandshakes : public Tls {
 protected:
  FewHandshakes() : Tls(Echo, {.handshakes = 2}) { Listen(); }
  bool HasConnections(std::size_t count) {
    return server_.WaitUntil(
        [&] { return server_.server().connections() == count; });
  }
};

TEST_F(FewHandshakes, TheOldestMakesRoom) {
  RawClient oldest = RawClient::Tcp(port_);
  ASSERT_TRUE(HasConnections(1));
  RawClient silent = RawClient::Tcp(port_);
  ASSERT_TRUE(HasConnections(2));
  TlsClient client(port_, TLS1_3_VERSION);
  ASSERT_TRUE(client.connected());
  EXPECT_TRUE(oldest.IsAtEnd());
  EXPECT_THAT(client.Call(PostOf("one"), "one"), HasSubstr("POST / one"));
  EXPECT_TRUE(HasConnections(2));  // The silent one waits on.
}

TEST_F(FewHandshakes, OneThatHasEndedCountsNoMore) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient first(port_, version);
    TlsClient second(port_, version);
    TlsClient third(port_, version);
    for (TlsClient* const client : {&first, &second, &third}) {
      ASSERT_TRUE(client->connected());
      EXPECT_THAT(client->Call(PostOf("x"), "x"), HasSubstr("POST / x"));
    }
  }
}

TEST_F(Tls, AnswersARefusedRequestBeforeItCloses) {
  Listen();
  TlsClient client(port_, TLS1_3_VERSION);
  EXPECT_THAT(client.Call("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: "
                          "300000\r\n\r\n" +
                              std::string(100000, 'x'),
                          "too large\n"),
              HasSubstr("HTTP/1.1 413 "));
}

TEST_F(Tls, ClosesIdleConnectionsOnShutdown) {
  Listen();
  TlsClient client(port_, TLS1_3_VERSION);
  EXPECT_THAT(client.Call(PostOf("one"), "one"), HasSubstr("POST / one"));
  std::future<bool> ended = server_.Shutdown(std::chrono::seconds(10));
  EXPECT_TRUE(client.IsClosedCleanly());
}

// "FINGERPRINT SECONDS.", the seconds from the certificate's first to its last,
// or "none.".
boost::asio::awaitable<HttpResponse> WhoShows(const HttpRequest& request) {
  HttpResponse response;
  if (const auto& certificate = request.peer.certificate) {
    const auto length = certificate->not_after - certificate->not_before;
    response.body.append(base::HexEncode(certificate->sha256))
        .append(" ")
        .append(std::to_string(
            std::chrono::floor<std::chrono::seconds>(length).count()));
  } else {
    response.body.append("none");
  }
  response.body.append(".");
  co_return response;
}

class ClientCertificate : public Tls {
 protected:
  static constexpr int kVersions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

  ClientCertificate() : Tls(WhoShows) {}

  // Some clients here write to a server that has closed the connection.
  static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); }

  static std::string FingerprintOf(const client::Certificate& certificate) {
    base::Digest digest{};
    X509_digest(certificate.certificate(), EVP_sha256(), digest.data(),
                nullptr);
    return base::HexEncode(digest);
  }
  static std::string Ask(TlsClient& client) {
    const std::string reply = client.Call(PostOf(""), ".");
    return reply.substr(reply.rfind('\n') + 1);
  }
  std::string Ask(int version, const Shown& shown) {
    TlsClient client(port_, version, nullptr, shown);
    return Ask(client);
  }

  const client::Certificate own_{{.name = "worker"}};
};

TEST_F(ClientCertificate, IsToldWhoeverIssuedIt) {
  Listen(ClientCertificates::kAsk);
  const client::Certificate authority({.name = "ca", .is_authority = true});
  const client::Certificate issued({.name = "issued"}, &authority);
  for (const int version : kVersions) {
    EXPECT_EQ(Ask(version, {&own_}), FingerprintOf(own_) + " 7200.");
    EXPECT_EQ(Ask(version, {&issued}), FingerprintOf(issued) + " 7200.");
    EXPECT_EQ(Ask(version, {}), "none.");
  }
}

TEST_F(ClientCertificate, IsTheSameForEveryRequestOfAConnection) {
  Listen(ClientCertificates::kAsk);
  TlsClient client(port_, TLS1_3_VERSION, nullptr, {&own_});
  EXPECT_EQ(Ask(client), FingerprintOf(own_) + " 7200.");
  EXPECT_EQ(Ask(client), FingerprintOf(own_) + " 7200.");
}

// Whether it may be used is asked at every request: it can expire in between.
TEST_F(ClientCertificate, IsToldWithItsDatesWhenTheyAreOver) {
  Listen(ClientCertificates::kAsk);
  const client::Certificate expired(
      {.valid_from_seconds = -3600, .valid_for_seconds = -60});
  const client::Certificate early(
      {.valid_from_seconds = 60, .valid_for_seconds = 3600});
  for (const int version : kVersions) {
    EXPECT_EQ(Ask(version, {&expired}), FingerprintOf(expired) + " 3540.");
    EXPECT_EQ(Ask(version, {&early}), FingerprintOf(early) + " 3540.");
  }
}

TEST_F(ClientCertificate, IsNotAskedForIfNobodyWouldLook) {
  Listen();
  for (const int version : kVersions) {
    EXPECT_EQ(Ask(version, {&own_}), "none.");
  }
}

TEST_F(ClientCertificate, IsKnownInAResumedSession) {
  Listen(ClientCertificates::kAsk);
  for (const int version : kVersions) {
    SessionPtr session;
    {
      TlsClient first(port_, version, nullptr, {&own_});
      EXPECT_EQ(Ask(first), FingerprintOf(own_) + " 7200.");
      session = first.session();
    }
    // It shows nothing: the ticket has it.
    TlsClient second(port_, version, session.get());
    EXPECT_TRUE(second.resumed());
    EXPECT_EQ(Ask(second), FingerprintOf(own_) + " 7200.");
  }
}

TEST_F(ClientCertificate, DoesNotComeIntoASessionThatBeganWithoutIt) {
  Listen(ClientCertificates::kAsk);
  for (const int version : kVersions) {
    SessionPtr session;
    {
      TlsClient first(port_, version);
      EXPECT_EQ(Ask(first), "none.");
      session = first.session();
    }
    TlsClient second(port_, version, session.get(), {&own_});
    EXPECT_TRUE(second.resumed());
    EXPECT_EQ(Ask(second), "none.");
  }
}

TEST_F(ClientCertificate, IsAskedForAgainAfterAReload) {
  Listen(ClientCertificates::kAsk);
  TlsClient before(port_, TLS1_3_VERSION, nullptr, {&own_});
  EXPECT_EQ(Ask(before), FingerprintOf(own_) + " 7200.");
  const SessionPtr session = before.session();
  ASSERT_OK(tls_->Reload());
  // The old tickets are worth nothing.
  TlsClient after(port_, TLS1_3_VERSION, session.get());
  EXPECT_FALSE(after.resumed());
  EXPECT_EQ(Ask(after), "none.");
  EXPECT_EQ(Ask(TLS1_3_VERSION, {&own_}), FingerprintOf(own_) + " 7200.");
}

TEST_F(ClientCertificate, WithAWeakKeyIsRefused) {
  Listen(ClientCertificates::kAsk);
  const client::Certificate weak({.rsa_bits = 1024});
  const client::Certificate strong({.rsa_bits = 2048});
  for (const int version : kVersions) {
    EXPECT_EQ(Ask(version, {&weak}), "");
    EXPECT_EQ(Ask(version, {&strong}), FingerprintOf(strong) + " 7200.");
  }
}

TEST_F(ClientCertificate, WithAnEndlessChainIsRefused) {
  Listen(ClientCertificates::kAsk);
  for (const int version : kVersions) {
    EXPECT_EQ(Ask(version, {.certificate = &own_, .chain_length = 10}),
              FingerprintOf(own_) + " 7200.");
    EXPECT_EQ(Ask(version, {.certificate = &own_, .chain_length = 100}), "");
  }
}

}  // namespace
}  // namespace kms::http
