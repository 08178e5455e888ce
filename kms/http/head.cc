// SPDX-License-Identifier: Apache-2.0
#include "kms/http/head.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>

#include "kms/http/message.h"

namespace kms::http {
namespace {

// Headers that frame or address a request: two of them leave room for two
// readings (RFC 9112, 3.2 and 6.3).
constexpr std::array<std::string_view, 3> kAtMostOnce = {"content-length",
                                                         "expect", "host"};

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool IsNumber(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c >= '0' && c <= '9';
  });
}

const base::HeaderView* FindIn(std::span<const base::HeaderView> fields,
                               std::string_view name) {
  const auto found = std::find_if(
      fields.begin(), fields.end(),
      [name](const base::HeaderView& field) { return field.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

}  // namespace

std::optional<std::string_view> HttpRequest::Header(
    std::string_view name) const {
  const base::HeaderView* field = FindIn(headers, name);
  return field == nullptr ? std::nullopt : std::optional(field->value);
}

void Head::SetRequestLine(std::string_view method, std::string_view target,
                          bool is_http10) {
  method_ = Append(method);
  target_ = AppendOriginForm(target);
  is_http10_ = is_http10;
}

void Head::AddField(std::string_view name, std::string_view value) {
  const Piece name_piece = Append(name);
  const auto begin = text_.end() - static_cast<std::ptrdiff_t>(name.size());
  std::transform(begin, text_.end(), begin, Lower);
  pieces_.push_back({name_piece, Append(value)});
}

void Head::Finish() {
  for (const auto& [name, value] : pieces_) {
    fields_.push_back({Text(name), Text(value)});
  }
}

// Beast checks most of the form; this is what it lets pass and we do not.
std::optional<Refusal> Head::Check() const {
  if (std::any_of(kAtMostOnce.begin(), kAtMostOnce.end(),
                  [this](std::string_view name) { return HasTwo(name); })) {
    return Refusal{400, "a header comes twice that may come once"};
  }
  const base::HeaderView* length = Find("content-length");
  if (length != nullptr && !IsNumber(length->value)) {
    return kBadContentLength;
  }
  // Beast takes a request with "Transfer-Encoding: xchunked" for one without a
  // body, and lets HTTP/1.0 be chunked, which RFC 9112, 6.1 calls faulty.
  const base::HeaderView* encoding = Find("transfer-encoding");
  if (encoding != nullptr && (length != nullptr || is_http10_ ||
                              !base::IsHeader(encoding->value, "chunked"))) {
    return kBadTransferEncoding;
  }
  if (Find("host") == nullptr && !is_http10_) {
    return Refusal{400, "the Host header is missing"};
  }
  const base::HeaderView* expect = Find("expect");
  if (expect != nullptr && !base::IsHeader(expect->value, "100-continue")) {
    return Refusal{417, "no expectation but 100-continue is understood"};
  }
  return std::nullopt;
}

bool Head::ExpectsContinue() const {
  return !is_http10_ && Find("expect") != nullptr;
}

void Head::Clear() {
  OPENSSL_cleanse(text_.data(), text_.size());
  text_.clear();
  pieces_.clear();
  fields_.clear();
}

Head::Piece Head::Append(std::string_view text) {
  const Piece piece{text_.size(), text.size()};
  text_.append(text);
  return piece;
}

// RFC 9112, 3.2.2: a server must take "http://host/path" for "/path".
Head::Piece Head::AppendOriginForm(std::string_view target) {
  const std::size_t scheme_end = target.find("://");
  const std::string_view scheme = target.substr(0, scheme_end);
  if (scheme_end == target.npos ||
      (!base::IsHeader(scheme, "http") && !base::IsHeader(scheme, "https"))) {
    return Append(target);
  }
  const std::string_view rest = target.substr(scheme.size() + 3);
  const std::size_t authority =
      std::min(rest.find_first_of("/?#"), rest.size());
  if (authority == 0) {
    return Append(target);  // No URI of that scheme: RFC 9110, 4.2.1.
  }
  const std::string_view path = rest.substr(authority);
  const Piece slash = Append(path.starts_with('/') ? "" : "/");
  return {slash.begin, slash.size + Append(path).size};
}

std::string_view Head::Text(Piece piece) const {
  return std::string_view(text_).substr(piece.begin, piece.size);
}

const base::HeaderView* Head::Find(std::string_view name) const {
  return FindIn(fields_, name);
}

bool Head::HasTwo(std::string_view name) const {
  return std::count_if(fields_.begin(), fields_.end(),
                       [name](const base::HeaderView& field) {
                         return field.name == name;
                       }) > 1;
}

}  // namespace kms::http
