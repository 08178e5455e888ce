// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_CLIENT_H_
#define KMS_CLIENT_CLIENT_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/sigv4_signer.h"
#include "kms/client/options.h"
#include "kms/client/response.h"
#include "kms/client/stream.h"
#include "kms/client/tls.h"

namespace kms::client {

// A Client calls the operations of one clavigerd, over a Unix socket, HTTPS, or
// plain HTTP on loopback, one at a time, on one connection that it keeps.
//
// It is made to live in other people's processes: it starts no thread, changes
// no signal, keeps no global state, and has an OpenSSL library context of its
// own. After a fork, the child's first call drops the connection that it
// inherited, without a word to the server, and makes its own.
//
// Not synchronised: one Client per thread, or a pool of them.
class Client {
 public:
  // Reads certificates, but does not connect yet. `clock` is borrowed. Fails
  // with kInvalidArgument if `options` cannot work.
  static base::Result<std::unique_ptr<Client>> Create(Options options,
                                                      const base::Clock& clock);

  // Calls `operation` ("Encrypt"; one of our own extensions with its prefix:
  // "Claviger.Status") with the JSON text `request`, and returns the reply.
  //
  // An answer that is an AWS error becomes an Error by the table of errors.h,
  // its message "<AWS type>: <message>". Otherwise: kIo, the server cannot be
  // reached or hung up; kTimeout, it was too slow; kCorrupt, its reply is not
  // HTTP or TLS as it should be. After these three it is unknown whether the
  // operation took place.
  base::Result<Response> Call(std::string_view operation,
                              std::string_view request);

  // Fetches a page such as "/readyz", whatever its status.
  base::Result<Response> Get(std::string_view path);

  const Endpoint& endpoint() const { return options_.endpoint; }

 private:
  Client(Options options, const base::Clock& clock, LibraryContext library,
         std::optional<TlsContext> tls);

  base::Result<Response> Exchange(std::string_view message, bool repeatable);
  base::Result<Response> Attempt(std::string_view message,
                                 const Deadline& deadline);
  base::Result<Response> ReadResponse(const Deadline& deadline);
  void DropUnusableStream(const Deadline& deadline);
  base::Status Connect();

  Options options_;
  const base::Clock& clock_;
  LibraryContext library_;  // Outlives what is made in it, below.
  std::optional<TlsContext> tls_;
  base::Hasher hasher_;
  std::optional<base::SigV4Signer> signer_;  // Not on a Unix socket.
  DescriptorSet descriptors_;
  std::unique_ptr<Stream> stream_;
  pid_t owner_ = 0;        // The process that made `stream_`.
  bool answered_ = false;  // The last attempt got a byte of a reply.
};

}  // namespace kms::client

#endif  // KMS_CLIENT_CLIENT_H_
