// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_KEY_STORES_H_
#define KMS_OPERATIONS_KEY_STORES_H_

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "hsm/client/client.h"
#include "kms/model.h"

// Where key materials live.
namespace kms::operations {

// A KeyStore is one [[key_store]] of the configuration: a token, or several
// that share their wrapping keys, behind its workers.
struct KeyStore {
  std::string name;
  hsm::client::Client& hsm;  // Borrowed.
  // The Regions whose new keys it takes, and the cluster id under which custom
  // key stores name it. The first key store has neither.
  std::vector<std::string> regions{};
  std::string cluster_id{};
  hsm::Algorithm algorithm =
      hsm::Algorithm::kXaes256Gcm;  // Of new symmetric keys.
  // By what new keys are wrapped (placement `wrapped`); none: they are objects
  // of the token.
  std::optional<hsm::Locator> wrapping_key{};
  // Whether other tokens may be given it: then service keys are wrapped, too,
  // so that those tokens can use them.
  bool shares_wrapping_key = false;
  // What rows of the store call it that were written under another
  // configuration.
  std::vector<std::string> former_names{};
};

// The KeyStores of one io thread. The first one has the service keys, and the
// keys of every Region that no other one names. Not synchronised.
class KeyStores {
 public:
  explicit KeyStores(std::deque<KeyStore> stores)
      : stores_(std::move(stores)) {}

  KeyStore& primary() { return stores_.front(); }
  const KeyStore& primary() const { return stores_.front(); }
  std::deque<KeyStore>& all() { return stores_; }
  const std::deque<KeyStore>& all() const { return stores_; }

  // By the name that a row has. kKeyUnavailable if the configuration has no
  // such key store: nothing can be said of what is in it.
  base::Result<KeyStore*> Find(std::string_view name);

  // What the settling of `settled`, of the same configuration, has found out:
  // wrapping keys and former names.
  void TakeNames(const KeyStores& settled);

  // Of new keys.
  KeyStore& OfRegion(std::string_view region);
  // Null if the configuration gives no key store that cluster id.
  KeyStore* OfCluster(std::string_view cluster_id);

  // Where new materials of `key` are made, and its operations run that any
  // token of its can do. Rows of earlier releases do not say where: there was
  // one key store, whatever it was called. Errors as Find().
  base::Result<KeyStore*> Of(const Key& key);
  // Where this material of `key` is used: a wrapped one wherever the key is.
  base::Result<KeyStore*> Of(const Key& key, const KeyMaterial& material);

 private:
  std::deque<KeyStore> stores_;
};

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_KEY_STORES_H_
