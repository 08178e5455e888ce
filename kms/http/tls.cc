// SPDX-License-Identifier: Apache-2.0
#include "kms/http/tls.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
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

// In place of OpenSSL's question on the terminal.
int RefusePassword(char* /*password*/, int /*size*/, int /*writing*/,
                   void* was_asked) {
  *static_cast<bool*>(was_asked) = true;
  return -1;
}

base::Status UsePrivateKey(ssl::context& context, const std::string& file) {
  bool was_asked = false;
  SSL_CTX_set_default_passwd_cb(context.native_handle(), RefusePassword);
  SSL_CTX_set_default_passwd_cb_userdata(context.native_handle(), &was_asked);
  error_code error;
  // OpenSSL checks here that the key is the certificate's.
  context.use_private_key_file(file, ssl::context::pem, error);
  SSL_CTX_set_default_passwd_cb_userdata(context.native_handle(), nullptr);
  if (was_asked) {
    return base::Error{
        base::ErrorCode::kInvalidArgument,
        "TLS: the private key in " + file +
            " is encrypted, and there is nobody to ask for its password: "
            "decrypt it (openssl pkey -in FILE -out NEW) and let its mode "
            "protect it"};
  }
  return error ? Unusable(file, error) : base::Status();
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
  RETURN_IF_ERROR(UsePrivateKey(*context, files.private_key));
  return context;
}

std::string CommonNameOf(X509* certificate) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) {
    return {};  // None, or several: it is not said who that is.
  }
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(
      &text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) {
    return {};
  }
  std::string name(reinterpret_cast<const char*>(text),
                   static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return name;
}

// Where an SSL_CTX has its KnownClients.
int KnownClientsIndex() {
  static const int index =
      SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// Every refusal gets the alert handshake_failure: OpenSSL's own would be
// unknown_ca and the like, by which AWS's clients do not tell what it is.
int AdmitIfKnown(int chain_is_good, X509_STORE_CTX* store) {
  const auto* const connection = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto* const known = static_cast<const KnownClients*>(
      SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), KnownClientsIndex()));
  bool admitted = chain_is_good == 1;
  if (admitted && X509_STORE_CTX_get_error_depth(store) == 0) {
    const std::string name =
        CommonNameOf(X509_STORE_CTX_get_current_cert(store));
    admitted = known != nullptr && !name.empty() &&
               std::ranges::find(known->names, name) != known->names.end();
  }
  if (!admitted) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  }
  return admitted ? 1 : 0;
}

base::Status AdmitKnownOnly(ssl::context& context, const KnownClients& known) {
  error_code error;
  context.load_verify_file(known.ca_file, error);
  if (error) {
    return Unusable(known.ca_file, error);
  }
  SSL_CTX* const native = context.native_handle();
  // Only read.
  void* const clients = const_cast<KnownClients*>(&known);
  if (SSL_CTX_set_ex_data(native, KnownClientsIndex(), clients) != 1) {
    return base::Error{base::ErrorCode::kInternal,
                       "TLS: OpenSSL refuses the server's settings"};
  }
  STACK_OF(X509_NAME)* const names =
      SSL_load_client_CA_file(known.ca_file.c_str());
  SSL_CTX_set_client_CA_list(native, names);
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                     AdmitIfKnown);
  SSL_CTX_set_max_cert_list(native, kMostCertificateBytes);
  return {};
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
  std::shared_ptr<TlsContext> tls(
      new TlsContext(std::move(files), clients, std::nullopt));
  RETURN_IF_ERROR(tls->Reload());
  return tls;
}

base::Result<std::shared_ptr<TlsContext>> TlsContext::LoadForKnown(
    TlsFiles files, KnownClients known) {
  std::shared_ptr<TlsContext> tls(new TlsContext(
      std::move(files), ClientCertificates::kIgnore, std::move(known)));
  RETURN_IF_ERROR(tls->Reload());
  return tls;
}

base::Result<std::shared_ptr<ssl::context>> TlsContext::Read() const {
  ASSIGN_OR_RETURN(auto made, Make(files_, clients_));
  if (known_) {
    RETURN_IF_ERROR(AdmitKnownOnly(*made, *known_));
  }
  return made;
}

void TlsContext::Adopt(std::shared_ptr<ssl::context> read) {
  const std::lock_guard lock(mutex_);
  current_ = std::move(read);
}

base::Status TlsContext::Reload() {
  ASSIGN_OR_RETURN(auto made, Read());
  Adopt(std::move(made));
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
