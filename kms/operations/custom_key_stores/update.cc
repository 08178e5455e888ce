// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "kms/json_writer.h"
#include "kms/operations/custom_key_stores/ask.h"
#include "kms/operations/custom_key_stores/clusters.h"
#include "kms/operations/custom_key_stores/handlers.h"
#include "kms/operations/custom_key_stores/load.h"
#include "kms/operations/custom_key_stores/rules.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

// The name, and the credential and path of a proxy, may change under a
// connected store.
base::Status CheckUpdatable(const Call& call, const CustomKeyStore& store) {
  if (MovesProxy(call) || ChangesCluster(call)) {
    return RequireStoreState(store, {ConnectionState::kDisconnected});
  }
  return RequireStoreState(
      store, {ConnectionState::kConnected, ConnectionState::kDisconnected});
}

// The secret with which the proxy is asked from now on.
base::Result<base::Secret> NextSecret(const Call& call,
                                      const OpenCustomKeyStore& open) {
  if (HasSecret(call)) {
    return SecretIn(call);
  }
  if (open.proxy == nullptr) {
    return Error{ErrorCode::kXksProxyInvalidConfiguration,
                 "The credential of the custom key store is lost. Specify "
                 "XksProxyAuthenticationCredential."};
  }
  return base::Secret::CopyOf(open.proxy->secret_access_key.Reveal());
}

// The proxy must answer to the new values before they are in force.
asio::awaitable<base::Status> TryProxy(Call& call,
                                       const OpenCustomKeyStore& open,
                                       const CustomKeyStore& next) {
  CO_RETURN_IF_ERROR(
      CheckConnectivity(call.environment.custom_key_stores, next));
  CO_ASSIGN_OR_RETURN(base::Secret secret, NextSecret(call, open));
  co_return co_await CheckProxy(call, MakeXksProxy(next, std::move(secret)));
}

// Keys do not go from one token to another.
base::Status CheckClusterChange(store::CustomKeyStores& rows,
                                const CustomKeyStore& before,
                                const CustomKeyStore& next,
                                std::span<const CustomKeyStore> stores) {
  if (next.cloud_hsm_cluster_id == before.cloud_hsm_cluster_id) {
    return {};
  }
  const base::Status is_free = CheckClusterIsFree(next, stores);
  if (!is_free) {
    return Error{ErrorCode::kCloudHsmClusterNotRelated,
                 is_free.error().message};
  }
  ASSIGN_OR_RETURN(const std::uint64_t keys, rows.CountKeys(next.id));
  if (keys > 0) {
    return Error{
        ErrorCode::kCloudHsmClusterNotRelated,
        fmt::format("Custom key store {} has {} KMS keys, which are in "
                    "CloudHSM cluster {} only.",
                    next.id, keys, before.cloud_hsm_cluster_id)};
  }
  return {};
}

// What was checked before is checked again on the row as it is. With the values
// that another call has put there meanwhile the proxy was not tried.
base::Status UpdateRow(const Call& call, store::Transaction& transaction,
                       const CustomKeyStore& tried,
                       const std::optional<hsm::Sealed>& secret) {
  store::CustomKeyStores& rows = transaction.custom_key_stores();
  ASSIGN_OR_RETURN(const auto stores, rows.GetCustomKeyStores());
  ASSIGN_OR_RETURN(CustomKeyStore store, TakeCustomKeyStore(call, transaction));
  RETURN_IF_ERROR(CheckUpdatable(call, store));
  if (ChangesProxy(call) && !IsSameProxy(store, tried)) {
    return Error{ErrorCode::kCustomKeyStoreInvalidState,
                 "Another request has changed custom key store " + store.id +
                     " meanwhile. Try again."};
  }
  const CustomKeyStore before = store;
  store = WithMembersOf(call, std::move(store));
  RETURN_IF_ERROR(CheckServiceMembers(call, store));
  RETURN_IF_ERROR(CheckClusterChange(rows, before, store, stores));
  if (secret) {
    store.proxy.sealed_secret = *secret;
  }
  RETURN_IF_ERROR(CheckFits(store, stores));
  return rows.UpdateCustomKeyStore(store);
}

}  // namespace

Answer UpdateCustomKeyStore(Call& call) {
  const std::string_view id = *call.Text("CustomKeyStoreId");
  CO_ASSIGN_OR_RETURN(const OpenCustomKeyStore open,
                      FindCustomKeyStore(call, id));
  CO_RETURN_IF_ERROR(CheckMembersOfType(call, open.store.type));
  CO_RETURN_IF_ERROR(CheckUpdatable(call, open.store));
  const CustomKeyStore next = WithMembersOf(call, open.store);
  CO_RETURN_IF_ERROR(CheckServiceMembers(call, next));
  if (ChangesCluster(call)) {
    CO_RETURN_IF_ERROR(ClusterOf(call.environment, next));
  }
  CO_ASSIGN_OR_RETURN(const auto known,
                      call.environment.store.ReadCustomKeyStores());
  CO_RETURN_IF_ERROR(CheckFits(next, known.stores));
  if (ChangesProxy(call)) {
    CO_RETURN_IF_ERROR(co_await TryProxy(call, open, next));
  }
  std::optional<hsm::Sealed> secret;
  if (HasSecret(call)) {
    const base::Secret plain = SecretIn(call);
    CO_ASSIGN_OR_RETURN(secret,
                        co_await SealStoreSecret(call.environment, id, plain));
  }
  auto change = [&](store::Transaction& transaction) {
    return UpdateRow(call, transaction, open.store, secret);
  };
  CO_RETURN_IF_ERROR(co_await CommitCustomKeyStores(call, change));
  co_return EmptyObject();
}

}  // namespace kms::operations
