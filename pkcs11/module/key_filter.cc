// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/key_filter.h"

#include <algorithm>
#include <array>

namespace pkcs11::module {
namespace {

// Keys that were good once, and may be again.
constexpr std::array<std::string_view, 3> kAsleep = {
    "Disabled", "PendingDeletion", "PendingImport"};

}  // namespace

std::optional<std::string> ChooseAlias(
    const KeyFilter& filter, const std::vector<std::string>& aliases) {
  std::optional<std::string> chosen;
  for (const std::string& alias : aliases) {
    if (alias.starts_with(filter.alias_prefix) &&
        (!chosen.has_value() || alias < *chosen)) {
      chosen = alias;
    }
  }
  if (!chosen.has_value() && filter.alias_prefix.empty()) {
    chosen.emplace();
  }
  return chosen;
}

bool HasWantedTag(const KeyFilter& filter,
                  const std::map<std::string, std::string>& tags) {
  if (!filter.tag.has_value()) {
    return true;
  }
  const auto found = tags.find(filter.tag->key);
  return found != tags.end() && found->second == filter.tag->value;
}

bool ShowsState(const TokenOptions& options, std::string_view state) {
  return state == "Enabled" ||
         (options.show_disabled &&
          std::ranges::find(kAsleep, state) != kAsleep.end());
}

}  // namespace pkcs11::module
