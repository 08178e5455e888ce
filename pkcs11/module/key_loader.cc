// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/key_loader.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "pkcs11/module/key_batch.h"
#include "pkcs11/module/key_filter.h"
#include "pkcs11/module/key_reply.h"
#include "pkcs11/module/log.h"

namespace pkcs11::module {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;

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
        const std::string key = TextOrEmpty(alias, "TargetKeyId");
        std::optional<std::string> name =
            AliasName(TextOrEmpty(alias, "AliasName"));
        if (!key.empty() && name.has_value()) {
          names[key].push_back(*std::move(name));
        }
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
      [&](const Json& key) { ids.push_back(TextOrEmpty(key, "KeyId")); }));
  return ids;
}

base::Result<std::map<std::string, std::string>> ListTags(
    Kms& kms, const Json& request, const std::string& arn) {
  std::map<std::string, std::string> tags;
  const base::Status listed =
      ForEachListed(kms, "ListResourceTags", request, "Tags",
                    [&](const Json& tag) { AddTag(tag, tags); });
  RETURN_IF_ERROR(Tolerate(listed, arn + " has no tags"));
  return tags;
}

// One LoadKeys.
class Loader {
 public:
  Loader(Kms& kms, OSSL_LIB_CTX* library, const TokenOptions& options,
         Aliases aliases, const std::vector<std::shared_ptr<const Key>>& known,
         Ours ours)
      : kms_(kms),
        library_(library),
        options_(options),
        aliases_(std::move(aliases)),
        ours_(ours) {
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
    const std::string key_id = TextOrEmpty(*metadata, "KeyId");
    std::optional<Key> key = DescribedKey(*metadata, options_);
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
      RETURN_IF_ERROR(AddCertificates(request, *key));
    }
    NameKey(key_id, *alias, tags, *key);
    return std::make_shared<const Key>(*std::move(key));
  }

  // As far as they are known by now.
  Ours ours() const { return ours_; }

 private:
  base::Result<base::Bytes> PublicKeyOf(const Key& key, const Json& request) {
    const auto known = known_.find(key.arn);
    if (known != known_.end()) {
      return known->second->spki;
    }
    ASSIGN_OR_RETURN(const Json reply, kms_.Call("GetPublicKey", request));
    return BytesMember(reply, "PublicKey");
  }

  base::Status AddCertificates(const Json& request, Key& key) {
    if (ours_ == Ours::kNone) {
      return {};
    }
    const base::Result<Json> reply =
        kms_.Call("Claviger.GetCertificates", request);
    if (!reply.has_value()) {
      if (reply.error().code == ErrorCode::kUnknownOperation) {
        ours_ = Ours::kNone;
        return {};
      }
      return Tolerate(reply.error(), key.arn + " has no certificates");
    }
    const auto list = reply->find("Certificates");
    if (list != reply->end() && list->is_array()) {
      const auto before = known_.find(key.arn);
      SetCertificates(*list,
                      before == known_.end() ? nullptr : before->second.get(),
                      library_, key);
    }
    return {};
  }

  Kms& kms_;
  OSSL_LIB_CTX* const library_;
  const TokenOptions& options_;
  const Aliases aliases_;
  std::map<std::string, std::shared_ptr<const Key>> known_;  // By ARN.
  Ours ours_;
};

// Which of our operations are worth calling after the listing has failed like
// this: another KMS has none; an older server, or one that does not let the
// caller list keys, may still tell of a single key. Nothing: that may pass.
std::optional<Ours> AfterFailedListing(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnknownOperation:
      return Ours::kNone;
    case ErrorCode::kAccessDenied:
    case ErrorCode::kValidation:
    case ErrorCode::kUnsupportedOperation:
      return Ours::kAllButListing;
    default:
      return std::nullopt;
  }
}

}  // namespace

base::Result<LoadedKeys> LoadKeys(
    Kms& kms, OSSL_LIB_CTX* library, const TokenOptions& options,
    const std::vector<std::shared_ptr<const Key>>& known, Ours ours) {
  LoadedKeys loaded;
  loaded.ours = options.backend == Backend::kClaviger ? ours : Ours::kNone;
  if (loaded.ours == Ours::kAll && options.filter.key_ids.empty()) {
    auto listed = LoadKeysAtOnce(kms, library, options, known);
    if (listed.has_value()) {
      loaded.keys = *std::move(listed);
      return loaded;
    }
    const std::optional<Ours> left = AfterFailedListing(listed.error().code);
    if (!left.has_value()) {
      return std::move(listed).error();
    }
    loaded.ours = *left;
  }
  ASSIGN_OR_RETURN(Aliases aliases, ListAliases(kms, options.filter));
  ASSIGN_OR_RETURN(const std::vector<std::string> ids,
                   CandidateKeys(kms, options.filter, aliases));
  Loader loader(kms, library, options, std::move(aliases), known, loaded.ours);
  std::set<std::string> arns;  // The configuration may name a key twice.
  for (const std::string& id : ids) {
    base::Result<std::shared_ptr<const Key>> key = loader.Load(id);
    if (key.has_value()) {
      if (*key != nullptr && arns.insert((*key)->arn).second) {
        loaded.keys.push_back(*std::move(key));
      }
    } else if (MayPass(key.error().code)) {
      return std::move(key).error();
    } else {
      LogLine(fmt::format("key {} is left out: {}", id, key.error().message));
    }
  }
  loaded.ours = loader.ours();
  return loaded;
}

}  // namespace pkcs11::module
