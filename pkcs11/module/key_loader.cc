// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/key_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "pkcs11/errors.h"
#include "pkcs11/module/log.h"

namespace pkcs11::module {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;

constexpr std::string_view kAliasPrefix = "alias/";
constexpr std::string_view kMultiRegionPrefix = "mrk-";

std::string Text(const Json& object, std::string_view name) {
  return std::string(TextMember(object, name).value_or(""));
}

// Calls a listing operation until it has no more pages, and `visit` with each
// element of `list`.
base::Status ForEachListed(Kms& kms, std::string_view operation, Json request,
                           const char* list,
                           const std::function<void(const Json&)>& visit) {
  for (;;) {
    ASSIGN_OR_RETURN(const Json reply, kms.Call(operation, request));
    const auto found = reply.find(list);
    if (found == reply.end() || !found->is_array()) {
      return Error{ErrorCode::kCorrupt,
                   fmt::format("{}'s reply has no {}", operation, list)};
    }
    for (const Json& element : *found) {
      visit(element);
    }
    const auto marker = TextMember(reply, "NextMarker");
    if (!marker.has_value()) {
      return {};
    }
    if (TextMember(request, "Marker") == marker) {
      return Error{ErrorCode::kCorrupt,
                   fmt::format("{} repeats its marker", operation)};
    }
    request["Marker"] = base::WipingString(*marker);
  }
}

// Whether asking again may help. Such an error ends the loading, because a key
// that is left out for it would lose its handle.
bool MayPass(ErrorCode code) {
  const CK_RV rv = RvOf(code);
  return code != ErrorCode::kCorrupt &&
         (rv == CKR_DEVICE_ERROR || rv == CKR_TOKEN_RESOURCE_EXCEEDED ||
          rv == CKR_USER_NOT_LOGGED_IN);
}

// Lets what a caller may lack the permission for go with a line in the log.
base::Status Tolerate(const base::Status& status, std::string_view what) {
  if (!status.has_value()) {
    if (MayPass(status.error().code)) {
      return status;
    }
    LogLine(fmt::format("{}: {}", what, status.error().message));
  }
  return {};
}

// Key ids to the first of their aliases in the order of the alphabet.
base::Result<std::map<std::string, std::string>> ListAliases(Kms& kms) {
  std::map<std::string, std::string> names;
  const base::Status listed = ForEachListed(
      kms, "ListAliases", Json::object(), "Aliases", [&](const Json& alias) {
        const std::string key = Text(alias, "TargetKeyId");
        std::string name = Text(alias, "AliasName");
        if (key.empty() || !name.starts_with(kAliasPrefix)) {
          return;
        }
        name.erase(0, kAliasPrefix.size());
        const auto [it, added] = names.emplace(key, name);
        it->second = std::min(it->second, name);
      });
  RETURN_IF_ERROR(Tolerate(listed, "keys have no aliases"));
  return names;
}

// The 16 bytes of the key's UUID, or those behind "mrk-".
base::Bytes IdBytes(std::string_view key_id) {
  if (key_id.starts_with(kMultiRegionPrefix)) {
    key_id.remove_prefix(kMultiRegionPrefix.size());
  }
  std::string digits(key_id);
  std::erase(digits, '-');
  base::Result<base::Bytes> bytes = base::HexDecode(digits);
  if (bytes.has_value()) {
    return *std::move(bytes);
  }
  const base::ByteView text = base::AsBytes(key_id);
  return {text.begin(), text.end()};
}

base::Status ReadTags(Kms& kms, const Json& key_id, Key& key) {
  const base::Status listed = ForEachListed(
      kms, "ListResourceTags", {{"KeyId", key_id}}, "Tags",
      [&](const Json& tag) {
        const std::string name = Text(tag, "TagKey");
        std::string value = Text(tag, "TagValue");
        if (name == kLabelTag) {
          key.label = std::move(value);
        } else if (name == kIdTag) {
          // A tag that is no hexadecimal was not written by us.
          if (base::Result<base::Bytes> id = base::HexDecode(value)) {
            key.id = *std::move(id);
          }
        }
      });
  return Tolerate(listed, key.arn + " has no tags");
}

// What DescribeKey says, or nothing for a key that is not to be shown.
std::optional<Key> Described(const Json& metadata) {
  const std::string spec_name = Text(metadata, "KeySpec");
  const std::optional<Usage> usage = ParseUsage(Text(metadata, "KeyUsage"));
  Key key;
  key.arn = Text(metadata, "Arn");
  key.spec = FindKeySpec(spec_name);
  key.state = Text(metadata, "KeyState");
  key.origin = Text(metadata, "Origin");
  const auto multi_region = metadata.find("MultiRegion");
  key.multi_region = multi_region != metadata.end() && *multi_region == true;
  if (key.spec == nullptr || !usage.has_value() || key.arn.empty() ||
      key.state != "Enabled" || Text(metadata, "KeyManager") == "AWS") {
    return std::nullopt;
  }
  key.usage = *usage;
  return key;
}

// One LoadKeys.
class Loader {
 public:
  Loader(Kms& kms, OSSL_LIB_CTX* library,
         std::map<std::string, std::string> aliases,
         const std::vector<std::shared_ptr<const Key>>& known)
      : kms_(kms), library_(library), aliases_(std::move(aliases)) {
    for (const std::shared_ptr<const Key>& key : known) {
      known_.emplace(key->arn, key);
    }
  }

  // Null for a key that is not to be shown.
  base::Result<std::shared_ptr<const Key>> Load(const std::string& key_id) {
    const Json request = {{"KeyId", base::WipingString(key_id)}};
    ASSIGN_OR_RETURN(const Json reply, kms_.Call("DescribeKey", request));
    const auto metadata = reply.find("KeyMetadata");
    if (metadata == reply.end() || !metadata->is_object()) {
      return Error{ErrorCode::kCorrupt, "DescribeKey's reply has no metadata"};
    }
    std::optional<Key> key = Described(*metadata);
    if (!key.has_value()) {
      return std::shared_ptr<const Key>();
    }
    if (HasPublicKey(*key->spec)) {
      ASSIGN_OR_RETURN(base::Bytes spki, PublicKeyOf(*key, request));
      RETURN_IF_ERROR(SetPublicKey(std::move(spki), library_, *key));
    }
    const auto alias = aliases_.find(key_id);
    key->label = alias == aliases_.end() ? key_id : alias->second;
    key->id = IdBytes(key_id);
    RETURN_IF_ERROR(ReadTags(kms_, request["KeyId"], *key));
    return std::make_shared<const Key>(*std::move(key));
  }

 private:
  base::Result<base::Bytes> PublicKeyOf(const Key& key, const Json& request) {
    const auto known = known_.find(key.arn);
    if (known != known_.end()) {
      return known->second->spki;
    }
    ASSIGN_OR_RETURN(const Json reply, kms_.Call("GetPublicKey", request));
    return BytesMember(reply, "PublicKey");
  }

  Kms& kms_;
  OSSL_LIB_CTX* const library_;
  const std::map<std::string, std::string> aliases_;
  std::map<std::string, std::shared_ptr<const Key>> known_;  // By ARN.
};

}  // namespace

base::Result<std::vector<std::shared_ptr<const Key>>> LoadKeys(
    Kms& kms, OSSL_LIB_CTX* library,
    const std::vector<std::shared_ptr<const Key>>& known) {
  std::vector<std::string> ids;
  RETURN_IF_ERROR(ForEachListed(
      kms, "ListKeys", Json::object(), "Keys",
      [&](const Json& key) { ids.push_back(Text(key, "KeyId")); }));
  ASSIGN_OR_RETURN(auto aliases, ListAliases(kms));
  Loader loader(kms, library, std::move(aliases), known);
  std::vector<std::shared_ptr<const Key>> keys;
  for (const std::string& id : ids) {
    base::Result<std::shared_ptr<const Key>> key = loader.Load(id);
    if (key.has_value()) {
      if (*key != nullptr) {
        keys.push_back(*std::move(key));
      }
    } else if (MayPass(key.error().code)) {
      return std::move(key).error();
    } else {
      LogLine(fmt::format("key {} is left out: {}", id, key.error().message));
    }
  }
  return keys;
}

}  // namespace pkcs11::module
