// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_CUSTOM_KEY_STORES_CLUSTERS_H_
#define KMS_OPERATIONS_CUSTOM_KEY_STORES_CLUSTERS_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kms/custom_key_store.h"
#include "kms/operations/call.h"
#include "kms/operations/custom_key_stores/source.h"

// Custom key stores of the type AWS_CLOUDHSM: their cluster is a key store of
// the configuration, and their password the PIN of its token.
namespace kms::operations {

// The key store whose cluster id `store` has. Fails with
// kCloudHsmClusterNotFound if the configuration has none, or gives the id to
// another key store than that to which `store` was connected, and which has its
// keys.
base::Result<KeyStore*> ClusterOf(Environment& environment,
                                  const CustomKeyStore& store);

// Whether no other one of `stores`, whoseever they are, has the cluster of
// `store`: the keys of two accounts must not meet on one token by mistake.
// Fails with kCloudHsmClusterInUse.
base::Status CheckClusterIsFree(const CustomKeyStore& store,
                                std::span<const CustomKeyStore> stores);

// Fails with kIncorrectTrustAnchor unless `pem` is one certificate.
base::Status CheckTrustAnchor(std::string_view pem);

// So many passwords in a row may be wrong for a cluster, whichever worker has
// compared them and whosever custom key stores had them: who may create such
// stores must not be able to try all PINs. The store keeps count.
inline constexpr std::uint64_t kMostWrongPasswords = 10;

// Whether the workers of the store's cluster take its password: the
// ConnectionErrorCode, or empty if they do. None is compared after
// kMostWrongPasswords. Errors say nothing of the cluster: the password cannot
// be opened, or the workers are too busy.
boost::asio::awaitable<base::Result<std::string_view>> TryCluster(
    Environment& environment, const CustomKeyStore& store);

// The part of the transaction which makes known what TryCluster has said that
// counts it: nobody learns of a guess that is not counted.
base::Status CountPassword(store::CustomKeyStores& rows,
                           const CustomKeyStore& store,
                           std::string_view error_code);

// The operator's word that passwords may be compared again, for every cluster:
// a restart is none. False if none was wrong. Not for a coroutine.
base::Result<bool> ForgetWrongPasswords(store::Store& store);

// A ClusterPass lets one request out to a store's cluster: it is kept until
// that is answered.
struct ClusterPass {
  CustomKeyStoreSource::Pass pass;
  KeyStore& key_store;
  std::string cluster_id;
};

// Of a store of the caller's. Fails with kCustomKeyStoreNotFound,
// kUnsupportedOperation if it is of another type, and
// kCustomKeyStoreInvalidState if it is not connected or the configuration does
// not have its cluster any more.
base::Result<ClusterPass> EnterCluster(Call& call, std::string_view id);

// The part of the transaction which inserts `key` that sees to it that its
// store is still there, connected, and of the cluster in which the key was
// made, and that it knows that key store. Fails with kCustomKeyStoreNotFound
// and kCustomKeyStoreInvalidState.
base::Status CheckStillInCluster(store::Transaction& transaction,
                                 const Key& key, std::string_view cluster_id);

// What uses of `key` must have while they last; nothing for keys that are in no
// cluster. Fails with kInvalidState if its store is not connected.
base::Result<std::optional<CustomKeyStoreSource::Pass>> EnterClusterOf(
    Call& call, const Key& key);

// The id of the cluster in which the key is, or empty.
std::string ClusterIdOf(const Environment& environment, const Key& key);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CUSTOM_KEY_STORES_CLUSTERS_H_
