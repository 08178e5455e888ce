// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/reconcile.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/bytes.h"
#include "base/log.h"

namespace kms::operations {
namespace {

constexpr std::size_t kMostNamed = 10;

std::string Named(const std::vector<std::string>& ids) {
  const auto count =
      static_cast<std::ptrdiff_t>(std::min(ids.size(), kMostNamed));
  return fmt::format("{}{}", fmt::join(ids.begin(), ids.begin() + count, ", "),
                     ids.size() > kMostNamed ? ", ..." : "");
}

// Objects that may be there or not: their destruction has begun, or they wrap
// the keys of another key store, and this token may have been given them.
base::Result<std::set<std::string>> ListOptional(Environment& environment) {
  std::set<std::string> optional;
  ASSIGN_OR_RETURN(const auto service_keys,
                   environment.store.ListServiceKeys());
  for (const store::ServiceKey& key : service_keys) {
    if (key.ref.algorithm == hsm::Algorithm::kAesWrap) {
      optional.insert(base::HexEncode(key.ref.locator.bytes));
    }
  }
  ASSIGN_OR_RETURN(const auto rows,
                   environment.store.ListDueDeletions(base::WallTime()));
  for (const std::string& row_id : rows) {
    ASSIGN_OR_RETURN(const KeyPtr key, environment.store.FindKey(row_id));
    for (const KeyMaterial& material : key->materials) {
      optional.insert(base::HexEncode(material.ref.locator.bytes));
    }
  }
  ASSIGN_OR_RETURN(const auto intents, environment.store.ListIntents());
  for (const store::Intent& intent : intents) {
    if (intent.kind == store::IntentKind::kDestroy) {
      optional.insert(base::HexEncode(intent.locator.bytes));
    }
  }
  return optional;
}

}  // namespace

boost::asio::awaitable<base::Result<Difference>> CompareToken(
    Environment& environment, KeyStore& key_store) {
  const hsm::ListKeysRequest request;
  CO_ASSIGN_OR_RETURN(const hsm::ListKeysReply listed,
                      co_await key_store.hsm.Call(request));
  CO_ASSIGN_OR_RETURN(const auto locators,
                      environment.store.ListLocators(key_store.name));
  std::set<std::string> expected;
  for (const hsm::Locator& locator : locators) {
    expected.insert(base::HexEncode(locator.bytes));
  }
  CO_ASSIGN_OR_RETURN(const auto optional, ListOptional(environment));
  Difference difference;
  for (const hsm::ListedKey& key : listed.keys) {
    if (!key.readable) {
      ++difference.unreadable;
    } else if (const std::string id = base::HexEncode(key.id);
               expected.erase(id) == 0 && !optional.contains(id)) {
      difference.unknown.push_back(id);
    }
  }
  std::ranges::set_difference(expected, optional,
                              std::back_inserter(difference.missing));
  co_return difference;
}

void LogDifference(const KeyStore& key_store, const Difference& difference) {
  if (!difference.missing.empty()) {
    base::LogError(
        "key store {}: {} key materials are not on the token: {}. Their keys "
        "cannot be used. Was the token restored from an older backup than the "
        "store, or is this another token?",
        key_store.name, difference.missing.size(), Named(difference.missing));
  }
  if (!difference.unknown.empty()) {
    base::LogWarning(
        "key store {}: {} keys on the token are not in the store: {}. They are "
        "left alone. "
        "Is the store an older backup than the token, or --state the wrong "
        "folder?",
        key_store.name, difference.unknown.size(), Named(difference.unknown));
  }
  if (difference.unreadable > 0) {
    base::LogWarning(
        "key store {}: {} objects on the token cannot be read: creations that "
        "were "
        "interrupted leave such. They are left alone and do no harm.",
        key_store.name, difference.unreadable);
  }
}

}  // namespace kms::operations
