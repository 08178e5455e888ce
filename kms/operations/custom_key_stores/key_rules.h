// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_CUSTOM_KEY_STORES_KEY_RULES_H_
#define KMS_OPERATIONS_CUSTOM_KEY_STORES_KEY_RULES_H_

#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "base/result.h"
#include "kms/operations/call.h"
#include "kms/store/store.h"

// What living in a custom key store means for a KMS key. AWS KMS Developer
// Guide, "Custom key stores".
namespace kms::operations {

// The state that the key shows: it is unavailable while its custom key store is
// not connected, unless it is pending deletion. The state in its row stays.
KeyState ShownState(const Environment& environment, const Key& key);

// The key with that state.
KeyPtr AsShown(const Environment& environment, KeyPtr key);

// Fails with kUnsupportedOperation if keys in custom key stores cannot do it.
base::Status CheckServesKey(const Operation& operation, const Key& key);

// What CreateKey may ask for together with a custom key store.
base::Status CheckCustomKeyStoreMembers(const Call& call);

// Fails with kValidation if an external key is not to have this id: "." and
// ".." are letters that the API allows, but who stands between a KMS and its
// proxy may take them for steps of a path.
base::Status CheckExternalKeyId(std::string_view id);

// Asks the proxy of key.custom_key_store whether the external key may be `key`,
// if it is not a KMS key already (kXksKeyAlreadyInUse).
boost::asio::awaitable<base::Status> CheckExternalKey(Call& call,
                                                      const Key& key);

// The part of the transaction which inserts `key` that claims the external key
// for it, before. Fails with kXksKeyAlreadyInUse, and if the store is gone or
// not connected any more.
base::Status ClaimExternalKey(store::Transaction& transaction, const Key& key);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CUSTOM_KEY_STORES_KEY_RULES_H_
