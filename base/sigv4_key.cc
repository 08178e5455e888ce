// SPDX-License-Identifier: Apache-2.0
#include "base/sigv4_key.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/sigv4.h"

namespace base {

Secret DeriveSigningKey(const Secret& secret, std::string_view scope,
                        Hasher& hasher) {
  constexpr std::string_view kPrefix = "AWS4";
  Secret key(kPrefix.size() + secret.size());
  std::ranges::copy(kPrefix, key.Reveal().begin());
  std::ranges::copy(secret.Reveal(), key.Reveal().begin() + kPrefix.size());
  while (!scope.empty()) {
    const std::string_view element = CutAt(scope, '/');
    Digest mac = hasher.HmacSha256(key.Reveal(), AsBytes(element));
    key = Secret::CopyOf(mac);
    OPENSSL_cleanse(mac.data(), mac.size());
  }
  return key;
}

const Secret* SigningKeyCache::Find(std::string_view credential,
                                    std::uint64_t generation) const {
  const auto found = keys_.find(credential);
  if (found == keys_.end() || found->second.generation != generation) {
    return nullptr;
  }
  return &found->second.key;
}

void SigningKeyCache::Put(std::string_view credential, std::uint64_t generation,
                          Secret key) {
  if (keys_.size() >= capacity_) {
    keys_.clear();
  }
  keys_.insert_or_assign(std::string(credential),
                         Entry{generation, std::move(key)});
}

void SigningKeyCache::Forget(std::string_view access_key_id) {
  std::erase_if(keys_, [&](const auto& entry) {
    std::string_view credential = entry.first;
    return CutAt(credential, '/') == access_key_id;
  });
}

}  // namespace base
