// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/xks_keys.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/clock.h"
#include "base/json.h"
#include "hsm/fd.h"
#include "kms/client/client.h"
#include "tests/bench/load.h"
#include "tests/bench/server.h"
#include "tests/bench/signed_request.h"
#include "tests/kms/client_certificates.h"

namespace bench {
namespace {

using base::Error;
using base::ErrorCode;
using kms::client::Certificate;

constexpr std::size_t kMany = 64;
constexpr double kAwsRate = 1800;  // A second, by default, of one key store.
constexpr const char* kClientName = "cks.kms.us-east-1.amazonaws.com";

// The lines to hold.
constexpr double kShareOfEncrypt = 0.50;
constexpr double kP99Ms = 35;

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

base::Result<std::uint16_t> FreePort() {
  const hsm::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(socket.get(), generic, size) != 0 ||
      getsockname(socket.get(), generic, &size) != 0) {
    return Error{ErrorCode::kIo, "there is no free port"};
  }
  return ntohs(address.sin_port);
}

class XksKeys {
 public:
  XksKeys(const std::string& bin_dir, std::string folder, int rounds)
      : bin_dir_(bin_dir), folder_(std::move(folder)), rounds_(rounds) {}

  base::Result<std::vector<Row>> Measure();

 private:
  base::Status WriteFiles();
  base::Result<base::Json> AskOperator(const Server& server,
                                       std::string_view operation,
                                       std::string_view request);
  base::Result<SignedRequest> Encrypt(const Server& server);
  base::Result<LoadResult> Send(std::uint16_t port, SSL_CTX* tls,
                                SignedRequest& request,
                                std::optional<double> rate);

  const std::string bin_dir_;
  const std::string folder_;
  const int rounds_;
  std::uint16_t port_ = 0;
  Context tls_;
  const base::RealClock clock_;
};

// A proxy that serves who has a certificate of this authority.
base::Status XksKeys::WriteFiles() {
  ASSIGN_OR_RETURN(port_, FreePort());
  const Certificate authority({.name = "bench", .is_authority = true});
  const Certificate proxy({.name = "proxy", .alternative_names = "DNS:proxy"},
                          &authority);
  const Certificate client({.name = kClientName}, &authority);
  authority.WriteCertificate(folder_ + "/ca.pem");
  proxy.WriteCertificate(folder_ + "/proxy.pem");
  proxy.WriteKey(folder_ + "/proxy.key");
  std::ofstream(folder_ + "/xks.toml") << fmt::format(
      "[xks_proxy]\nlisten = \"127.0.0.1:{0}\"\n"
      "certificate = \"{1}/proxy.pem\"\nprivate_key = \"{1}/proxy.key\"\n"
      "client_ca = \"{1}/ca.pem\"\nclient_names = [\"{2}\"]\n"
      "[[xks_tenant]]\nname = \"bench\"\nrequests_per_second = 1000000\n",
      port_, folder_, kClientName);
  tls_.reset(SSL_CTX_new(TLS_client_method()));
  if (tls_ == nullptr ||
      SSL_CTX_use_certificate(tls_.get(), client.certificate()) != 1 ||
      SSL_CTX_use_PrivateKey(tls_.get(), client.key()) != 1) {
    return Error{ErrorCode::kInternal, "OpenSSL refuses a certificate"};
  }
  return {};
}

base::Result<base::Json> XksKeys::AskOperator(const Server& server,
                                              std::string_view operation,
                                              std::string_view request) {
  kms::client::Options options;
  ASSIGN_OR_RETURN(options.endpoint,
                   kms::client::ParseEndpoint(server.socket()));
  ASSIGN_OR_RETURN(const auto client,
                   kms::client::Client::Create(std::move(options), clock_));
  ASSIGN_OR_RETURN(
      const auto response,
      client->Call(std::string("Claviger.").append(operation), request));
  return base::ParseJson(response.body);
}

// 32 bytes, the way a KMS sends what it has encrypted first, with an integrity
// value as it always asks for.
base::Result<SignedRequest> XksKeys::Encrypt(const Server& server) {
  ASSIGN_OR_RETURN(const base::Json key,
                   AskOperator(server, "CreateExternalKey",
                               R"({"Tenant":"bench","ExternalKeyId":"k"})"));
  ASSIGN_OR_RETURN(
      const base::Json credential,
      AskOperator(server, "CreateXksCredential", R"({"Tenant":"bench"})"));
  RequestForm form;
  form.path = "/kms/xks/v1/keys/k/encrypt";
  form.host = "xks.example.com";
  form.content_type = "application/json";
  form.service = "kms-xks-proxy";
  form.access_key_id = base::TextOf(credential.at("AccessKeyId"));
  form.secret = base::TextOf(credential.at("RawSecretAccessKey"));
  return SignedRequest(
      form,
      R"({"requestMetadata":{"awsPrincipalArn":"arn:aws:iam::111122223333:user)"
      R"(/Alice","kmsOperation":"Encrypt","kmsKeyArn":"arn:aws:kms:us-east-1:)"
      R"(111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",)"
      R"("kmsRequestId":"4112f4d6-db54-4af4-ae30-c55a22a8dfae"},)"
      R"("plaintext":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",)"
      R"("encryptionAlgorithm":"AES_GCM","additionalAuthenticatedData":)"
      R"("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",)"
      R"("ciphertextDataIntegrityValueAlgorithm":"SHA_256"})");
}

base::Result<LoadResult> XksKeys::Send(std::uint16_t port, SSL_CTX* tls,
                                       SignedRequest& request,
                                       std::optional<double> rate) {
  LoadPlan plan;
  plan.port = port;
  plan.tls = tls;
  plan.connections = kMany;
  plan.rate = rate;
  plan.next_request = [&] { return request.Bytes(); };
  ASSIGN_OR_RETURN(LoadResult result, Run(plan));
  RETURN_IF_ERROR(result.Check());
  return result;
}

base::Result<std::vector<Row>> XksKeys::Measure() {
  RETURN_IF_ERROR(WriteFiles());
  ASSIGN_OR_RETURN(
      Server server,
      Server::Start(bin_dir_, folder_, {"--dev-xks", folder_ + "/xks.toml"}));
  ASSIGN_OR_RETURN(const std::string key,
                   server.Ask("CreateKey", "{}", "KeyMetadata/KeyId"));
  SignedRequest own(
      "Encrypt",
      fmt::format(R"({{"KeyId":"{}","Plaintext":)"
                  R"("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}})",
                  key));
  ASSIGN_OR_RETURN(SignedRequest xks, Encrypt(server));
  std::vector<double> rates, shares, p99_ms;
  for (int round = 0; round < rounds_; ++round) {
    ASSIGN_OR_RETURN(const LoadResult of_kms,
                     Send(server.port(), nullptr, own, {}));
    ASSIGN_OR_RETURN(const LoadResult of_xks, Send(port_, tls_.get(), xks, {}));
    ASSIGN_OR_RETURN(const LoadResult steady,
                     Send(port_, tls_.get(), xks, kAwsRate));
    rates.push_back(of_xks.Rate());
    shares.push_back(of_xks.Rate() / of_kms.Rate());
    p99_ms.push_back(steady.MillisecondsAt(0.99));
  }
  const auto percent = [](double share) {
    return fmt::format("{:.1f} %", share * 100);
  };
  const auto ms = [](double value) { return fmt::format("{:.2f} ms", value); };
  return std::vector<Row>{
      {"XKS Encrypt, mTLS, 64 connections",
       fmt::format("{:.0f}/s", Median(rates)),
       "",
       {}},
      AtLeast("that, of Encrypt", Median(shares), kShareOfEncrypt, percent),
      AtMost("its p99 at 1,800/s", Median(p99_ms), kP99Ms, ms)};
}

}  // namespace

base::Result<std::vector<Row>> MeasureXksKeys(const std::string& bin_dir,
                                              const std::string& folder,
                                              int rounds) {
  const std::string own = folder + "/xks-keys";
  std::filesystem::create_directory(own);
  return XksKeys(bin_dir, own, rounds).Measure();
}

}  // namespace bench
