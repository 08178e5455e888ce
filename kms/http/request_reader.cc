// SPDX-License-Identifier: Apache-2.0
#include "kms/http/request_reader.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kms::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::beast::error_code;
using BeastView = boost::beast::string_view;

constexpr std::size_t kFirstBufferBytes = 4 * 1024;
// A body buffer larger than this is given back between requests.
constexpr std::size_t kKeptBodyBytes = 16 * 1024;

// Headers that frame or address a request: two of them leave room for two
// readings (RFC 9112, 3.2 and 6.3).
constexpr std::array<std::string_view, 3> kAtMostOnce = {"content-length",
                                                         "expect", "host"};

std::string_view View(BeastView text) { return {text.data(), text.size()}; }

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return Lower(a) == b; });
}

bool IsNumber(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c >= '0' && c <= '9';
  });
}

Refusal RefusalFor(const error_code& error) {
  if (error == beast_http::error::header_limit) {
    return {431, "the request's header is too large"};
  }
  if (error == beast_http::error::body_limit) {
    return {413, "the request's body is too large"};
  }
  if (error == beast_http::error::bad_content_length ||
      error == beast_http::error::multiple_content_length) {
    return {400, "Content-Length must be one number"};
  }
  if (error == beast_http::error::bad_transfer_encoding) {
    return {400, "Transfer-Encoding must be exactly \"chunked\", alone"};
  }
  return {400, "this is not an HTTP/1.1 request"};
}

// A Head is the request line and the header lines, copied into one string:
// positions, because the string grows.
class Head {
 public:
  struct Piece {
    std::size_t begin = 0;
    std::size_t size = 0;
  };

  void Clear() {
    text_.clear();
    fields_.clear();
    views_.clear();
  }

  Piece Append(std::string_view text) {
    const Piece piece{text_.size(), text.size()};
    text_.append(text);
    return piece;
  }

  void AppendField(std::string_view name, std::string_view value) {
    const Piece lower = Append(name);
    std::transform(text_.end() - lower.size, text_.end(),
                   text_.end() - lower.size, Lower);
    fields_.push_back({lower, Append(value)});
  }

  // Ends the growing.
  void Finish() {
    for (const auto& [name, value] : fields_) {
      views_.push_back({Text(name), Text(value)});
    }
  }

  std::string_view Text(Piece piece) const {
    return std::string_view(text_).substr(piece.begin, piece.size);
  }
  std::size_t size() const { return fields_.size(); }
  std::span<const base::HeaderView> fields() const { return views_; }

  const base::HeaderView* Find(std::string_view name) const {
    const auto found = std::find_if(
        views_.begin(), views_.end(),
        [name](const base::HeaderView& field) { return field.name == name; });
    return found == views_.end() ? nullptr : &*found;
  }

 private:
  base::WipingString text_;
  std::vector<std::pair<Piece, Piece>> fields_;
  std::vector<base::HeaderView> views_;
};

// Beast's parser, storing into what outlives it: one is made for each request.
class Parser final : public beast_http::basic_parser<true> {
 public:
  Parser(const RequestLimits& limits, Head& head, base::WipingString& body)
      : limits_(limits), head_(head), body_(body) {
    header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    body_limit(limits.body_bytes);
    eager(true);
  }

  std::string_view method() const { return head_.Text(method_); }
  std::string_view target() const { return head_.Text(target_); }
  bool is_http10() const { return version_ == 10; }
  bool expects_continue() const { return expects_continue_; }
  const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  void on_request_impl(beast_http::verb, BeastView method, BeastView target,
                       int version, error_code&) override {
    method_ = head_.Append(View(method));
    target_ = head_.Append(View(target));
    version_ = version;
  }

  void on_response_impl(int, BeastView, int, error_code&) override {}

  void on_field_impl(beast_http::field, BeastView name, BeastView value,
                     error_code& error) override {
    if (in_trailer_) {
      return;  // Trailers could only contradict the head: RFC 9110, 6.5.1.
    }
    if (head_.size() == limits_.header_fields) {
      return Refuse({431, "the request has too many headers"}, error);
    }
    head_.AppendField(View(name), View(value));
  }

  void on_header_impl(error_code& error) override {
    in_trailer_ = true;
    head_.Finish();
    if (const auto refusal = CheckHead()) {
      Refuse(*refusal, error);
    }
  }

  std::optional<Refusal> CheckHead();

  void on_body_init_impl(const boost::optional<std::uint64_t>& length,
                         error_code&) override {
    // A promise is not a reason to allocate: grow with what arrives.
    body_.reserve(
        std::clamp<std::size_t>(length.value_or(0), 64, kKeptBodyBytes));
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
  Head::Piece method_;
  Head::Piece target_;
  int version_ = 0;
  bool in_trailer_ = false;
  bool expects_continue_ = false;
  std::optional<Refusal> refusal_;
};

// What Beast lets pass and we do not.
std::optional<Refusal> Parser::CheckHead() {
  for (const std::string_view name : kAtMostOnce) {
    const auto fields = head_.fields();
    if (std::count_if(fields.begin(), fields.end(), [name](const auto& field) {
          return field.name == name;
        }) > 1) {
      return Refusal{400, "a header stands twice that may stand once"};
    }
  }
  const base::HeaderView* length = head_.Find("content-length");
  if (length != nullptr && !IsNumber(length->value)) {
    return RefusalFor(beast_http::error::bad_content_length);
  }
  // Beast takes a request with "Transfer-Encoding: xchunked" for one without a
  // body, and lets HTTP/1.0 be chunked, which RFC 9112, 6.1 calls faulty.
  const base::HeaderView* encoding = head_.Find("transfer-encoding");
  if (encoding != nullptr &&
      (length != nullptr || is_http10() ||
       !EqualsIgnoringCase(encoding->value, "chunked"))) {
    return RefusalFor(beast_http::error::bad_transfer_encoding);
  }
  if (head_.Find("host") == nullptr && !is_http10()) {
    return Refusal{400, "the Host header is missing"};
  }
  if (const base::HeaderView* expect = head_.Find("expect")) {
    if (!EqualsIgnoringCase(expect->value, "100-continue")) {
      return Refusal{417, "no expectation but 100-continue is understood"};
    }
    expects_continue_ = !is_http10();
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> HttpRequest::Header(
    std::string_view name) const {
  for (const base::HeaderView& field : headers) {
    if (field.name == name) {
      return field.value;
    }
  }
  return std::nullopt;
}

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
    if (s.begin == s.end) {
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
  const bool expects = HasHead() && state_->parser->expects_continue() &&
                       state_->begin == state_->end && state_->body.empty();
  return expects && !std::exchange(state_->told_to_continue, true);
}

HttpRequest RequestReader::Request(const Peer& peer, Door door) const {
  return HttpRequest{.method = state_->parser->method(),
                     .target = state_->parser->target(),
                     .headers = state_->head.fields(),
                     .body = state_->body,
                     .peer = peer,
                     .door = door};
}

bool RequestReader::KeepsAlive() const { return state_->parser->keep_alive(); }
bool RequestReader::IsHttp10() const { return state_->parser->is_http10(); }

const Refusal& RequestReader::refusal() const { return *state_->refusal; }

void RequestReader::Next() {
  State& s = *state_;
  OPENSSL_cleanse(s.buffer.data() + s.wiped, s.begin - s.wiped);
  s.wiped = s.begin;
  if (s.begin == s.end) {
    s.begin = s.end = s.wiped = 0;
  }
  OPENSSL_cleanse(s.body.data(), s.body.size());
  s.body.clear();
  if (s.body.capacity() > kKeptBodyBytes) {
    base::WipingString().swap(s.body);
  }
  s.head.Clear();
  s.head_bytes = 0;
  s.told_to_continue = false;
  s.parser.emplace(s.limits, s.head, s.body);
}

}  // namespace kms::http
