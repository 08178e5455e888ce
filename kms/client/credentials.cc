// SPDX-License-Identifier: Apache-2.0
#include "kms/client/credentials.h"

#include <utility>

#include "kms/client/request.h"

namespace kms::client {
namespace {

bool AreSame(const base::SigV4Credentials& a, const base::SigV4Credentials& b) {
  return a.access_key_id == b.access_key_id &&
         a.session_token == b.session_token &&
         base::ConstantTimeEqual(a.secret_access_key.Reveal(),
                                 b.secret_access_key.Reveal());
}

}  // namespace

base::SigV4Credentials CopyOf(const base::SigV4Credentials& credentials) {
  return {credentials.access_key_id,
          base::Secret::CopyOf(credentials.secret_access_key.Reveal()),
          credentials.session_token};
}

CredentialCache::CredentialCache(base::SigV4Credentials first,
                                 std::optional<ProfileFiles> files)
    : files_(std::move(files)),
      current_(
          std::make_shared<const base::SigV4Credentials>(std::move(first))),
      published_(current_.get()) {}

CredentialCache::Stamps CredentialCache::Look() const {
  return {StampOf(files_->credentials), StampOf(files_->config)};
}

CredentialCache::Snapshot CredentialCache::Read() const {
  const base::Result<Profile> profile = Profile::Load(*files_);
  if (!profile.has_value()) {
    return nullptr;
  }
  base::Result<std::optional<Profile::Key>> found = profile->Credentials();
  if (!found.has_value() || !found->has_value() ||
      !CheckCredentials((*found)->credentials).has_value()) {
    return nullptr;
  }
  return std::make_shared<const base::SigV4Credentials>(
      std::move((*found)->credentials));
}

void CredentialCache::Publish(const Stamps& stamps, Snapshot fresh) {
  const std::lock_guard lock(mutex_);
  if (fresh != nullptr && stamps_ == stamps && !AreSame(*fresh, *current_)) {
    published_.store(fresh.get());
    current_.swap(fresh);  // What was before goes only now.
  }
}

CredentialCache::Snapshot CredentialCache::Current() {
  if (files_.has_value()) {
    // Before reading: what is written meanwhile has another stamp next time.
    const Stamps now = Look();
    std::unique_lock lock(mutex_);
    if (now == std::exchange(stamps_, now)) {
      return current_;
    }
    lock.unlock();
    Publish(now, Read());
  }
  const std::lock_guard lock(mutex_);
  return current_;
}

bool CredentialCache::Renew(const Snapshot& used) {
  const Stamps now = files_.has_value() ? Look() : Stamps();
  std::unique_lock lock(mutex_);
  // Otherwise another thread was told before us.
  if (current_ == used && files_.has_value()) {
    stamps_ = now;
    lock.unlock();
    Publish(now, Read());
    lock.lock();
  }
  return current_ != used;
}

base::SigV4Credentials CredentialCache::CopyAfterFork() const {
  return CopyOf(*published_.load());
}

}  // namespace kms::client
