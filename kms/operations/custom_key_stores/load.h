// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_CUSTOM_KEY_STORES_LOAD_H_
#define KMS_OPERATIONS_CUSTOM_KEY_STORES_LOAD_H_

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "kms/operations/call.h"
#include "kms/operations/custom_key_stores/source.h"
#include "kms/operations/service_event.h"

// Custom key stores: from the store to the list in force.
namespace kms::operations {

// Reads all custom key stores, opens the secrets that the list in force does
// not have yet, and puts the result in its place. A secret that was moved or
// changed is left out and logged.
boost::asio::awaitable<base::Status> LoadCustomKeyStores(
    Environment& environment);

// Call::Commit, then LoadCustomKeyStores: what was committed is in force when
// this has succeeded. If only the second fails, no proxy is asked until
// CatchUpWithStores has done it.
boost::asio::awaitable<base::Status> CommitCustomKeyStores(
    Call& call, store::Store::Change change);

// The same for a change that no call makes, which `step` tells the audit log.
boost::asio::awaitable<base::Status> CommitCustomKeyStoresStep(
    Environment& environment, ServiceStep& step, store::Store::Change change);

// LoadCustomKeyStores, if the list in force has fallen behind the store.
boost::asio::awaitable<void> CatchUpWithStores(Environment& environment);

// The secret of store `id`, sealed under the service key "xks-credentials" and
// bound to the store and that id.
boost::asio::awaitable<base::Result<hsm::Sealed>> SealStoreSecret(
    Environment& environment, std::string_view id, const base::Secret& secret);

// Whether the two are asked in the same way with the same secret.
bool IsSameProxy(const CustomKeyStore& a, const CustomKeyStore& b);

// The secret of the store: of its proxy, or the password of its cluster. Fails
// with kInvalidCiphertext if it was moved or changed.
boost::asio::awaitable<base::Result<base::Secret>> OpenStoreSecret(
    Environment& environment, const CustomKeyStore& store);

// With what the proxy of `store` is asked.
XksProxyPtr MakeXksProxy(const CustomKeyStore& store, base::Secret secret);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CUSTOM_KEY_STORES_LOAD_H_
