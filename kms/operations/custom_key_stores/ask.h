// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_CUSTOM_KEY_STORES_ASK_H_
#define KMS_OPERATIONS_CUSTOM_KEY_STORES_ASK_H_

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kms/operations/call.h"
#include "kms/operations/custom_key_stores/source.h"

// Requests to the proxies of external key stores.
namespace kms::operations {

// Fails with kUnsupportedOperation if this server asks no proxies.
base::Status RequireXks(const Environment& environment);

// What JudgeHealth says of the proxy's answer. `proxy` need not be in force:
// it is asked before it is. If it is that of a store, `store` is the id. Errors
// are those of XksCaller; kBusy if the proxy was not asked because it let the
// last requests time out; and kXksProxyInvalidConfiguration if its endpoint
// names no host.
boost::asio::awaitable<base::Result<hsm::XksOutcome>> AskHealth(
    Environment& environment, XksProxyPtr proxy, std::string kms_operation,
    std::string request_id, std::string store = {});

// Asks a proxy, which need not be in force, on behalf of the call that makes or
// changes a store. Fails as StoreErrorOf() says unless it is well.
boost::asio::awaitable<base::Status> CheckProxy(const Call& call,
                                                XksProxyPtr proxy);

// Logs, once in a while, what is wrong with an answer of the store's proxy that
// is none the XKS proxy API allows.
void NoteMalformed(const Call& call, std::string_view custom_key_store,
                   std::string_view what);

// Asks the store's proxy on behalf of the call, with the requestMetadata of it:
// `request` says what. Nothing leaves unless the store is connected
// (kCustomKeyStoreInvalidState), nor in a dry run, which ends here, well. What
// goes wrong is logged, once in a while.
boost::asio::awaitable<base::Result<hsm::XksReply>> AskForCall(
    Call& call, std::string_view custom_key_store, hsm::XksRequest request);

// A connected external key store of the caller's, by its id. Fails with
// kCustomKeyStoreNotFound, kUnsupportedOperation if it is of another type, and
// kCustomKeyStoreInvalidState.
base::Status RequireConnectedXks(const Call& call, std::string_view id);

// The caller's custom key store with this id, in the list. Fails with
// kCustomKeyStoreNotFound.
base::Result<OpenCustomKeyStore> FindCustomKeyStore(const Call& call,
                                                    std::string_view id);

// The store that member CustomKeyStoreId names, as its row is.
// kCustomKeyStoreNotFound: somebody was quicker.
base::Result<CustomKeyStore> TakeCustomKeyStore(
    const Call& call, store::Transaction& transaction);

// The answer of operations that have nothing to say: `{}`.
Reply EmptyObject();

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CUSTOM_KEY_STORES_ASK_H_
