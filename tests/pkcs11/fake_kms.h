// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_PKCS11_FAKE_KMS_H_
#define TESTS_PKCS11_FAKE_KMS_H_

#include <openssl/evp.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "pkcs11/kms.h"
#include "pkcs11/module/state_lock.h"

namespace pkcs11::module {

// A key of the fake, as the fake's own programs see it.
struct FakeKey {
  std::string id;
  std::string spec;
  std::string usage;
  std::string state = "Enabled";
  std::map<std::string, std::string> tags;
  std::shared_ptr<EVP_PKEY> pair;                 // Null for secret keys.
  base::Bytes secret;                             // Of HMAC keys.
  base::Json certificates = base::Json::array();  // Base64.
};

// A FakeKms is a Kms in memory that makes real signatures. Every key is of its
// own making, and so are the answers; lists have pages of two. Safe to call
// from any thread.
class FakeKms final : public Kms {
 public:
  base::Result<base::Json> Call(std::string_view operation,
                                const base::Json& request) override;

  // One access key is good.
  static constexpr std::string_view kAccessKeyId = "AKIAFAKE";
  static constexpr std::string_view kSecret = "fake/secret";
  base::Status LogIn(base::SigV4Credentials credentials) override;
  base::Status CheckLogin(base::SigV4Credentials credentials) override;
  std::shared_ptr<void> LogOut(const StateLock& lock) override;
  int LastFailure() const override { return last_failure_.load(); }
  void SetLastFailure(int status) { last_failure_.store(status); }

  // Makes a key and returns its id, which is a UUID of the number of the key.
  std::string AddKey(const std::string& spec, const std::string& usage,
                     const std::string& alias = "");
  void AddAlias(const std::string& key_id, const std::string& alias);
  void SetTag(const std::string& key_id, const std::string& tag,
              const std::string& value);
  void SetState(const std::string& key_id, const std::string& state);

  // From now on it has the operations of a Claviger, too.
  void BeClaviger();

  // Of a key pair: SubjectPublicKeyInfo.
  base::Bytes SpkiOf(const std::string& key_id);

  // From now on `operation` fails like this; nothing: it works again.
  void Fail(const std::string& operation, std::optional<base::Error> error);

  // From now on `operation` answers this, whatever it is asked.
  void Reply(const std::string& operation, base::Json reply);

  // How often `operation` was called; "" counts all.
  int Calls(const std::string& operation = "") const;

  // The last request of `operation`.
  base::Json LastRequest(const std::string& operation) const;

 private:
  base::Result<base::Json> Answer(std::string_view operation,
                                  const base::Json& request);
  base::Result<FakeKey*> KeyOf(const base::Json& request);

  base::Result<base::Json> OwnAnswer(std::string_view operation,
                                     const base::Json& request);
  base::Json ListObjects(const base::Json& request) const;

  FakeKey& MakeKey(const std::string& spec, const std::string& usage);
  static base::Json MetadataOf(const FakeKey& key);
  static base::Result<base::Json> PublicKeyOf(const FakeKey& key);
  static void Tag(FakeKey& key, const base::Json& request);
  base::Result<base::Json> CreateAlias(const base::Json& request);
  base::Json ListKeys(const base::Json& request) const;
  base::Json ListAliases() const;
  static base::Result<base::Json> Sign(const FakeKey& key,
                                       const base::Json& request);
  static base::Result<base::Json> Verify(const FakeKey& key,
                                         const base::Json& request);
  static base::Result<base::Json> Mac(const FakeKey& key,
                                      const base::Json& request, bool verify);
  static base::Result<base::Json> Encrypt(const FakeKey& key,
                                          const base::Json& request);
  static base::Result<base::Json> Decrypt(const FakeKey& key,
                                          const base::Json& request);

  std::atomic<bool> logged_in_ = false;
  std::atomic<int> last_failure_ = 0;
  static base::Result<base::Json> GenerateDataKey(const FakeKey& key,
                                                  const base::Json& request);
  static base::Result<base::Json> DeriveSharedSecret(const FakeKey& key,
                                                     const base::Json& request);

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<FakeKey> keys_;
  bool is_claviger_ = false;
  std::map<std::string, std::string> aliases_;  // To key ids.
  std::map<std::string, base::Result<base::Json>> fixed_;
  std::map<std::string, int> calls_;
  std::map<std::string, base::Json> last_;
};

}  // namespace pkcs11::module

#endif  // TESTS_PKCS11_FAKE_KMS_H_
