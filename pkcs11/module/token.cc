// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/token.h"

#include <algorithm>
#include <utility>

#include "pkcs11/module/certificate_files.h"
#include "pkcs11/module/log.h"
#include "pkcs11/module/pin.h"

namespace pkcs11::module {
namespace {

// For who looks for something that was not there a moment ago. Callers repeat
// searches that find nothing; each must not list every key.
constexpr std::chrono::seconds kMaxAgeOfMiss{1};

// What the KMS said about an access key, to who logs in with it.
Status AsLogin(const base::Status& answer) {
  if (answer.has_value()) {
    return {};
  }
  const base::Error& error = answer.error();
  if (error.code == base::ErrorCode::kAlreadyExists) {
    return Failure(CKR_USER_ALREADY_LOGGED_IN);
  }
  const CK_RV rv = RvOf(error.code);
  return Failure(rv == CKR_USER_NOT_LOGGED_IN ? CKR_PIN_INCORRECT : rv,
                 error.message);
}

bool NamesOne(const AttributeSet& wanted) {
  return wanted.Find(CKA_LABEL) != nullptr || wanted.Find(CKA_ID) != nullptr ||
         wanted.Find(CKA_UNIQUE_ID) != nullptr;
}

}  // namespace

Answer<std::vector<CK_OBJECT_HANDLE>> Token::Search(
    const AttributeSet& wanted) {
  std::vector<CK_OBJECT_HANDLE> all = SearchSessionObjects(wanted);
  if (wanted.Find(CKA_TOKEN) != nullptr && !wanted.IsTrue(CKA_TOKEN)) {
    return all;
  }
  ASSIGN_OR_FAIL(StoreOwner store, Store(options_.object_ttl));
  std::vector<CK_OBJECT_HANDLE> found = Shown(*store, wanted);
  if (found.empty() && all.empty() && NamesOne(wanted)) {
    ASSIGN_OR_FAIL(store, Store(kMaxAgeOfMiss));
    found = Shown(*store, wanted);
  }
  all.insert(all.end(), found.begin(), found.end());
  return all;
}

std::vector<CK_OBJECT_HANDLE> Token::Shown(const ObjectStore& store,
                                           const AttributeSet& wanted) const {
  std::vector<CK_OBJECT_HANDLE> found = store.Search(wanted);
  const StateLock lock;
  std::erase_if(found, [&](CK_OBJECT_HANDLE handle) {
    return IsGone(lock, *store.Find(handle));
  });
  return found;
}

std::vector<CK_OBJECT_HANDLE> Token::SearchSessionObjects(
    const AttributeSet& wanted) {
  const auto all = [this] {
    const StateLock lock;
    auto visible = session_objects_.All(lock);
    std::erase_if(visible, [&](const auto& entry) {
      return !Shows(lock, *entry.second);
    });
    return visible;
  }();
  std::vector<CK_OBJECT_HANDLE> found;
  for (const auto& [handle, object] : all) {
    if (object->attributes.Matches(wanted)) {
      found.push_back(handle);
    }
  }
  return found;
}

Answer<std::vector<std::shared_ptr<const Key>>> Token::Keys() {
  ASSIGN_OR_FAIL(const StoreOwner store, Store(options_.object_ttl));
  return store->keys();
}

Answer<std::shared_ptr<const Object>> Token::Find(CK_OBJECT_HANDLE handle,
                                                  Wanted wanted) {
  {
    const StateLock lock;
    if (IsSessionObject(handle)) {
      auto object = session_objects_.Find(lock, handle);
      if (object == nullptr) {
        return Failure(CKR_OBJECT_HANDLE_INVALID);
      }
      if (!Shows(lock, *object)) {
        return Failure(CKR_USER_NOT_LOGGED_IN);
      }
      return object;
    }
    if (!IsOpen(lock)) {
      return Failure(CKR_USER_NOT_LOGGED_IN);
    }
    // What a key is and may be used for does not change.
    if (store_ != nullptr &&
        (wanted == Wanted::kKey || changes_ == loaded_changes_)) {
      auto object = store_->Find(handle);
      if (object != nullptr && !IsGone(lock, *object)) {
        return object;
      }
    }
  }
  ASSIGN_OR_FAIL(const StoreOwner store, Store(kMaxAgeOfMiss));
  auto object = store->Find(handle);
  const StateLock lock;
  if (object == nullptr || IsGone(lock, *object)) {
    return Failure(CKR_OBJECT_HANDLE_INVALID);
  }
  return object;
}

// Whether it was destroyed by a caller of ours and the list is older.
bool Token::IsGone(const StateLock&, const Object& object) const {
  return hidden_.contains(object.unique_id) ||
         (object.key != nullptr && destroyed_.contains(object.key->arn));
}

// The store, loaded anew if it is older than `max_age`. If that fails, what was
// known before stays, so that handles outlive a server that is down. While one
// thread loads what is merely old, the others go on with it.
Answer<Token::StoreOwner> Token::Store(std::chrono::nanoseconds max_age) {
  StoreOwner old;
  std::uint64_t changes = 0;
  std::uint64_t logouts = 0;
  Ours ours = Ours::kAll;
  {
    const StateLock lock;
    if (!IsOpen(lock)) {
      return std::make_shared<const ObjectStore>();
    }
    logouts = logouts_;
    if (store_ != nullptr && changes_ == loaded_changes_ &&
        clock_.Monotonic() - loaded_at_ < max_age) {
      return store_;
    }
    const bool is_merely_old = store_ != nullptr &&
                               changes_ == loaded_changes_ &&
                               max_age == options_.object_ttl;
    if (is_merely_old && loading_) {
      return store_;
    }
    loading_ = true;
    old = store_;
    changes = changes_;
    ours = ours_;
  }
  const base::MonotonicTime now = clock_.Monotonic();
  base::Result<LoadedKeys> loaded = LoadKeys(
      *kms_, library_, options_,
      old == nullptr ? std::vector<std::shared_ptr<const Key>>() : old->keys(),
      ours);
  if (!loaded.has_value()) {
    if (old != nullptr) {
      LogLine("the list of keys is old: " + loaded.error().message);
    }
    const StateLock lock;
    loading_ = false;
    if (old == nullptr) {
      return Failure(std::move(loaded).error());
    }
    if (logouts != logouts_) {
      return Failure(CKR_USER_NOT_LOGGED_IN);
    }
    return old;
  }
  StoreOwner fresh = std::make_shared<const ObjectStore>(
      loaded->keys, options_, OwnCertificates(loaded->keys));
  StoreOwner replaced;  // Goes after the lock.
  const StateLock lock;
  loading_ = false;
  if (logouts != logouts_) {
    return Failure(CKR_USER_NOT_LOGGED_IN);  // It was that user's.
  }
  replaced = std::exchange(store_, fresh);
  loaded_at_ = now;
  loaded_changes_ = changes;
  if (changes == changes_) {
    destroyed_.clear();
  }
  ours_ = std::max(ours_, loaded->ours);
  return fresh;
}

Status Token::LogIn(std::string_view user_name, std::string_view pin) {
  {
    const StateLock lock;
    if (logged_in_) {
      return Failure(CKR_USER_ALREADY_LOGGED_IN);
    }
  }
  std::string user;
  if (options_.login == LoginMode::kPin) {
    std::optional<base::SigV4Credentials> credentials =
        ReadPin(user_name, pin, options_.access_key_id);
    if (!credentials.has_value()) {
      return Failure(CKR_PIN_INCORRECT,
                     "a PIN is ACCESSKEYID:SECRET or, with access_key_id in "
                     "the configuration, the secret");
    }
    user = credentials->access_key_id;
    RETURN_IF_FAILED(AsLogin(kms_->LogIn(*std::move(credentials))));
  }
  const StateLock lock;
  if (std::exchange(logged_in_, true)) {
    return Failure(CKR_USER_ALREADY_LOGGED_IN);
  }
  user_ = std::move(user);
  return {};
}

Status Token::CheckPin(std::string_view user_name, std::string_view pin) {
  std::string user = options_.access_key_id;
  {
    const StateLock lock;
    if (!logged_in_) {
      return Failure(CKR_USER_NOT_LOGGED_IN);
    }
    user = user.empty() ? user_ : user;
  }
  std::optional<base::SigV4Credentials> credentials =
      ReadPin(user_name, pin, user);
  if (!credentials.has_value()) {
    return Failure(CKR_PIN_INCORRECT);
  }
  return AsLogin(kms_->CheckLogin(*std::move(credentials)));
}

std::vector<std::shared_ptr<const void>> Token::LogOut(const StateLock& lock) {
  logged_in_ = false;
  std::vector<std::shared_ptr<const void>> forgotten;
  for (auto& object : session_objects_.RemovePrivate(lock)) {
    forgotten.push_back(std::move(object));
  }
  if (options_.login == LoginMode::kNone) {
    return forgotten;
  }
  ++logouts_;
  ours_ = Ours::kAll;  // The next user may be allowed more.
  forgotten.push_back(std::exchange(store_, nullptr));
  forgotten.push_back(kms_->LogOut(lock));
  return forgotten;
}

std::vector<HeldCertificate> Token::OwnCertificates(
    const std::vector<std::shared_ptr<const Key>>& keys) {
  std::vector<HeldCertificate> held;
  for (const CertificatePtr& certificate : certificates_) {
    held.push_back({certificate, CertificateSource::kConfiguration});
  }
  if (!options_.certificate_dir.empty()) {
    const auto kept = ReadCertificates(options_.certificate_dir, library_);
    if (!kept.has_value()) {
      LogLine(kept.error().message);
    }
    for (const CertificatePtr& certificate :
         kept.value_or(std::vector<CertificatePtr>())) {
      held.push_back({certificate, CertificateSource::kFolder});
    }
  }
  if (options_.ephemeral_certificates) {
    for (const CertificatePtr& certificate :
         ephemeral_.For(keys, held, *kms_, library_)) {
      held.push_back({certificate, CertificateSource::kEphemeral});
    }
  }
  return held;
}

void Token::NoteChange() {
  const StateLock lock;
  ++changes_;
}

void Token::NoteDestroyed(const std::string& arn) {
  const StateLock lock;
  ++changes_;
  destroyed_.insert(arn);
}

void Token::NoteNewId(const std::string& arn) {
  const StateLock lock;
  new_ids_.insert(arn);
}

bool Token::HasNewId(const std::string& arn) const {
  const StateLock lock;
  return new_ids_.contains(arn);
}

void Token::Hide(const std::string& unique_id) {
  const StateLock lock;
  hidden_.insert(unique_id);
}

void Token::AfterForkInChild(const StateLock&) {
  loading_ = false;  // The thread that did is the parent's.
  kms_->AfterForkInChild();
}

}  // namespace pkcs11::module
