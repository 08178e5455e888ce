// SPDX-License-Identifier: Apache-2.0
// Condition keys that do not come with a request.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "kms/operations/explain/subject.h"
#include "policy/context.h"
#include "policy/text.h"

namespace kms::operations {
namespace {

constexpr std::string_view kEncryptionContext = "kms:EncryptionContext:";
constexpr std::string_view kRequestTag = "aws:RequestTag/";

// AWS has keys that may have several values and often have one.
bool MayHaveSeveral(const GivenKey& key) {
  return key.is_list || policy::FoldsTo(key.name, "sts:transitivetagkeys");
}

bool Has(const Call& call, std::string_view name) {
  const policy::ContextKey key(name);
  return std::ranges::any_of(
      call.context,
      [&key](const policy::ContextEntry& entry) { return key.Names(entry); });
}

void AddNames(std::string_view prefix, std::string_view list, Call& call) {
  if (Has(call, list)) {
    return;
  }
  const std::size_t count = call.context.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name =
        std::string(call.context[i].key).append(call.context[i].suffix);
    if (HasPrefix(name, prefix)) {
      call.context.push_back(
          {list, {}, call.owned.emplace_back(name.substr(prefix.size()))});
    }
  }
}

// The strings in a list of the input.
void AddItems(std::string_view member, std::string_view list, Call& call) {
  const base::Json* const items = call.Find(member);
  if (items == nullptr || Has(call, list)) {
    return;
  }
  for (const base::Json& item : *items) {
    call.context.push_back(
        {list, {}, call.owned.emplace_back(base::TextOf(item))});
  }
}

}  // namespace

std::vector<GivenKey> ReadGivenKeys(const base::Json& object) {
  std::vector<GivenKey> keys;
  for (const auto& [name, value] : object.items()) {
    GivenKey key = {std::string(name), {}, value.is_array()};
    if (value.is_string()) {
      key.values.emplace_back(base::TextOf(value));
    }
    for (const base::Json& item : key.is_list ? value : base::Json::array()) {
      if (item.is_string()) {
        key.values.emplace_back(base::TextOf(item));
      }
    }
    keys.push_back(std::move(key));
  }
  return keys;
}

bool HasPrefix(std::string_view name, std::string_view prefix) {
  return policy::FoldsTo(name.substr(0, prefix.size()), policy::Fold(prefix));
}

void PutKeys(const std::vector<GivenKey>& keys, Call& call) {
  for (const GivenKey& given : keys) {
    const std::string& name = call.owned.emplace_back(given.name);
    const policy::ContextKey key(name);
    std::erase_if(call.context, [&key](const policy::ContextEntry& entry) {
      return key.Names(entry);
    });
    for (const std::string& value : given.values) {
      call.context.push_back(
          {name, {}, call.owned.emplace_back(value), MayHaveSeveral(given)});
    }
  }
}

void AddDerivedKeys(Call& call) {
  AddNames(kEncryptionContext, "kms:EncryptionContextKeys", call);
  AddNames(kRequestTag, "aws:TagKeys", call);
  AddItems("Operations", "kms:GrantOperations", call);
  if (call.operation.service == "IAM") {  // What untagging is about.
    AddItems("TagKeys", "aws:TagKeys", call);
  }
}

}  // namespace kms::operations
