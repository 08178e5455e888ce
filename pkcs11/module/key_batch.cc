// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/key_batch.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "pkcs11/module/key_filter.h"
#include "pkcs11/module/key_reply.h"
#include "pkcs11/module/log.h"

namespace pkcs11::module {
namespace {

using base::Json;
using KeyPtr = std::shared_ptr<const Key>;

// The server ends a page before it gets too long.
constexpr int kKeysAtOnce = 1000;

// A list that may be absent, because the caller may not see it.
const Json& ListMember(const Json& object, const char* name) {
  static const Json* const none = new Json(Json::array());
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? *found : *none;
}

std::vector<std::string> AliasesIn(const Json& entry) {
  std::vector<std::string> aliases;
  for (const Json& alias : ListMember(entry, "Aliases")) {
    if (alias.is_string()) {
      if (std::optional<std::string> name = AliasName(base::TextOf(alias))) {
        aliases.push_back(*std::move(name));
      }
    }
  }
  return aliases;
}

std::map<std::string, std::string> TagsIn(const Json& entry) {
  std::map<std::string, std::string> tags;
  for (const Json& tag : ListMember(entry, "Tags")) {
    AddTag(tag, tags);
  }
  return tags;
}

// Null for a key that is not to be shown.
base::Result<KeyPtr> KeyIn(const Json& entry,
                           const std::map<std::string, KeyPtr>& known,
                           const TokenOptions& options, OSSL_LIB_CTX* library) {
  const auto metadata = entry.find("KeyMetadata");
  if (metadata == entry.end() || !metadata->is_object()) {
    return base::Error{base::ErrorCode::kCorrupt, "it has no metadata"};
  }
  std::optional<Key> key = DescribedKey(*metadata, options);
  const std::optional<std::string> alias =
      ChooseAlias(options.filter, AliasesIn(entry));
  const std::map<std::string, std::string> tags = TagsIn(entry);
  if (!key.has_value() || !alias.has_value() ||
      !HasWantedTag(options.filter, tags)) {
    return KeyPtr();
  }
  if (HasPublicKey(*key->spec)) {
    ASSIGN_OR_RETURN(base::Bytes spki, BytesMember(entry, "PublicKey"));
    RETURN_IF_ERROR(SetPublicKey(std::move(spki), library, *key));
    const auto before = known.find(key->arn);
    SetCertificates(ListMember(entry, "Certificates"),
                    before == known.end() ? nullptr : before->second.get(),
                    library, *key);
  }
  NameKey(TextOrEmpty(*metadata, "KeyId"), *alias, tags, *key);
  return std::make_shared<const Key>(*std::move(key));
}

}  // namespace

base::Result<std::vector<KeyPtr>> LoadKeysAtOnce(
    Kms& kms, OSSL_LIB_CTX* library, const TokenOptions& options,
    const std::vector<KeyPtr>& known) {
  std::map<std::string, KeyPtr> known_by_arn;
  for (const KeyPtr& key : known) {
    known_by_arn.emplace(key->arn, key);
  }
  std::vector<KeyPtr> keys;
  RETURN_IF_ERROR(ForEachListed(
      kms, "Claviger.ListPkcs11Objects", {{"Limit", kKeysAtOnce}}, "Keys",
      [&](const Json& entry) {
        base::Result<KeyPtr> key = KeyIn(entry, known_by_arn, options, library);
        if (!key.has_value()) {
          LogLine("a listed key is left out: " + key.error().message);
        } else if (*key != nullptr) {
          keys.push_back(*std::move(key));
        }
      }));
  return keys;
}

}  // namespace pkcs11::module
