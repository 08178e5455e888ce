// SPDX-License-Identifier: Apache-2.0
// Compiled in: the module brings its own, whatever the host has loaded.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <fmt/format.h>
#include <toml++/toml.h>

#include <array>
#include <set>
#include <string_view>

#include "pkcs11/module/configuration.h"

namespace pkcs11::module {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxLabelBytes = 32;  // Of CK_TOKEN_INFO.

struct Member {
  std::string_view key;
  std::string TokenSettings::*member;
};
constexpr std::array kMembers = {
    Member{"label", &TokenSettings::label},
    Member{"endpoint", &TokenSettings::endpoint},
    Member{"region", &TokenSettings::region},
    Member{"ca_file", &TokenSettings::ca_file},
};

Error At(const std::string& path, const toml::source_region& where,
         std::string_view reason) {
  return {ErrorCode::kInvalidArgument,
          fmt::format("{}:{}: {}", path, where.begin.line, reason)};
}

base::Status SetMember(const std::string& path, const toml::key& key,
                       const toml::node& value, TokenSettings& settings) {
  for (const Member& row : kMembers) {
    if (row.key == key.str()) {
      const auto* const text = value.as_string();
      if (text == nullptr || text->get().empty()) {
        return At(path, value.source(),
                  fmt::format("{} must be a text", row.key));
      }
      settings.*row.member = text->get();
      return {};
    }
  }
  return At(path, key.source(), fmt::format("unknown key {}", key.str()));
}

base::Result<TokenSettings> ReadToken(const std::string& path,
                                      const toml::node& node) {
  const toml::table* const table = node.as_table();
  if (table == nullptr) {
    return At(path, node.source(), "[[token]] must be a table");
  }
  TokenSettings settings;
  for (const auto& [key, value] : *table) {
    RETURN_IF_ERROR(SetMember(path, key, value, settings));
  }
  if (settings.label.size() > kMaxLabelBytes) {
    return At(path, node.source(), "a label has at most 32 bytes");
  }
  return settings;
}

}  // namespace

base::Result<std::vector<TokenSettings>> ReadConfigurationFile(
    const std::string& path) {
  const toml::parse_result parsed = toml::parse_file(path);
  if (!parsed) {
    return At(path, parsed.error().source(), parsed.error().description());
  }
  std::vector<TokenSettings> tokens;
  std::set<std::string> labels;
  for (const auto& [key, value] : parsed.table()) {
    const toml::array* const array = value.as_array();
    if (key.str() != "token" || array == nullptr) {
      return At(path, key.source(),
                fmt::format("unknown key {}; this file is a list of [[token]]",
                            key.str()));
    }
    for (const toml::node& node : *array) {
      ASSIGN_OR_RETURN(TokenSettings settings, ReadToken(path, node));
      if (!labels.insert(settings.label).second) {
        return At(path, node.source(), "two tokens have the same label");
      }
      tokens.push_back(std::move(settings));
    }
  }
  return tokens;
}

}  // namespace pkcs11::module
