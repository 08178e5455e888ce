// SPDX-License-Identifier: Apache-2.0
#include "tools/config/key_stores.h"

#include <fmt/format.h>

#include <map>
#include <string_view>

#include "base/region.h"

namespace tools::config {
namespace {

using base::Error;
using base::ErrorCode;

// AWS KMS API Reference, CreateCustomKeyStore, CloudHsmClusterId: 19 to 24
// characters.
bool IsClusterId(std::string_view text) {
  constexpr std::string_view kPrefix = "cluster-";
  constexpr std::string_view kCharacters =
      "234567abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return text.size() >= 19 && text.size() <= 24 && text.starts_with(kPrefix) &&
         text.find_first_not_of(kCharacters, kPrefix.size()) ==
             std::string_view::npos;
}

// What a table says of whose keys it takes; empty if that is well.
std::string FaultOf(const KeyStore& store, bool is_first) {
  const bool has_regions = !store.regions.empty();
  const bool has_cluster = !store.cluster_id.empty();
  if (is_first && (has_regions || has_cluster)) {
    return "is the first one: it takes the keys of every Region that no other "
           "names, and has neither regions nor cluster_id";
  }
  if (!is_first && has_regions == has_cluster) {
    return "is not the first one: it needs either regions, the Regions whose "
           "new keys it takes, or cluster_id, by which custom key stores name "
           "it";
  }
  if (has_cluster && !IsClusterId(store.cluster_id)) {
    return fmt::format(
        "has the cluster_id '{}', which is not \"cluster-\" and "
        "11 to 16 of the characters 2-7, a-z, A-Z",
        store.cluster_id);
  }
  for (const std::string& region : store.regions) {
    if (!base::IsRegionName(region)) {
      return fmt::format(
          "has '{}' in regions, which is not the name of a Region", region);
    }
  }
  return "";
}

}  // namespace

base::Status CheckKeyStores(const std::string& file, const Config& config) {
  const auto wrong = [&file](std::string_view store, std::string_view fault) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}: key_store '{}' {}", file, store, fault)};
  };
  if (config.key_stores.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 file +
                     ": there is no [[key_store]] table: it says which "
                     "token has the keys"};
  }
  // Each thing that only one of them may have, and who has it.
  std::map<std::string, std::string> owners;
  for (const KeyStore& store : config.key_stores) {
    const std::string fault =
        FaultOf(store, &store == &config.key_stores.front());
    if (!fault.empty()) {
      return wrong(store.name, fault);
    }
    std::vector<std::string> owned = {
        "the name " + store.name, "the socket " + store.socket,
        fmt::format("the token {} of {}", store.token, store.module)};
    for (const std::string& region : store.regions) {
      owned.push_back("the Region " + region);
    }
    if (!store.cluster_id.empty()) {
      owned.push_back("the cluster_id " + store.cluster_id);
    }
    for (const std::string& thing : owned) {
      const auto [it, is_new] = owners.emplace(thing, store.name);
      if (!is_new) {
        return wrong(store.name, fmt::format("has {}, which key_store '{}' has",
                                             thing, it->second));
      }
    }
  }
  return {};
}

}  // namespace tools::config
