// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_TLS_H_
#define KMS_HTTP_TLS_H_

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "kms/http/message.h"

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

// Whether clients are asked for a certificate. None has to have one, and
// whatever it shows is accepted whoever issued it, unless its key is weaker
// than 112 bits: what it stands for is not for TLS to say.
enum class ClientCertificates : std::uint8_t { kIgnore, kAsk };

// Which clients a listener has anything to do with: those with a certificate
// that leads to an authority of the PEM file `ca_file` and has one of these
// common names. The handshake with any other ends in the alert
// handshake_failure, as the XKS proxy API wants it (v1.0.3, "Client
// certificates").
struct KnownClients {
  std::string ca_file;
  std::vector<std::string> names;
};

// A TlsContext is what a TLS listener presents: TLS 1.2 and 1.3, session
// tickets, one certificate. Safe to call from any thread.
class TlsContext {
 public:
  // Fails with kInvalidArgument, naming the file, if one cannot be read or the
  // two do not fit.
  static base::Result<std::shared_ptr<TlsContext>> Load(
      TlsFiles files, ClientCertificates clients = ClientCertificates::kIgnore);

  // The same for a listener that serves `known` only. Whoever uses the context
  // must not outlive it.
  static base::Result<std::shared_ptr<TlsContext>> LoadForKnown(
      TlsFiles files, KnownClients known);

  // Reads the files again, for Adopt. Fails like Load, and changes nothing.
  base::Result<std::shared_ptr<boost::asio::ssl::context>> Read() const;
  // Puts what Read has given in force. Connections that exist keep what they
  // have.
  void Adopt(std::shared_ptr<boost::asio::ssl::context> read);
  // Both.
  base::Status Reload();

  // What the next connection uses.
  std::shared_ptr<boost::asio::ssl::context> current() const;

 private:
  TlsContext(TlsFiles files, ClientCertificates clients,
             std::optional<KnownClients> known)
      : files_(std::move(files)), clients_(clients), known_(std::move(known)) {}

  const TlsFiles files_;
  const ClientCertificates clients_;
  const std::optional<KnownClients> known_;
  mutable std::mutex mutex_;
  std::shared_ptr<boost::asio::ssl::context> current_;  // Guarded by mutex_.
};

// The certificate that the client has shown, now or, of a resumed session, when
// that began. None if it has shown none, or its dates cannot be read.
std::optional<PeerCertificate> PeerCertificateOf(const SSL* connection);

}  // namespace kms::http

#endif  // KMS_HTTP_TLS_H_
