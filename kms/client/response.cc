// SPDX-License-Identifier: Apache-2.0
#include "kms/client/response.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace kms::client {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxChunkLine = 8;  // Hexadecimal digits.

Error Malformed(std::string what) {
  return Error{ErrorCode::kCorrupt, "malformed reply: " + std::move(what)};
}

// RFC 9110 5.6.2.
bool IsTokenCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7F;
}

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, Lower, Lower);
}

std::string_view TrimBlanks(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// All of `text` as a number, or nothing.
std::optional<std::size_t> ParseNumber(std::string_view text, int radix) {
  std::size_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, radix);
  if (error != std::errc() || stop != end) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

base::Result<std::size_t> ResponseParser::Feed(base::ByteView bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !Done()) {
    started_ = true;
    const bool in_body = state_ == State::kBody || state_ == State::kChunk;
    ASSIGN_OR_RETURN(const std::size_t taken,
                     in_body ? TakeBody(bytes.subspan(used))
                             : TakeLineByte(static_cast<char>(bytes[used])));
    used += taken;
  }
  return used;
}

base::Result<std::size_t> ResponseParser::TakeBody(base::ByteView bytes) {
  const std::size_t size = std::min(left_, bytes.size());
  response_.body.append(base::AsText(bytes.first(size)));
  left_ -= size;
  if (left_ == 0) {
    state_ = state_ == State::kBody ? State::kDone : State::kChunkEnd;
  }
  return size;
}

base::Result<std::size_t> ResponseParser::TakeLineByte(char c) {
  if (state_ == State::kStatusLine || state_ == State::kHeader) {
    if (++header_bytes_ > kMaxHeaderBytes) {
      return Malformed("its headers are longer than 16 KiB");
    }
  } else if (line_.size() > kMaxChunkLine) {
    return Malformed("the line of a chunk's size is too long");
  }
  if (after_cr_) {
    if (c != '\n') {
      return Malformed("a line does not end in CRLF");
    }
    after_cr_ = false;
    RETURN_IF_ERROR(Line());
    line_.clear();
  } else if (c == '\r') {
    after_cr_ = true;
  } else if (IsControl(c)) {
    return Malformed("a control character in a line");
  } else {
    line_.push_back(c);
  }
  return 1;
}

base::Status ResponseParser::Line() {
  switch (state_) {
    case State::kStatusLine:
      return StatusLine();
    case State::kHeader:
      return line_.empty() ? EndOfHeaders() : HeaderLine();
    case State::kChunkSize:
      return ChunkSize();
    case State::kChunkEnd:
    case State::kTrailerEnd:
      if (!line_.empty()) {
        return Malformed("a chunk is longer than it said, or has a trailer");
      }
      state_ = state_ == State::kChunkEnd ? State::kChunkSize : State::kDone;
      return {};
    case State::kBody:
    case State::kChunk:
    case State::kDone:
      break;
  }
  return Error{ErrorCode::kInternal, "no line is read in this state"};
}

// "HTTP/1.1 200 OK"; the reason may be empty, its blank may not be missing.
base::Status ResponseParser::StatusLine() {
  const std::string_view line = line_;
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  constexpr std::size_t kCodeEnd = kVersion.size() + 3;
  if (!line.starts_with(kVersion) || line.size() <= kCodeEnd ||
      line[kCodeEnd] != ' ') {
    return Malformed("it does not begin with an HTTP/1.1 status line");
  }
  const auto code = ParseNumber(line.substr(kVersion.size(), 3), 10);
  if (!code.has_value() || *code < 200 || *code > 599) {
    return Malformed("its status is not one from 200 to 599");
  }
  response_.status = static_cast<int>(*code);
  state_ = State::kHeader;
  return {};
}

base::Status ResponseParser::HeaderLine() {
  const std::string_view line = line_;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0 ||
      !std::ranges::all_of(line.substr(0, colon), IsTokenCharacter)) {
    return Malformed("a header line has no proper name");
  }
  return Header(line.substr(0, colon), TrimBlanks(line.substr(colon + 1)));
}

base::Status ResponseParser::Header(std::string_view name,
                                    std::string_view value) {
  if (EqualsIgnoringCase(name, "content-length")) {
    const bool digits =
        std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
    const auto length = ParseNumber(value, 10);
    if (!digits || !length.has_value() || length_.has_value()) {
      return Malformed("Content-Length must be one number, given once");
    }
    length_ = length;
  } else if (EqualsIgnoringCase(name, "transfer-encoding")) {
    if (chunked_ || !EqualsIgnoringCase(value, "chunked")) {
      return Malformed("Transfer-Encoding must be 'chunked', given once");
    }
    chunked_ = true;
  } else if (EqualsIgnoringCase(name, "connection")) {
    keep_alive_ = keep_alive_ && !EqualsIgnoringCase(value, "close");
  } else if (EqualsIgnoringCase(name, "x-amzn-requestid")) {
    response_.request_id = value;
  }
  return {};
}

base::Status ResponseParser::EndOfHeaders() {
  const bool never_has_body = response_.status == 204;
  if (chunked_ && length_.has_value()) {
    return Malformed("both Content-Length and Transfer-Encoding");
  }
  if (!chunked_ && !length_.has_value() && !never_has_body) {
    return Malformed("neither Content-Length nor Transfer-Encoding");
  }
  if (never_has_body && (chunked_ || length_.value_or(0) != 0)) {
    return Malformed("a body where there can be none");
  }
  if (length_.value_or(0) > kMaxBodyBytes) {
    return Malformed("its body is longer than 1 MiB");
  }
  left_ = length_.value_or(0);
  response_.body.reserve(left_);
  if (chunked_) {
    state_ = State::kChunkSize;
  } else {
    state_ = left_ == 0 ? State::kDone : State::kBody;
  }
  return {};
}

base::Status ResponseParser::ChunkSize() {
  const auto size = ParseNumber(line_, 16);
  // from_chars takes a minus sign nowhere for unsigned types, and no "0x".
  if (!size.has_value()) {
    return Malformed("a chunk's size is not a hexadecimal number");
  }
  if (*size > kMaxBodyBytes - response_.body.size()) {
    return Malformed("its body is longer than 1 MiB");
  }
  left_ = *size;
  state_ = left_ == 0 ? State::kTrailerEnd : State::kChunk;
  return {};
}

}  // namespace kms::client
