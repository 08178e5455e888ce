// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_REQUEST_READER_H_
#define KMS_HTTP_REQUEST_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "kms/http/head.h"
#include "kms/http/message.h"

namespace kms::http {

// What a request may at most be.
struct RequestLimits {
  std::size_t header_bytes = 16 * 1024;  // Request line and header lines.
  std::size_t header_fields = 100;
  std::size_t body_bytes = 256 * 1024;
};

// A RequestReader turns the bytes of one connection into requests. It does no
// I/O: read into Space(), say how much with Received(), ask Parse(), and after
// each whole request call Next(). Bytes of the requests that follow
// (pipelining) are kept.
//
// It is strict where leniency would let two readers disagree about where a
// request ends: Transfer-Encoding is exactly "chunked" or refused, and never
// stands beside Content-Length; Content-Length is one number; lines end in
// CRLF, and none goes on in the next.
//
// All bytes of a request are overwritten by Next() or the destructor. Not
// synchronised.
class RequestReader {
 public:
  enum class Progress : std::uint8_t { kNeedsMore, kComplete, kRefused };

  explicit RequestReader(const RequestLimits& limits);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  // Where the next bytes go; never empty while Parse() says kNeedsMore. Valid
  // until the next call of any non-const member.
  std::span<char> Space();
  void Received(std::size_t size);

  Progress Parse();

  // Whether a byte of the current request has come, and its whole head.
  bool HasBegun() const;
  bool HasHead() const;

  // Whether the client waits for "100 Continue" before it sends the body. Says
  // so once a request.
  bool TakeExpectsContinue();

  // After kComplete.
  HttpRequest Request(const Peer& peer, Door door) const;
  bool KeepsAlive() const;
  bool IsHttp10() const;

  // After kRefused.
  const Refusal& refusal() const;

  // Forgets the current request.
  void Next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kms::http

#endif  // KMS_HTTP_REQUEST_READER_H_
