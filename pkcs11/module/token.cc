// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/token.h"

#include <utility>

#include "pkcs11/module/key_loader.h"
#include "pkcs11/module/log.h"

namespace pkcs11::module {
namespace {

// For who looks for something that was not there a moment ago. Callers repeat
// searches that find nothing; each must not list every key.
constexpr std::chrono::seconds kMaxAgeOfMiss{1};

bool NamesOne(const AttributeSet& wanted) {
  return wanted.Find(CKA_LABEL) != nullptr || wanted.Find(CKA_ID) != nullptr ||
         wanted.Find(CKA_UNIQUE_ID) != nullptr;
}

}  // namespace

Answer<std::vector<CK_OBJECT_HANDLE>> Token::Search(
    const AttributeSet& wanted) {
  ASSIGN_OR_FAIL(StoreOwner store, Store(options_.object_ttl));
  std::vector<CK_OBJECT_HANDLE> found = store->Search(wanted);
  if (found.empty() && NamesOne(wanted)) {
    ASSIGN_OR_FAIL(store, Store(kMaxAgeOfMiss));
    found = store->Search(wanted);
  }
  return found;
}

Answer<std::shared_ptr<const Object>> Token::Find(CK_OBJECT_HANDLE handle) {
  {
    const StateLock lock;
    if (store_ != nullptr && changes_ == loaded_changes_) {
      if (auto object = store_->Find(handle)) {
        return object;
      }
    }
  }
  ASSIGN_OR_FAIL(const StoreOwner store, Store(kMaxAgeOfMiss));
  if (auto object = store->Find(handle)) {
    return object;
  }
  return Failure(CKR_OBJECT_HANDLE_INVALID);
}

// The store, loaded anew if it is older than `max_age`. If that fails, what was
// known before stays, so that handles outlive a server that is down.
Answer<Token::StoreOwner> Token::Store(std::chrono::nanoseconds max_age) {
  StoreOwner old;
  std::uint64_t changes = 0;
  {
    const StateLock lock;
    if (store_ != nullptr && changes_ == loaded_changes_ &&
        clock_.Monotonic() - loaded_at_ < max_age) {
      return store_;
    }
    old = store_;
    changes = changes_;
  }
  const base::MonotonicTime now = clock_.Monotonic();
  base::Result<std::vector<std::shared_ptr<const Key>>> keys = LoadKeys(
      *kms_, library_, options_,
      old == nullptr ? std::vector<std::shared_ptr<const Key>>() : old->keys());
  if (!keys.has_value()) {
    if (old == nullptr) {
      return Failure(std::move(keys).error());
    }
    LogLine("the list of keys is old: " + keys.error().message);
    return old;
  }
  StoreOwner fresh = std::make_shared<const ObjectStore>(*keys);
  StoreOwner replaced;  // Goes after the lock.
  const StateLock lock;
  replaced = std::exchange(store_, fresh);
  loaded_at_ = now;
  loaded_changes_ = changes;
  return fresh;
}

void Token::NoteChange() {
  const StateLock lock;
  ++changes_;
}

}  // namespace pkcs11::module
