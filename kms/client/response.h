// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_RESPONSE_H_
#define KMS_CLIENT_RESPONSE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/wiping.h"

namespace kms::client {

// What the server answered.
struct Response {
  int status = 0;
  std::string request_id;   // x-amzn-RequestId; empty if there was none.
  base::WipingString body;  // May hold plaintext.
};

// A ResponseParser reads one HTTP/1.1 response from bytes that arrive in pieces
// of any size. It is strict, because a reply that two readers could take
// differently is worse than none: CRLF only, no folded headers, either one
// Content-Length or exactly "chunked", no chunk extensions, no trailers, no
// interim responses. Header section and body are bounded. Not synchronised.
class ResponseParser {
 public:
  static constexpr std::size_t kMaxHeaderBytes = 16U << 10;
  static constexpr std::size_t kMaxBodyBytes = 1U << 20;

  // Takes bytes off the front of `bytes`, as far as the response reaches, and
  // returns how many. Fails with kCorrupt; the parser is then of no more use.
  base::Result<std::size_t> Feed(base::ByteView bytes);

  bool Done() const { return state_ == State::kDone; }
  // Whether any byte of a response has been seen.
  bool Started() const { return started_; }
  // Whether the server will read another request on the same connection.
  bool KeepAlive() const { return keep_alive_; }

  // The response, once Done().
  Response Take() && { return std::move(response_); }

 private:
  enum class State : std::uint8_t {
    kStatusLine,
    kHeader,
    kBody,  // Of known length: `left_` bytes.
    kChunkSize,
    kChunk,       // `left_` bytes of it.
    kChunkEnd,    // The CRLF after a chunk.
    kTrailerEnd,  // The CRLF after the last chunk.
    kDone,
  };

  base::Result<std::size_t> TakeBody(base::ByteView bytes);
  base::Result<std::size_t> TakeLineByte(char c);
  base::Status Line();
  base::Status StatusLine();
  base::Status HeaderLine();
  base::Status Header(std::string_view name, std::string_view value);
  base::Status EndOfHeaders();
  base::Status ChunkSize();

  State state_ = State::kStatusLine;
  bool started_ = false;
  bool keep_alive_ = true;
  bool chunked_ = false;
  std::optional<std::size_t> length_;
  std::size_t left_ = 0;
  std::size_t header_bytes_ = 0;
  std::string line_;  // The line being read, without its CRLF.
  bool after_cr_ = false;
  Response response_;
};

}  // namespace kms::client

#endif  // KMS_CLIENT_RESPONSE_H_
