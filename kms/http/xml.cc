// SPDX-License-Identifier: Apache-2.0
#include "kms/http/xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "base/utf8.h"

namespace kms::http {
namespace {

using base::Json;

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr double kYear10000 = 253402300800;                // In epoch seconds.

bool IsNameStart(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

// What stands for one character of ASCII; empty: it stands for itself.
std::string_view EscapeOf(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&apos;";
    case '\r':
      return "&#13;";  // As itself it would be read as a line feed.
    case '\n':
    case '\t':
      return {};
    default:
      return static_cast<unsigned char>(c) < 0x20 ? kReplacement
                                                  : std::string_view();
  }
}

// XML 1.0, 2.2: of what UTF-8 can say, the two that Char leaves out.
bool IsNoncharacter(std::string_view sequence) {
  return sequence == "\xEF\xBF\xBE" || sequence == "\xEF\xBF\xBF";
}

base::Status AppendTime(double epoch_seconds, base::WipingString& out) {
  namespace chrono = std::chrono;
  if (!(epoch_seconds >= 0 && epoch_seconds < kYear10000)) {
    return base::Error{base::ErrorCode::kInternal,
                       "a reply has a time that is out of range"};
  }
  const chrono::sys_seconds second{
      chrono::seconds(static_cast<std::int64_t>(epoch_seconds))};
  const auto day = chrono::floor<chrono::days>(second);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss time(second - day);
  fmt::format_to(
      std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
      static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()), time.hours().count(),
      time.minutes().count(), time.seconds().count());
  return {};
}

base::Status AppendValue(std::string_view name, const Json& value,
                         base::WipingString& out);

base::Status AppendItems(const Json& list, base::WipingString& out) {
  for (const Json& item : list) {
    RETURN_IF_ERROR(AppendValue("member", item, out));
  }
  return {};
}

// What is between the tags.
base::Status AppendContent(const Json& value, base::WipingString& out) {
  switch (value.type()) {
    case Json::value_t::object:
      return AppendXmlMembers(value, out);
    case Json::value_t::array:
      return AppendItems(value, out);
    case Json::value_t::string:
      AppendXmlEscaped(base::TextOf(value), out);
      return {};
    case Json::value_t::boolean:
      out.append(value.get<bool>() ? "true" : "false");
      return {};
    case Json::value_t::number_integer:
      out.append(std::to_string(value.get<std::int64_t>()));
      return {};
    case Json::value_t::number_unsigned:
      out.append(std::to_string(value.get<std::uint64_t>()));
      return {};
    case Json::value_t::number_float:
      return AppendTime(value.get<double>(), out);
    case Json::value_t::null:
    case Json::value_t::binary:
    case Json::value_t::discarded:
      break;
  }
  return base::Error{base::ErrorCode::kInternal,
                     "a reply has a value that XML has no form for"};
}

base::Status AppendValue(std::string_view name, const Json& value,
                         base::WipingString& out) {
  if (value.is_null()) {
    return {};
  }
  out.append("<").append(name).append(">");
  RETURN_IF_ERROR(AppendContent(value, out));
  out.append("</").append(name).append(">");
  return {};
}

}  // namespace

void AppendXmlEscaped(std::string_view text, base::WipingString& out) {
  while (!text.empty()) {
    const std::size_t length = base::Utf8Length(text);
    const std::string_view sequence =
        text.substr(0, std::max<std::size_t>(length, 1));
    text.remove_prefix(sequence.size());
    const std::string_view escape = EscapeOf(sequence.front());
    if (length == 0 || IsNoncharacter(sequence)) {
      out.append(kReplacement);
    } else {
      out.append(length == 1 && !escape.empty() ? escape : sequence);
    }
  }
}

void AppendXmlElement(std::string_view name, std::string_view text,
                      base::WipingString& out) {
  out.append("<").append(name).append(">");
  AppendXmlEscaped(text, out);
  out.append("</").append(name).append(">");
}

bool IsXmlName(std::string_view name) {
  return !name.empty() && IsNameStart(name.front()) &&
         std::ranges::all_of(name, [](char c) {
           return IsNameStart(c) || (c >= '0' && c <= '9') || c == '-' ||
                  c == '.';
         });
}

base::Status AppendXmlMembers(const Json& object, base::WipingString& out) {
  if (!object.is_object()) {
    return base::Error{base::ErrorCode::kInternal, "a reply is no object"};
  }
  for (const auto& [name, value] :
       object.get_ref<const base::Json::object_t&>()) {
    if (!IsXmlName(name)) {
      return base::Error{base::ErrorCode::kInternal,
                         "a reply has a member whose name XML cannot have"};
    }
    RETURN_IF_ERROR(AppendValue(name, value, out));
  }
  return {};
}

}  // namespace kms::http
