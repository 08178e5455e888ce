// SPDX-License-Identifier: Apache-2.0
#include "kms/http/request_reader.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "kms/http/head.h"
#include "kms/http/kept_buffer.h"

namespace kms::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::beast::error_code;
using BeastView = boost::beast::string_view;

constexpr std::size_t kFirstBufferBytes = 4 * 1024;

std::string_view View(BeastView text) { return {text.data(), text.size()}; }

Refusal RefusalFor(const error_code& error) {
  if (error == beast_http::error::header_limit) {
    return {431, "the request's header is too large"};
  }
  if (error == beast_http::error::body_limit) {
    return {413, "the request's body is too large"};
  }
  if (error == beast_http::error::bad_content_length ||
      error == beast_http::error::multiple_content_length) {
    return kBadContentLength;
  }
  if (error == beast_http::error::bad_transfer_encoding) {
    return kBadTransferEncoding;
  }
  return {400, "this is not an HTTP/1.1 request"};
}

// Whether the header line of `name` goes on in the next one, as RFC 9112, 5.2
// has it for old senders. `name` lies within the bytes received; Beast, which
// unfolds, has found the end of its line and looked at the byte behind it.
bool IsFolded(BeastView name) {
  const char* end = name.data() + name.size();
  while (*end != '\n') {
    ++end;
  }
  return end[1] == ' ' || end[1] == '\t';
}

// Beast's parser, storing into what outlives it: one is made for each request.
class Parser final : public beast_http::basic_parser<true> {
 public:
  Parser(const RequestLimits& limits, Head& head, base::WipingString& body)
      : limits_(limits), head_(head), body_(body) {
    header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    body_limit(limits.body_bytes);
    eager(true);
  }

  const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  void on_request_impl(beast_http::verb, BeastView method, BeastView target,
                       int version, error_code&) override {
    head_.SetRequestLine(View(method), View(target), version == 10);
  }

  void on_response_impl(int, BeastView, int, error_code&) override {}

  void on_field_impl(beast_http::field, BeastView name, BeastView value,
                     error_code& error) override {
    if (IsFolded(name)) {
      return Refuse({400, "a header line is folded"}, error);
    }
    if (in_trailer_) {
      return;  // Trailers could only contradict the head: RFC 9110, 6.5.1.
    }
    if (head_.fields_seen() == limits_.header_fields) {
      return Refuse({431, "the request has too many headers"}, error);
    }
    head_.AddField(View(name), View(value));
  }

  void on_header_impl(error_code& error) override {
    in_trailer_ = true;
    head_.Finish();
    if (const auto refusal = head_.Check()) {
      Refuse(*refusal, error);
    }
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length,
                         error_code&) override {
    // A promise is not a reason to allocate: grow with what arrives.
    body_.reserve(
        std::clamp<std::size_t>(length.value_or(0), 64, kMostKeptBytes));
  }
  std::size_t on_body_impl(BeastView bytes, error_code&) override {
    body_.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, BeastView, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView bytes,
                                 error_code&) override {
    body_.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_finish_impl(error_code&) override {}

  void Refuse(const Refusal& refusal, error_code& error) {
    refusal_ = refusal;
    error = beast_http::error::bad_field;
  }

  const RequestLimits& limits_;
  Head& head_;
  base::WipingString& body_;
  bool in_trailer_ = false;
  std::optional<Refusal> refusal_;
};

}  // namespace

struct RequestReader::State {
  explicit State(const RequestLimits& request_limits)
      : limits(request_limits),
        buffer(std::min(kFirstBufferBytes, limits.header_bytes)) {
    parser.emplace(limits, head, body);
  }

  std::span<char> Unparsed() {
    return {reinterpret_cast<char*>(buffer.data()) + begin, end - begin};
  }

  // Moves what is not yet parsed to the front.
  void Compact() {
    std::memmove(buffer.data(), buffer.data() + begin, end - begin);
    OPENSSL_cleanse(buffer.data() + (end - begin), begin);
    end -= begin;
    begin = 0;
    wiped = 0;
  }

  const RequestLimits limits;
  base::WipingBytes buffer;  // Grows up to limits.header_bytes.
  std::size_t begin = 0;     // Parsed up to here,
  std::size_t end = 0;       // received up to here,
  std::size_t wiped = 0;     // and overwritten up to here.
  std::size_t head_bytes = 0;
  Head head;
  base::WipingString body;
  std::optional<Parser> parser;
  std::optional<Refusal> refusal;
  bool told_to_continue = false;
};

RequestReader::RequestReader(const RequestLimits& limits)
    : state_(std::make_unique<State>(limits)) {}
RequestReader::~RequestReader() = default;

std::span<char> RequestReader::Space() {
  State& s = *state_;
  if (s.end == s.buffer.size()) {
    if (s.begin > 0) {
      s.Compact();
    } else {
      s.buffer.resize(std::min(s.buffer.size() * 2, s.limits.header_bytes));
    }
  }
  return {reinterpret_cast<char*>(s.buffer.data()) + s.end,
          s.buffer.size() - s.end};
}

void RequestReader::Received(std::size_t size) { state_->end += size; }

RequestReader::Progress RequestReader::Parse() {
  State& s = *state_;
  const auto refuse = [&s](const Refusal& refusal) {
    s.refusal = refusal;
    return Progress::kRefused;
  };
  while (!s.refusal && !s.parser->is_done()) {
    // Beast asserts that five bytes are there when it comes back to a last
    // chunk, "0" CRLF CRLF; no chunked body ends with fewer.
    const bool in_chunks = s.parser->is_header_done() && s.parser->chunked();
    if (s.end - s.begin < (in_chunks ? 5 : 1)) {
      return Progress::kNeedsMore;
    }
    const std::span<char> bytes = s.Unparsed();
    error_code error;
    const bool in_head = !s.parser->is_header_done();
    const std::size_t used =
        s.parser->put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    s.begin += used;
    s.head_bytes += in_head ? used : 0;
    if (s.parser->refusal()) {
      return refuse(*s.parser->refusal());
    }
    if (error && error != beast_http::error::need_more) {
      return refuse(RefusalFor(error));
    }
    if (!s.parser->is_header_done() &&
        s.head_bytes + (s.end - s.begin) >= s.limits.header_bytes) {
      // Beast's limit holds for one call, not for a head sent in pieces.
      return refuse(RefusalFor(beast_http::error::header_limit));
    }
    if (s.end - s.begin == s.limits.header_bytes && !s.parser->is_done()) {
      return refuse({400, "a chunk's header or trailer is too long"});
    }
    if (error) {
      return Progress::kNeedsMore;
    }
  }
  return s.refusal ? Progress::kRefused : Progress::kComplete;
}

bool RequestReader::HasBegun() const {
  return state_->head_bytes > 0 || state_->end > state_->begin;
}

bool RequestReader::HasHead() const { return state_->parser->is_header_done(); }

bool RequestReader::TakeExpectsContinue() {
  const bool expects = HasHead() && state_->head.ExpectsContinue() &&
                       state_->begin == state_->end && state_->body.empty();
  return expects && !std::exchange(state_->told_to_continue, true);
}

HttpRequest RequestReader::Request(const Peer& peer, Door door) const {
  return HttpRequest{.method = state_->head.method(),
                     .target = state_->head.target(),
                     .headers = state_->head.fields(),
                     .body = state_->body,
                     .peer = peer,
                     .door = door};
}

bool RequestReader::KeepsAlive() const { return state_->parser->keep_alive(); }
bool RequestReader::IsHttp10() const { return state_->head.is_http10(); }

const Refusal& RequestReader::refusal() const { return *state_->refusal; }

void RequestReader::Next() {
  State& s = *state_;
  OPENSSL_cleanse(s.buffer.data() + s.wiped, s.begin - s.wiped);
  s.wiped = s.begin;
  if (s.begin == s.end) {
    s.begin = s.end = s.wiped = 0;
  }
  EmptyBetweenRequests(s.body);
  s.head.Clear();
  s.head_bytes = 0;
  s.told_to_continue = false;
  s.parser.emplace(s.limits, s.head, s.body);
}

}  // namespace kms::http
