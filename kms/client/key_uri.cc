// SPDX-License-Identifier: Apache-2.0
#include "kms/client/key_uri.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace kms::client {
namespace {

using base::Error;
using base::ErrorCode;

struct OptionRow {
  std::string_view name;
  std::string KeyUri::*member;
};
constexpr std::array kOptions = {
    OptionRow{"endpoint", &KeyUri::endpoint},
    OptionRow{"profile", &KeyUri::profile},
    OptionRow{"region", &KeyUri::region},
    OptionRow{"token", &KeyUri::token},
    OptionRow{"type", &KeyUri::type},
};

constexpr std::string_view kRsaPss = "RSA-PSS";

Error Bad(std::string reason) {
  return {ErrorCode::kInvalidArgument,
          "not a URI of a key (claviger:alias/NAME, claviger:KEY-ID or "
          "claviger:ARN): " +
              std::move(reason)};
}

bool IsVisible(char c) { return c > 0x20 && c < 0x7F; }

base::Result<std::string> Decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    const base::Result<base::Bytes> byte =
        base::HexDecode(text.substr(i + 1, 2));
    if (!byte.has_value() || byte->size() != 1) {
      return Bad("% without two hexadecimal digits");
    }
    decoded.push_back(static_cast<char>(byte->front()));
    i += 2;
  }
  // As in any path or name that reaches the system or the server.
  if (!std::ranges::all_of(decoded,
                           [](char c) { return c == ' ' || IsVisible(c); })) {
    return Bad("a character that is no visible ASCII");
  }
  return decoded;
}

base::Status SetOption(std::string_view text, KeyUri& uri) {
  const std::size_t sign = text.find('=');
  const std::string_view name = text.substr(0, sign);
  const auto* const row = std::ranges::find(kOptions, name, &OptionRow::name);
  if (row == kOptions.end() || sign == std::string_view::npos) {
    return Bad("no option " + std::string(name));
  }
  std::string& member = uri.*(row->member);
  if (!member.empty()) {
    return Bad(std::string(name) + " is there twice");
  }
  ASSIGN_OR_RETURN(member, Decoded(text.substr(sign + 1)));
  if (member.empty()) {
    return Bad(std::string(name) + " has no value");
  }
  return {};
}

void AppendEncoded(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (IsVisible(c) && c != '%' && c != '?' && c != '&' && c != '#') {
      out.push_back(c);
    } else {
      out.push_back('%');
      const auto byte = static_cast<std::uint8_t>(c);
      base::HexAppend({&byte, 1}, out);
    }
  }
}

constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kVisibleString = 0x1A;
constexpr std::uint8_t kUtf8String = 0x0C;
constexpr std::string_view kDescription = "claviger key uri v1";
static_assert(kReferencePrefixBytes == 4 + 2 + kDescription.size());

void AppendElement(std::uint8_t tag, base::ByteView content, base::Bytes& out) {
  const std::size_t size = content.size();
  out.push_back(tag);
  if (size > 0xFF) {
    out.push_back(0x82);
    out.push_back(static_cast<std::uint8_t>(size >> 8));
  } else if (size >= 0x80) {
    out.push_back(0x81);
  }
  out.push_back(static_cast<std::uint8_t>(size));
  out.insert(out.end(), content.begin(), content.end());
}

struct Header {
  std::size_t bytes;  // Its own.
  std::size_t size;   // Of the content.
};

// A tag and a length as DER has it: in the fewest bytes, of which two suffice.
std::optional<Header> ReadHeader(std::uint8_t tag, base::ByteView der) {
  if (der.size() < 2 || der[0] != tag) {
    return std::nullopt;
  }
  if (der[1] < 0x80) {
    return Header{2, der[1]};
  }
  if (der[1] == 0x81 && der.size() >= 3 && der[2] >= 0x80) {
    return Header{3, der[2]};
  }
  if (der[1] == 0x82 && der.size() >= 4 && der[2] != 0) {
    return Header{4, static_cast<std::size_t>(der[2]) << 8 | der[3]};
  }
  return std::nullopt;
}

// The content of the element that `der` begins with, which is taken off it.
std::optional<base::ByteView> TakeElement(std::uint8_t tag,
                                          base::ByteView& der) {
  const std::optional<Header> header = ReadHeader(tag, der);
  if (!header.has_value() || header->size > der.size() - header->bytes) {
    return std::nullopt;
  }
  const base::ByteView content = der.subspan(header->bytes, header->size);
  der = der.subspan(header->bytes + header->size);
  return content;
}

}  // namespace

base::Result<KeyUri> ParseKeyUri(std::string_view text) {
  if (text.size() > kMaxKeyUriBytes) {
    return Bad("too long");
  }
  if (!std::ranges::all_of(text, IsVisible)) {
    return Bad("a character that is no visible ASCII");
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos ||
      text.substr(0, colon) != kKeyUriScheme) {
    return Bad("it does not begin with claviger:");
  }
  text.remove_prefix(colon + 1);
  const std::size_t mark = text.find('?');
  KeyUri uri;
  ASSIGN_OR_RETURN(uri.key, Decoded(text.substr(0, mark)));
  if (uri.key.empty()) {
    return Bad("it names no key");
  }
  while (mark != std::string_view::npos && !text.empty()) {
    text.remove_prefix(text.find_first_of("?&") + 1);
    RETURN_IF_ERROR(SetOption(text.substr(0, text.find('&')), uri));
    if (text.find('&') == std::string_view::npos) {
      break;
    }
  }
  if (!uri.type.empty() && uri.type != kRsaPss) {
    return Bad("type can only be RSA-PSS");
  }
  return uri;
}

std::string FormatKeyUri(const KeyUri& uri) {
  std::string text(kKeyUriScheme);
  text.push_back(':');
  AppendEncoded(uri.key, text);
  char separator = '?';
  for (const OptionRow& row : kOptions) {
    const std::string& value = uri.*(row.member);
    if (!value.empty()) {
      text.push_back(std::exchange(separator, '&'));
      text.append(row.name).push_back('=');
      AppendEncoded(value, text);
    }
  }
  return text;
}

base::Bytes EncodeReference(const KeyUri& uri) {
  base::Bytes content;
  AppendElement(kVisibleString, base::AsBytes(kDescription), content);
  AppendElement(kUtf8String, base::AsBytes(FormatKeyUri(uri)), content);
  base::Bytes der;
  AppendElement(kSequence, content, der);
  return der;
}

bool MayBeReference(base::ByteView first) {
  const std::optional<Header> header = ReadHeader(kSequence, first);
  if (!header.has_value()) {
    return false;
  }
  base::ByteView rest = first.subspan(header->bytes);
  const auto description = TakeElement(kVisibleString, rest);
  return description.has_value() && base::AsText(*description) == kDescription;
}

base::Result<KeyUri> DecodeReference(base::ByteView der) {
  base::ByteView rest = der;
  const auto content = TakeElement(kSequence, rest);
  base::ByteView inside = content.value_or(base::ByteView());
  const auto description = TakeElement(kVisibleString, inside);
  const auto uri = TakeElement(kUtf8String, inside);
  if (!content.has_value() || !rest.empty() || !description.has_value() ||
      base::AsText(*description) != kDescription || !uri.has_value() ||
      !inside.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "the reference to a key is damaged: make it anew with "
                 "`claviger pem-reference`"};
  }
  return ParseKeyUri(base::AsText(*uri));
}

}  // namespace kms::client
