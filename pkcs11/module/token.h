// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_TOKEN_H_
#define PKCS11_MODULE_TOKEN_H_

#include <openssl/types.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "pkcs11/kms.h"
#include "pkcs11/module/answer.h"
#include "pkcs11/module/ephemeral_certificates.h"
#include "pkcs11/module/key_loader.h"
#include "pkcs11/module/object_store.h"
#include "pkcs11/module/session_objects.h"
#include "pkcs11/module/state_lock.h"
#include "pkcs11/module/token_options.h"

namespace pkcs11::module {

// How a token introduces itself.
struct TokenLabel {
  std::string label;   // CKA_LABEL of the token: up to 32 bytes.
  std::string serial;  // Up to 16.
};

// A Token is a KMS that is seen as a token: the keys of one account in one
// Region. It asks the KMS only when objects are wanted. Safe to call from any
// thread.
class Token {
 public:
  // `library` and `clock` are borrowed. `certificates` are those that the
  // options name.
  Token(TokenLabel label, std::unique_ptr<Kms> kms, OSSL_LIB_CTX* library,
        const base::Clock& clock, TokenOptions options = {},
        std::vector<CertificatePtr> certificates = {})
      : certificates_(std::move(certificates)),
        label_(std::move(label)),
        options_(std::move(options)),
        kms_(std::move(kms)),
        library_(library),
        clock_(clock) {}

  const TokenLabel& label() const { return label_; }
  const TokenOptions& options() const { return options_; }
  OSSL_LIB_CTX* library() const { return library_; }
  Kms& kms() const { return *kms_; }

  // The objects that have all attributes of `wanted`, those of sessions first.
  // Looks again at what the KMS has if that is older than the options say (a
  // minute), or if nothing has the label or id that is wanted; does not ask it
  // for objects of sessions.
  Answer<std::vector<CK_OBJECT_HANDLE>> Search(const AttributeSet& wanted);

  // All keys, as Search() would see them.
  Answer<std::vector<std::shared_ptr<const Key>>> Keys();

  // What an object is wanted for.
  enum class Wanted : std::uint8_t {
    kKey,         // Its use: the KMS is asked only if nothing is known of it.
    kAttributes,  // What it is called: as our callers have changed it.
  };
  // Fails with CKR_OBJECT_HANDLE_INVALID; with CKR_USER_NOT_LOGGED_IN where one
  // must log in to see it.
  Answer<std::shared_ptr<const Object>> Find(
      CK_OBJECT_HANDLE handle, Wanted wanted = Wanted::kAttributes);

  // To be called when the KMS was told to change something: what is known is
  // now old.
  void NoteChange();
  // The same, and the objects of that key are gone at once.
  void NoteDestroyed(const std::string& arn);
  // A key has got another CKA_ID from this process; whether that is so.
  void NoteNewId(const std::string& arn);
  bool HasNewId(const std::string& arn) const;
  // This process sees the object no more; the KMS knows nothing of that.
  void Hide(const std::string& unique_id);

  void AfterForkInChild(const StateLock& lock);

  SessionObjects& session_objects(const StateLock&) { return session_objects_; }

  // Logs a user in. The PIN is looked at only where the options say so: then it
  // is an access key (pin.h), and the KMS is asked. Fails with
  // CKR_USER_ALREADY_LOGGED_IN, with CKR_PIN_INCORRECT, or as the KMS does.
  Status LogIn(std::string_view user_name, std::string_view pin);
  // Whether the PIN is that of who is logged in. Fails likewise, and with
  // CKR_USER_NOT_LOGGED_IN.
  Status CheckPin(std::string_view user_name, std::string_view pin);
  bool logged_in(const StateLock&) const { return logged_in_; }
  // Whether an object of a session may be seen now.
  bool Shows(const StateLock& lock, const Object& object) const {
    return IsOpen(lock) || !object.attributes.IsTrue(CKA_PRIVATE);
  }
  // Forgets the user, and the private objects of sessions with him (PKCS#11
  // 2.40, "C_Logout"). What is returned is to be let go of without the lock.
  std::vector<std::shared_ptr<const void>> LogOut(const StateLock& lock);

 private:
  using StoreOwner = std::shared_ptr<const ObjectStore>;

  std::vector<CK_OBJECT_HANDLE> SearchSessionObjects(
      const AttributeSet& wanted);
  std::vector<CK_OBJECT_HANDLE> Shown(const ObjectStore& store,
                                      const AttributeSet& wanted) const;
  bool IsGone(const StateLock& lock, const Object& object) const;
  Answer<StoreOwner> Store(std::chrono::nanoseconds max_age);
  // Whether what the KMS holds may be shown.
  bool IsOpen(const StateLock&) const {
    return logged_in_ || options_.login == LoginMode::kNone;
  }

  // The certificates that the KMS does not keep.
  std::vector<HeldCertificate> OwnCertificates(
      const std::vector<std::shared_ptr<const Key>>& keys);

  const std::vector<CertificatePtr> certificates_;
  const TokenLabel label_;
  const TokenOptions options_;
  const std::unique_ptr<Kms> kms_;
  OSSL_LIB_CTX* const library_;
  const base::Clock& clock_;

  // Guarded by StateLock.
  SessionObjects session_objects_;
  EphemeralCertificates ephemeral_;
  StoreOwner store_;
  base::MonotonicTime loaded_at_{};
  std::uint64_t changes_ = 0;         // Calls of NoteChange().
  std::uint64_t loaded_changes_ = 0;  // Those that `store_` has seen.
  std::uint64_t logouts_ = 0;
  Ours ours_ = Ours::kAll;
  bool logged_in_ = false;
  bool loading_ = false;
  std::string user_;  // The access key id, where that is who logs in.
  // What went since the list was made: keys by ARN.
  std::set<std::string> destroyed_;
  std::set<std::string> hidden_;   // Objects by CKA_UNIQUE_ID.
  std::set<std::string> new_ids_;  // Keys by ARN.
};

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_TOKEN_H_
