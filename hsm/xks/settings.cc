// SPDX-License-Identifier: Apache-2.0
#include "hsm/xks/settings.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace hsm::xks {
namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

// A key that wants a passphrase must not ask for it on the terminal.
int NoPassphrase(char* /*buffer*/, int /*size*/, int /*writing*/,
                 void* /*user_data*/) {
  return 0;
}

base::Status Check(bool ok, const char* key, const std::string& file) {
  if (ok) {
    return {};
  }
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  if (access(file.c_str(), R_OK) != 0) {
    reason = std::strerror(errno);
  }
  const std::string why = reason != nullptr ? reason : "OpenSSL refuses it";
  return base::Error{
      base::ErrorCode::kInvalidArgument,
      std::string("xks_client.") + key + ": cannot use " + file + ": " + why};
}

}  // namespace

base::Status CheckTlsFiles(const Settings& settings) {
  const std::unique_ptr<SSL_CTX, FreeContext> context(
      SSL_CTX_new(TLS_client_method()));
  ERR_clear_error();
  SSL_CTX_set_default_passwd_cb(context.get(), NoPassphrase);
  RETURN_IF_ERROR(Check(
      SSL_CTX_load_verify_file(context.get(), settings.ca_file.c_str()) == 1,
      "ca_file", settings.ca_file));
  if (settings.client_certificate.empty()) {
    return {};
  }
  RETURN_IF_ERROR(
      Check(SSL_CTX_use_certificate_chain_file(
                context.get(), settings.client_certificate.c_str()) == 1,
            "client_certificate", settings.client_certificate));
  // Fails as well if the key is not that of the certificate.
  return Check(
      SSL_CTX_use_PrivateKey_file(context.get(), settings.client_key.c_str(),
                                  SSL_FILETYPE_PEM) == 1,
      "client_key", settings.client_key);
}

}  // namespace hsm::xks
