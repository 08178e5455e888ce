// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/key_reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "pkcs11/errors.h"
#include "pkcs11/module/key_filter.h"
#include "pkcs11/module/key_loader.h"
#include "pkcs11/module/log.h"

namespace pkcs11::module {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;

constexpr std::string_view kAliasPrefix = "alias/";
constexpr std::string_view kMultiRegionPrefix = "mrk-";

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

CertificatePtr FindKnown(const Key* known, base::ByteView der) {
  if (known == nullptr) {
    return nullptr;
  }
  const auto found = std::ranges::find_if(
      known->certificates,
      [der](const auto& each) { return std::ranges::equal(each->der, der); });
  return found == known->certificates.end() ? nullptr : *found;
}

base::Result<CertificatePtr> ReadOne(const Json& text, const Key* known,
                                     OSSL_LIB_CTX* library) {
  if (!text.is_string()) {
    return Error{ErrorCode::kCorrupt, "not a text"};
  }
  ASSIGN_OR_RETURN(const base::Bytes der,
                   base::Base64Decode(base::TextOf(text)));
  if (CertificatePtr same = FindKnown(known, der)) {
    return same;
  }
  return ParseCertificate(der, library);
}

}  // namespace

std::string TextOrEmpty(const Json& object, std::string_view name) {
  return std::string(TextMember(object, name).value_or(""));
}

std::optional<std::string> AliasName(std::string_view alias) {
  if (!alias.starts_with(kAliasPrefix)) {
    return std::nullopt;
  }
  alias.remove_prefix(kAliasPrefix.size());
  return std::string(alias);
}

void AddTag(const Json& tag, std::map<std::string, std::string>& tags) {
  tags[TextOrEmpty(tag, "TagKey")] = TextOrEmpty(tag, "TagValue");
}

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

bool MayPass(ErrorCode code) {
  const CK_RV rv = RvOf(code);
  return code != ErrorCode::kCorrupt &&
         (rv == CKR_DEVICE_ERROR || rv == CKR_TOKEN_RESOURCE_EXCEEDED ||
          rv == CKR_USER_NOT_LOGGED_IN);
}

std::optional<Key> DescribedKey(const Json& metadata,
                                const TokenOptions& options) {
  const std::string spec_name = TextOrEmpty(metadata, "KeySpec");
  const std::optional<Usage> usage =
      ParseUsage(TextOrEmpty(metadata, "KeyUsage"));
  Key key;
  key.arn = TextOrEmpty(metadata, "Arn");
  key.spec = FindKeySpec(spec_name);
  key.state = TextOrEmpty(metadata, "KeyState");
  key.origin = TextOrEmpty(metadata, "Origin");
  const auto multi_region = metadata.find("MultiRegion");
  key.multi_region = multi_region != metadata.end() && *multi_region == true;
  if (key.spec == nullptr || !usage.has_value() || key.arn.empty() ||
      !ShowsState(options, key.state) ||
      TextOrEmpty(metadata, "KeyManager") == "AWS") {
    return std::nullopt;
  }
  key.usage = *usage;
  return key;
}

void NameKey(const std::string& key_id, const std::string& alias,
             const std::map<std::string, std::string>& tags, Key& key) {
  key.label = alias.empty() ? key_id : alias;
  key.id = IdBytes(key_id);
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

void SetCertificates(const Json& list, const Key* known, OSSL_LIB_CTX* library,
                     Key& key) {
  for (const Json& text : list) {
    base::Result<CertificatePtr> certificate = ReadOne(text, known, library);
    if (certificate.has_value()) {
      key.certificates.push_back(*std::move(certificate));
    } else {
      LogLine(fmt::format("{} has a certificate that is left out: {}", key.arn,
                          certificate.error().message));
    }
  }
}

}  // namespace pkcs11::module
