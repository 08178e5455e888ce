// SPDX-License-Identifier: Apache-2.0
#include "kms/client/ini.h"

#include <algorithm>
#include <utility>

namespace kms::client {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kBlanks = " \t";

std::string_view TrimBlanks(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool AreSameNames(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, Lower, Lower);
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7F;
}

}  // namespace

const IniFile::Setting* IniFile::Section::Find(std::string_view wanted,
                                               std::string_view parent) const {
  const auto found =
      std::ranges::find_if(settings, [&](const Setting& setting) {
        return AreSameNames(setting.name, wanted) &&
               AreSameNames(setting.parent, parent);
      });
  return found == settings.end() ? nullptr : &*found;
}

const IniFile::Section* IniFile::Find(std::string_view name) const {
  const auto found = std::ranges::find(sections_, name, &Section::name);
  return found == sections_.end() ? nullptr : &*found;
}

std::string IniFile::At(std::size_t line) const {
  return file_ + ":" + std::to_string(line);
}

Error IniFile::Refuse(std::size_t line, std::string_view why) const {
  return Error{ErrorCode::kInvalidArgument, At(line) + ": " + std::string(why)};
}

base::Result<IniFile> IniFile::Parse(std::string file,
                                     base::WipingString text) {
  IniFile ini;
  ini.file_ = std::move(file);
  if (text.size() > kMaxBytes) {
    return Error{ErrorCode::kInvalidArgument,
                 ini.file_ + ": longer than " + std::to_string(kMaxBytes) +
                     " bytes; it should hold profiles and nothing else"};
  }
  ini.text_ = std::make_unique<base::WipingString>(std::move(text));
  std::string_view rest = *ini.text_;
  for (std::size_t line = 1; !rest.empty(); ++line) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view one = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (one.ends_with('\r')) {
      one.remove_suffix(1);
    }
    RETURN_IF_ERROR(ini.Line(one, line));
  }
  return ini;
}

base::Status IniFile::Line(std::string_view text, std::size_t line) {
  if (std::ranges::any_of(text, IsControl)) {
    return Refuse(line, "a control character; delete it");
  }
  const std::string_view bare = TrimBlanks(text);
  if (bare.empty() || bare.starts_with('#') || bare.starts_with(';')) {
    return {};
  }
  const bool indented = bare.data() != text.data();
  if (bare.starts_with('[')) {
    return indented ? Refuse(line, "a section must start at the line's start")
                    : Header(bare, line);
  }
  return Assignment(bare, indented, line);
}

base::Status IniFile::Header(std::string_view text, std::size_t line) {
  const std::size_t close = text.find(']');
  if (close == std::string_view::npos) {
    return Refuse(line, "the '[' is not closed; write [name]");
  }
  const std::string_view behind = TrimBlanks(text.substr(close + 1));
  if (!behind.empty() && behind.front() != '#' && behind.front() != ';') {
    return Refuse(line, "only a comment may follow [name]");
  }
  const std::string_view name = TrimBlanks(text.substr(1, close - 1));
  if (name.empty()) {
    return Refuse(line, "a section without a name; write [name]");
  }
  if (const Section* const first = Find(name)) {
    return Refuse(line, "the section of line " + std::to_string(first->line) +
                            " again; join the two");
  }
  sections_.push_back({name, line, {}});
  parent_ = {};
  return {};
}

base::Status IniFile::Assignment(std::string_view text, bool indented,
                                 std::size_t line) {
  if (sections_.empty()) {
    return Refuse(line, "stands before the first [section]; move it into one");
  }
  if (indented && parent_.empty()) {
    return Refuse(line,
                  "is indented, but there is no setting that it could belong "
                  "to; delete the blanks before it");
  }
  const std::size_t equals = text.find('=');
  const std::string_view name = TrimBlanks(text.substr(0, equals));
  if (equals == std::string_view::npos || name.empty()) {
    return Refuse(line, "is neither [section], name = value nor a comment");
  }
  Section& section = sections_.back();
  const std::string_view parent = indented ? parent_ : std::string_view();
  if (const Setting* const first = section.Find(name, parent)) {
    return Refuse(line, "the setting of line " + std::to_string(first->line) +
                            " again; delete one of the two");
  }
  section.settings.push_back(
      {parent, name, TrimBlanks(text.substr(equals + 1)), line});
  if (!indented) {
    parent_ = name;
  }
  return {};
}

}  // namespace kms::client
