// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_TLS_H_
#define KMS_CLIENT_TLS_H_

#include <openssl/types.h>

#include <memory>
#include <string>

#include "kms/client/socket.h"

namespace kms::client {

// A LibraryContext is an OpenSSL of our own: algorithms fetched in it come from
// its default provider, whatever the host process has configured. Not
// synchronised.
//
// Making one lets OpenSSL read its configuration first, which may load other
// PKCS#11 modules, even the one that is calling: hold no lock around it.
class LibraryContext {
 public:
  static base::Result<LibraryContext> Create();

  OSSL_LIB_CTX* get() const { return context_.get(); }

 private:
  struct Free {
    void operator()(OSSL_LIB_CTX* context) const;
    void operator()(OSSL_PROVIDER* provider) const;
  };
  std::unique_ptr<OSSL_LIB_CTX, Free> context_;
  std::unique_ptr<OSSL_PROVIDER, Free> provider_;  // Must go first.
};

// A TlsContext holds what all TLS connections of a client share: TLS 1.2 or
// later, and the certificates that servers must lead to. The library context is
// borrowed and must outlive it.
class TlsContext {
 public:
  // `ca_file` (PEM) replaces the system's certificates; empty keeps them. Fails
  // with kInvalidArgument if it holds no certificate.
  static base::Result<TlsContext> Create(const LibraryContext& library,
                                         const std::string& ca_file);

  // Does the handshake on `socket` and returns the encrypted stream. The
  // server's certificate must be valid and name `host`. Fails with
  // kInvalidArgument if it is or does not, else with kIo, kTimeout, kCorrupt.
  base::Result<std::unique_ptr<Stream>> Connect(Socket socket,
                                                const std::string& host,
                                                const Deadline& deadline);

 private:
  struct Free {
    void operator()(SSL_CTX* context) const;
  };
  std::unique_ptr<SSL_CTX, Free> context_;
  OSSL_LIB_CTX* openssl_ = nullptr;
};

}  // namespace kms::client

#endif  // KMS_CLIENT_TLS_H_
