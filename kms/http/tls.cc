// SPDX-License-Identifier: Apache-2.0
#include "kms/http/tls.h"

#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <string_view>
#include <utility>

namespace kms::http {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

// Tickets are bound to it; it need only differ from other programs' ids.
constexpr std::string_view kSessionIdContext = "clavigerd";

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

base::Result<std::shared_ptr<ssl::context>> Make(const TlsFiles& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  RETURN_IF_ERROR(Harden(context->native_handle()));
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

}  // namespace

base::Result<std::shared_ptr<TlsContext>> TlsContext::Load(TlsFiles files) {
  std::shared_ptr<TlsContext> tls(new TlsContext(std::move(files)));
  RETURN_IF_ERROR(tls->Reload());
  return tls;
}

base::Status TlsContext::Reload() {
  ASSIGN_OR_RETURN(auto made, Make(files_));
  const std::lock_guard lock(mutex_);
  current_ = std::move(made);
  return {};
}

std::shared_ptr<ssl::context> TlsContext::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

}  // namespace kms::http
