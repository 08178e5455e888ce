// SPDX-License-Identifier: Apache-2.0
#include "kms/identity/credentials.h"

#include <array>
#include <atomic>
#include <utility>

#include "base/bytes.h"
#include "base/random.h"
#include "base/wiping.h"

namespace kms::identity {
namespace {

std::uint64_t NextGeneration() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

}  // namespace

std::string NewAccessKeyId(std::string_view prefix) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::array<std::uint8_t, 16> random;
  base::RandomBytes(random);
  std::string id(prefix);
  for (const std::uint8_t byte : random) {
    id.push_back(kAlphabet[byte % kAlphabet.size()]);
  }
  return id;
}

base::Secret NewSecretKey() {
  constexpr std::size_t kRandomBytes = 30;  // 40 characters of base64.
  base::Secret random(kRandomBytes);
  base::RandomBytes(random.Reveal());
  base::WipingString text;
  base::Base64Append(random.Reveal(), text);
  return base::Secret::CopyOf(text);
}

Credentials::Credentials(std::vector<AccessKey> keys)
    : generation_(NextGeneration()) {
  for (AccessKey& key : keys) {
    std::string id = key.id;
    keys_.try_emplace(std::move(id), std::move(key));
  }
}

const AccessKey* Credentials::Find(std::string_view access_key_id) const {
  const auto found = keys_.find(access_key_id);
  return found == keys_.end() || !found->second.active ? nullptr
                                                       : &found->second;
}

}  // namespace kms::identity
