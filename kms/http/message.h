// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_MESSAGE_H_
#define KMS_HTTP_MESSAGE_H_

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/hash.h"
#include "base/sigv4.h"
#include "base/wiping.h"
#include "kms/service.h"

namespace kms::http {

// The process at the other end of a Unix socket, as the kernel names it.
struct UnixPeer {
  uid_t uid;
  pid_t pid;
};

// What is kept of a client's certificate. TLS has proved that the client has
// its key, and nothing else: who issued it was not looked at.
struct PeerCertificate {
  base::Digest sha256{};  // Of the whole certificate: its fingerprint.
  base::WallTime not_before{};
  base::WallTime not_after{};  // Inclusive, like the other.
};

// A Peer is the other end of a connection.
struct Peer {
  std::string address;                // "192.0.2.7", "2001:db8::1", or "unix".
  std::optional<UnixPeer> unix_peer;  // Set exactly on a Unix socket.
  // Set with TLS, from the handshake on, if the client has shown one.
  std::optional<PeerCertificate> certificate = {};
};

// An HttpRequest is one whole, well-framed request. Its views belong to the
// connection and hold until the handler's coroutine has returned.
struct HttpRequest {
  std::string_view method;
  std::string_view target;  // In origin form: "/", "/metrics", "/?a=b".
  // Names in lower case, values without white space around them.
  std::span<const base::HeaderView> headers;
  std::string_view body;
  const Peer& peer;
  Door door;

  // The value of the first header with this name, given in lower case.
  std::optional<std::string_view> Header(std::string_view name) const;
};

// An HttpResponse is what a handler answers; the server adds Date,
// Content-Length and Connection.
struct HttpResponse {
  unsigned status = 200;
  std::string_view content_type;  // A literal; empty: none is sent.
  base::WipingString body;
  std::string extra_headers;  // Whole lines, each ending in CRLF.
};

}  // namespace kms::http

#endif  // KMS_HTTP_MESSAGE_H_
