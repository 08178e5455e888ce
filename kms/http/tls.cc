// SPDX-License-Identifier: Apache-2.0
#include "kms/http/tls.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <ctime>
#include <string_view>
#include <utility>

namespace kms::http {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

// Tickets are bound to it; it need only differ from other programs' ids.
constexpr std::string_view kSessionIdContext = "clavigerd";

// Of what a client sends as its certificate and the chain above it. OpenSSL
// would keep 100 KB for every connection.
constexpr long kMostCertificateBytes = 16 * 1024;

// NIST SP 800-57 part 1, table 2: what RSA with 2048 bits has.
constexpr int kLeastSecurityBits = 112;

base::Error Unusable(const std::string& file, const error_code& error) {
  return {base::ErrorCode::kInvalidArgument,
          "TLS: cannot use " + file + ": " + error.message()};
}

base::Status Harden(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Tickets carry the sessions: the server remembers none.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_session_id_context(
          context,
          reinterpret_cast<const unsigned char*>(kSessionIdContext.data()),
          static_cast<unsigned>(kSessionIdContext.size())) != 1) {
    return base::Error{base::ErrorCode::kInternal,
                       "TLS: OpenSSL refuses the server's settings"};
  }
  return {};
}

// In place of OpenSSL's building of chains.
int AcceptAnyIssuer(X509_STORE_CTX* context, void* /*unused*/) {
  const EVP_PKEY* const key =
      X509_get0_pubkey(X509_STORE_CTX_get0_cert(context));
  const bool strong =
      key != nullptr && EVP_PKEY_get_security_bits(key) >= kLeastSecurityBits;
  X509_STORE_CTX_set_error(context,
                           strong ? X509_V_OK : X509_V_ERR_EE_KEY_TOO_SMALL);
  return strong ? 1 : 0;
}

void AskForCertificates(SSL_CTX* context) {
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, AcceptAnyIssuer, nullptr);
  SSL_CTX_set_max_cert_list(context, kMostCertificateBytes);
}

base::Result<std::shared_ptr<ssl::context>> Make(const TlsFiles& files,
                                                 ClientCertificates clients) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  RETURN_IF_ERROR(Harden(context->native_handle()));
  if (clients == ClientCertificates::kAsk) {
    AskForCertificates(context->native_handle());
  }
  error_code error;
  context->use_certificate_chain_file(files.certificate_chain, error);
  if (error) {
    return Unusable(files.certificate_chain, error);
  }
  // OpenSSL checks here that the key is the certificate's.
  context->use_private_key_file(files.private_key, ssl::context::pem, error);
  if (error) {
    return Unusable(files.private_key, error);
  }
  return context;
}

std::optional<base::WallTime> TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  // Of a null pointer OpenSSL would say what time it is.
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
    return std::nullopt;
  }
  return base::WallTime(std::chrono::seconds(timegm(&parts)));
}

}  // namespace

base::Result<std::shared_ptr<TlsContext>> TlsContext::Load(
    TlsFiles files, ClientCertificates clients) {
  std::shared_ptr<TlsContext> tls(new TlsContext(std::move(files), clients));
  RETURN_IF_ERROR(tls->Reload());
  return tls;
}

base::Status TlsContext::Reload() {
  ASSIGN_OR_RETURN(auto made, Make(files_, clients_));
  const std::lock_guard lock(mutex_);
  current_ = std::move(made);
  return {};
}

std::shared_ptr<ssl::context> TlsContext::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

std::optional<PeerCertificate> PeerCertificateOf(const SSL* connection) {
  const X509* const certificate = SSL_get0_peer_certificate(connection);
  if (certificate == nullptr) {
    return std::nullopt;
  }
  PeerCertificate kept;
  unsigned size = 0;
  const auto not_before = TimeOf(X509_get0_notBefore(certificate));
  const auto not_after = TimeOf(X509_get0_notAfter(certificate));
  if (!not_before || !not_after ||
      X509_digest(certificate, EVP_sha256(), kept.sha256.data(), &size) != 1 ||
      size != kept.sha256.size()) {
    return std::nullopt;
  }
  kept.not_before = *not_before;
  kept.not_after = *not_after;
  return kept;
}

}  // namespace kms::http
