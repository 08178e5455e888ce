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
#include "pkcs11/module/key_filter.h"
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

// Key ids to their aliases, without "alias/".
using Aliases = std::map<std::string, std::vector<std::string>>;

base::Result<Aliases> ListAliases(Kms& kms, const KeyFilter& filter) {
  Aliases names;
  const base::Status listed = ForEachListed(
      kms, "ListAliases", Json::object(), "Aliases", [&](const Json& alias) {
        const std::string key = Text(alias, "TargetKeyId");
        std::string name = Text(alias, "AliasName");
        if (key.empty() || !name.starts_with(kAliasPrefix)) {
          return;
        }
        name.erase(0, kAliasPrefix.size());
        names[key].push_back(std::move(name));
      });
  if (!filter.alias_prefix.empty()) {
    RETURN_IF_ERROR(listed);  // They decide what is shown.
  }
  RETURN_IF_ERROR(Tolerate(listed, "keys have no aliases"));
  return names;
}

// Ids or ARNs of the keys that may be shown: no more calls than it takes.
base::Result<std::vector<std::string>> CandidateKeys(Kms& kms,
                                                     const KeyFilter& filter,
                                                     const Aliases& aliases) {
  if (!filter.key_ids.empty()) {
    return filter.key_ids;
  }
  std::vector<std::string> ids;
  if (!filter.alias_prefix.empty()) {
    for (const auto& [id, names] : aliases) {
      if (ChooseAlias(filter, names).has_value()) {
        ids.push_back(id);
      }
    }
    return ids;
  }
  RETURN_IF_ERROR(ForEachListed(
      kms, "ListKeys", Json::object(), "Keys",
      [&](const Json& key) { ids.push_back(Text(key, "KeyId")); }));
  return ids;
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

base::Result<std::map<std::string, std::string>> ListTags(
    Kms& kms, const Json& request, const std::string& arn) {
  std::map<std::string, std::string> tags;
  const base::Status listed = ForEachListed(
      kms, "ListResourceTags", request, "Tags", [&](const Json& tag) {
        tags[Text(tag, "TagKey")] = Text(tag, "TagValue");
      });
  RETURN_IF_ERROR(Tolerate(listed, arn + " has no tags"));
  return tags;
}

// What tags say instead of a key's alias and id.
void NameByTags(const std::map<std::string, std::string>& tags, Key& key) {
  const auto label = tags.find(std::string(kLabelTag));
  if (label != tags.end()) {
    key.label = label->second;
  }
  const auto id = tags.find(std::string(kIdTag));
  if (id != tags.end()) {
    // A tag that is no hexadecimal was not written by us.
    if (base::Result<base::Bytes> bytes = base::HexDecode(id->second)) {
      key.id = *std::move(bytes);
    }
  }
}

// What DescribeKey says, or nothing for a key that is not to be shown.
std::optional<Key> Described(const Json& metadata,
                             const TokenOptions& options) {
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
      !ShowsState(options, key.state) ||
      Text(metadata, "KeyManager") == "AWS") {
    return std::nullopt;
  }
  key.usage = *usage;
  return key;
}

// One LoadKeys.
class Loader {
 public:
  Loader(Kms& kms, OSSL_LIB_CTX* library, const TokenOptions& options,
         Aliases aliases, const std::vector<std::shared_ptr<const Key>>& known)
      : kms_(kms),
        library_(library),
        options_(options),
        aliases_(std::move(aliases)) {
    for (const std::shared_ptr<const Key>& key : known) {
      known_.emplace(key->arn, key);
    }
  }

  // `name` is an id or an ARN. Null for a key that is not to be shown.
  base::Result<std::shared_ptr<const Key>> Load(const std::string& name) {
    const Json request = {{"KeyId", base::WipingString(name)}};
    ASSIGN_OR_RETURN(const Json reply, kms_.Call("DescribeKey", request));
    const auto metadata = reply.find("KeyMetadata");
    if (metadata == reply.end() || !metadata->is_object()) {
      return Error{ErrorCode::kCorrupt, "DescribeKey's reply has no metadata"};
    }
    const std::string key_id = Text(*metadata, "KeyId");
    std::optional<Key> key = Described(*metadata, options_);
    const auto aliases = aliases_.find(key_id);
    const std::optional<std::string> alias = ChooseAlias(
        options_.filter, aliases == aliases_.end() ? std::vector<std::string>()
                                                   : aliases->second);
    if (!key.has_value() || !alias.has_value()) {
      return std::shared_ptr<const Key>();
    }
    ASSIGN_OR_RETURN(const auto tags, ListTags(kms_, request, key->arn));
    if (!HasWantedTag(options_.filter, tags)) {
      return std::shared_ptr<const Key>();
    }
    if (HasPublicKey(*key->spec)) {
      ASSIGN_OR_RETURN(base::Bytes spki, PublicKeyOf(*key, request));
      RETURN_IF_ERROR(SetPublicKey(std::move(spki), library_, *key));
    }
    key->label = alias->empty() ? key_id : *alias;
    key->id = IdBytes(key_id);
    NameByTags(tags, *key);
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
  const TokenOptions& options_;
  const Aliases aliases_;
  std::map<std::string, std::shared_ptr<const Key>> known_;  // By ARN.
};

}  // namespace

base::Result<std::vector<std::shared_ptr<const Key>>> LoadKeys(
    Kms& kms, OSSL_LIB_CTX* library, const TokenOptions& options,
    const std::vector<std::shared_ptr<const Key>>& known) {
  ASSIGN_OR_RETURN(Aliases aliases, ListAliases(kms, options.filter));
  ASSIGN_OR_RETURN(const std::vector<std::string> ids,
                   CandidateKeys(kms, options.filter, aliases));
  Loader loader(kms, library, options, std::move(aliases), known);
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
