// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_TLS_H_
#define KMS_CLIENT_TLS_H_

#include <openssl/types.h>

#include <memory>
#include <string>

#include "kms/client/library.h"
#include "kms/client/socket.h"

namespace kms::client {

// What servers' certificates must lead to: those of `pem`, which were read from
// `file`, or the system's if `file` is empty. The text is kept because a
// process that has changed its root or its user since may not find the file
// again.
struct Authorities {
  std::string file;
  std::string pem;

  // Fails with kInvalidArgument if the file cannot be read.
  static base::Result<Authorities> Read(const std::string& file);
};

// A TlsContext holds what all TLS connections of a client share: TLS 1.2 or
// later, and the certificates that servers must lead to. The library context is
// borrowed and must outlive it.
class TlsContext {
 public:
  // Fails with kInvalidArgument if `authorities` holds no certificate or one
  // that is damaged.
  static base::Result<TlsContext> Create(const LibraryContext& library,
                                         const Authorities& authorities);

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
