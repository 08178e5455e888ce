// SPDX-License-Identifier: Apache-2.0
#include "kms/form.h"

#include <cstddef>
#include <string>

#include "base/sigv4.h"
#include "base/utf8.h"

namespace kms {
namespace {

constexpr std::size_t kMostParameters = 2000;

// -1 if `c` is no hexadecimal digit.
int HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The byte of the escape %XX at the front of `text`.
std::optional<char> EscapedByte(std::string_view text) {
  if (text.size() < 3) {
    return std::nullopt;
  }
  const int high = HexDigit(text[1]);
  const int low = HexDigit(text[2]);
  if (high < 0 || low < 0) {
    return std::nullopt;
  }
  return static_cast<char>(high * 16 + low);
}

base::Error Broken(std::size_t number, std::string_view what) {
  return {base::ErrorCode::kSerialization,
          "parameter " + std::to_string(number) + " of the form " +
              std::string(what)};
}

// A name or a value without its escapes.
base::Result<base::WipingString> Decode(std::string_view text,
                                        std::size_t number) {
  base::WipingString decoded;
  decoded.reserve(text.size());
  while (!text.empty()) {
    std::size_t used = 1;
    if (text.front() == '%') {
      const std::optional<char> byte = EscapedByte(text);
      if (!byte) {
        return Broken(number, "has a '%' without two hexadecimal digits");
      }
      decoded.push_back(*byte);
      used = 3;
    } else {
      decoded.push_back(text.front() == '+' ? ' ' : text.front());
    }
    text.remove_prefix(used);
  }
  if (!base::IsUtf8(decoded)) {
    return Broken(number, "is not UTF-8");
  }
  return decoded;
}

base::Status AddParameter(std::string_view pair, std::size_t number,
                          Form& form) {
  const std::size_t equals = pair.find('=');
  if (equals == 0 || equals == std::string_view::npos) {
    return Broken(number, "is not of the form name=value");
  }
  ASSIGN_OR_RETURN(base::WipingString name,
                   Decode(pair.substr(0, equals), number));
  ASSIGN_OR_RETURN(base::WipingString value,
                   Decode(pair.substr(equals + 1), number));
  if (!form.emplace(std::move(name), std::move(value)).second) {
    return Broken(number, "has the name of one before it");
  }
  return {};
}

}  // namespace

base::Result<Form> ParseForm(std::string_view body) {
  Form form;
  if (body.empty()) {
    return form;
  }
  // A separator at the end has one more parameter after it, an empty one.
  bool last = false;
  for (std::size_t number = 1; !last; ++number) {
    if (number > kMostParameters) {
      return base::Error{base::ErrorCode::kSerialization,
                         "the form has more than " +
                             std::to_string(kMostParameters) + " parameters"};
    }
    last = body.find('&') == std::string_view::npos;
    RETURN_IF_ERROR(AddParameter(base::CutAt(body, '&'), number, form));
  }
  return form;
}

std::optional<std::string_view> ParameterOf(const Form& form,
                                            std::string_view name) {
  const auto found = form.find(name);
  return found == form.end() ? std::nullopt
                             : std::optional<std::string_view>(found->second);
}

}  // namespace kms
