// SPDX-License-Identifier: Apache-2.0
#include "kms/identity/credentials.h"

#include <atomic>
#include <utility>

namespace kms::identity {
namespace {

std::uint64_t NextGeneration() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

}  // namespace

Credentials::Credentials(std::vector<AccessKey> keys)
    : generation_(NextGeneration()) {
  for (AccessKey& key : keys) {
    std::string id = key.id;
    key.caller.access_key_id = id;
    keys_.try_emplace(std::move(id), std::move(key));
  }
}

const AccessKey* Credentials::Find(std::string_view access_key_id) const {
  const auto found = keys_.find(access_key_id);
  return found == keys_.end() || !found->second.active ? nullptr
                                                       : &found->second;
}

CredentialSource::CredentialSource(std::shared_ptr<const Credentials> initial)
    : current_(std::move(initial)) {}

std::shared_ptr<const Credentials> CredentialSource::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void CredentialSource::Replace(std::shared_ptr<const Credentials> next) {
  const std::lock_guard lock(mutex_);
  current_.swap(next);
}

}  // namespace kms::identity
