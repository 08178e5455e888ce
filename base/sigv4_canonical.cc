// SPDX-License-Identifier: Apache-2.0
#include "base/sigv4_canonical.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace base {
namespace {

// RFC 3986 2.3.
bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

void AppendEncoded(char c, std::string& out) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  if (IsUnreserved(c)) {
    out.push_back(c);
    return;
  }
  const auto byte = static_cast<unsigned char>(c);
  out.push_back('%');
  out.push_back(kDigits[byte >> 4]);
  out.push_back(kDigits[byte & 0x0F]);
}

// Decodes `text` and encodes it again, so that one value has one spelling.
Result<std::string> Recoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      AppendEncoded(text[i], out);
      continue;
    }
    const auto byte = HexDecode(text.substr(i + 1, 2));
    if (!byte.has_value() || byte->empty()) {
      return Error{ErrorCode::kInvalidSignature,
                   "The query string has a % that two hexadecimal digits do "
                   "not follow."};
    }
    AppendEncoded(static_cast<char>(byte->front()), out);
    i += 2;
  }
  return out;
}

// A line break inside a value (obsolete folding) counts as a blank, so that no
// value can pose as the next line.
bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Appends `value` without blanks at its ends, each inner run of them as one.
void AppendTrimmed(std::string_view value, std::string& out) {
  const auto* next = value.begin();
  bool first = true;
  while (true) {
    next = std::find_if_not(next, value.end(), IsBlank);
    if (next == value.end()) {
      return;
    }
    if (!first) {
      out.push_back(' ');
    }
    first = false;
    const auto* const word = next;
    next = std::find_if(word, value.end(), IsBlank);
    out.append(word, next);
  }
}

// Appends the values of all fields called `name`, joined with commas. Returns
// whether there is one.
bool AppendValues(std::span<const HeaderView> headers, std::string_view name,
                  std::string& out) {
  bool found = false;
  for (const HeaderView& header : headers) {
    if (!IsHeader(header.name, name)) {
      continue;
    }
    if (found) {
      out.push_back(',');
    }
    AppendTrimmed(header.value, out);
    found = true;
  }
  return found;
}

// The other name of the same thing, or nothing.
std::string_view Alias(std::string_view name) {
  return name == "host"         ? ":authority"
         : name == ":authority" ? "host"
                                : std::string_view();
}

Status AppendCanonicalHeaders(std::span<const HeaderView> headers,
                              std::string_view names, std::string& out) {
  while (!names.empty()) {
    const std::string_view name = CutAt(names, ';');
    out.append(name).push_back(':');
    if (!AppendValues(headers, name, out) &&
        !AppendValues(headers, Alias(name), out)) {
      return Error{ErrorCode::kInvalidSignature,
                   "The signed header '" + std::string(name) +
                       "' is not in the request."};
    }
    out.push_back('\n');
  }
  return {};
}

}  // namespace

void AppendCanonicalPath(std::string_view path, std::string& out) {
  const std::size_t start = out.size();
  for (std::string_view rest = path; !rest.empty();) {
    const std::string_view segment = CutAt(rest, '/');
    if (segment.empty() || segment == ".") {
      continue;
    }
    if (segment == "..") {
      if (out.size() > start) {
        out.resize(out.rfind('/'));
      }
      continue;
    }
    out.push_back('/');
    for (const char c : segment) {
      AppendEncoded(c, out);
    }
  }
  if (out.size() == start || path.ends_with('/')) {
    out.push_back('/');
  }
}

Status AppendCanonicalQuery(std::string_view query, std::string& out) {
  if (query.empty()) {
    return {};
  }
  // Sorted by name, then by value: not by the joined text, in which '=' would
  // take part in the order.
  std::vector<std::pair<std::string, std::string>> parameters;
  for (std::string_view rest = query; !rest.empty();) {
    std::string_view value = CutAt(rest, '&');
    const std::string_view name = CutAt(value, '=');
    ASSIGN_OR_RETURN(std::string canonical_name, Recoded(name));
    ASSIGN_OR_RETURN(std::string canonical_value, Recoded(value));
    parameters.emplace_back(std::move(canonical_name),
                            std::move(canonical_value));
  }
  std::ranges::sort(parameters);
  for (const auto& [name, value] : parameters) {
    out.append(name).append("=").append(value).append("&");
  }
  out.pop_back();
  return {};
}

Status AppendCanonicalRequest(const SigV4Request& request,
                              std::string_view signed_headers,
                              std::string& out) {
  out.append(request.method).push_back('\n');
  AppendCanonicalPath(request.path, out);
  out.push_back('\n');
  RETURN_IF_ERROR(AppendCanonicalQuery(request.query, out));
  out.push_back('\n');
  RETURN_IF_ERROR(AppendCanonicalHeaders(request.headers, signed_headers, out));
  out.push_back('\n');
  out.append(signed_headers).push_back('\n');
  HexAppend(request.payload_sha256, out);
  return {};
}

void AppendStringToSign(std::string_view timestamp, std::string_view scope,
                        const Digest& canonical_request, std::string& out) {
  out.append("AWS4-HMAC-SHA256\n");
  out.append(timestamp).push_back('\n');
  out.append(scope).push_back('\n');
  HexAppend(canonical_request, out);
}

}  // namespace base
