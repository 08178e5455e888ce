// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_TLS_H_
#define KMS_HTTP_TLS_H_

#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"

namespace boost::asio::ssl {
class context;
}

namespace kms::http {

// Where a server's certificate lies, both in PEM: the chain, leaf first, and
// the private key of the leaf.
struct TlsFiles {
  std::string certificate_chain;
  std::string private_key;
};

// A TlsContext is what a TLS listener presents: TLS 1.2 and 1.3, session
// tickets, one certificate. Safe to call from any thread.
class TlsContext {
 public:
  // Fails with kInvalidArgument, naming the file, if one cannot be read or the
  // two do not fit.
  static base::Result<std::shared_ptr<TlsContext>> Load(TlsFiles files);

  // Reads the files again. Connections that exist keep what they have; if it
  // fails, new ones do too.
  base::Status Reload();

  // What the next connection uses.
  std::shared_ptr<boost::asio::ssl::context> current() const;

 private:
  explicit TlsContext(TlsFiles files) : files_(std::move(files)) {}

  const TlsFiles files_;
  mutable std::mutex mutex_;
  std::shared_ptr<boost::asio::ssl::context> current_;  // Guarded by mutex_.
};

}  // namespace kms::http

#endif  // KMS_HTTP_TLS_H_
