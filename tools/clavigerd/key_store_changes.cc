// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/key_store_changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace tools {
namespace {

// As clavigerd sees it.
bool IsSameToken(const config::Token& a, const config::Token& b) {
  return a.name == b.name && a.socket == b.socket && a.workers == b.workers;
}

base::Error NeedsRestart(const std::string& what) {
  return {base::ErrorCode::kInvalidArgument,
          what + " has changed: that needs a restart"};
}

base::Status CheckStore(const config::KeyStore& current,
                        const config::KeyStore& changed) {
  if (!IsSameToken(current, changed) || current.wrapped != changed.wrapped ||
      current.shareable != changed.shareable ||
      current.regions != changed.regions ||
      current.cluster_id != changed.cluster_id) {
    return NeedsRestart("[[key_store]] " + current.name);
  }
  for (const config::FurtherToken& token : current.further_tokens) {
    const auto found = std::ranges::find(changed.further_tokens, token.name,
                                         &config::Token::name);
    if (found != changed.further_tokens.end() && !IsSameToken(token, *found)) {
      return NeedsRestart(
          fmt::format("[[key_store.further_token]] {} of key store {}",
                      token.name, current.name));
    }
  }
  return {};
}

}  // namespace

base::Status CheckKeyStoreChanges(const config::Config& current,
                                  const config::Config& changed) {
  if (current.key_stores.size() != changed.key_stores.size()) {
    return NeedsRestart("the number of [[key_store]] tables");
  }
  for (std::size_t i = 0; i < current.key_stores.size(); ++i) {
    RETURN_IF_ERROR(CheckStore(current.key_stores[i], changed.key_stores[i]));
  }
  return {};
}

bool FurtherTokensChanged(const config::Config& current,
                          const config::Config& changed) {
  for (std::size_t i = 0; i < current.key_stores.size(); ++i) {
    const bool same = std::ranges::equal(
        current.key_stores[i].further_tokens,
        changed.key_stores[i].further_tokens,
        [](const config::FurtherToken& a, const config::FurtherToken& b) {
          return IsSameToken(a, b) && a.drain == b.drain;
        });
    if (!same) {
      return true;
    }
  }
  return false;
}

}  // namespace tools
