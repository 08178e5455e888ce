// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include "base/bytes.h"
#include "base/random.h"
#include "kms/json_writer.h"
#include "kms/operations/custom_key_stores/ask.h"
#include "kms/operations/custom_key_stores/clusters.h"
#include "kms/operations/custom_key_stores/handlers.h"
#include "kms/operations/custom_key_stores/load.h"
#include "kms/operations/custom_key_stores/rules.h"

namespace kms::operations {
namespace {

constexpr std::size_t kIdDigits = 17;

std::string NewCustomKeyStoreId() {
  std::array<std::uint8_t, (kIdDigits + 1) / 2> bytes{};
  base::RandomBytes(bytes);
  return "cks-" + base::HexEncode(bytes).substr(0, kIdDigits);
}

// All of it but the sealed secret.
CustomKeyStore DescribeNewStore(const Call& call) {
  CustomKeyStore store;
  store.id = NewCustomKeyStoreId();
  store.account = call.request.caller.account;
  store.region = call.request.region;
  store.type = TypeOf(call);
  store.created = call.now;
  return WithMembersOf(call, std::move(store));
}

// What this server alone can say of the store.
base::Status CheckPlace(Environment& environment, const CustomKeyStore& store) {
  if (store.type == CustomKeyStoreType::kAwsCloudHsm) {
    RETURN_IF_ERROR(ClusterOf(environment, store));
    return CheckTrustAnchor(store.trust_anchor_certificate);
  }
  RETURN_IF_ERROR(RequireXks(environment));
  return CheckConnectivity(environment.custom_key_stores, store);
}

base::Status CheckAmong(const CustomKeyStore& store,
                        std::span<const CustomKeyStore> stores) {
  if (store.type == CustomKeyStoreType::kAwsCloudHsm) {
    RETURN_IF_ERROR(CheckClusterIsFree(store, stores));
  }
  RETURN_IF_ERROR(CheckFits(store, stores));
  return CheckRoom(store, stores);
}

base::Status InsertNewStore(store::Transaction& transaction,
                            const CustomKeyStore& store) {
  ASSIGN_OR_RETURN(const auto stores,
                   transaction.custom_key_stores().GetCustomKeyStores());
  RETURN_IF_ERROR(CheckAmong(store, stores));
  return transaction.custom_key_stores().InsertCustomKeyStore(store);
}

}  // namespace

// Who cannot have such a store does not learn whether its proxy answers.
Answer CreateCustomKeyStore(Call& call) {
  Environment& environment = call.environment;
  CustomKeyStore store = DescribeNewStore(call);
  CO_RETURN_IF_ERROR(CheckPlace(environment, store));
  CO_ASSIGN_OR_RETURN(const auto known,
                      environment.store.ReadCustomKeyStores());
  CO_RETURN_IF_ERROR(CheckAmong(store, known.stores));
  // A cluster is not asked: a wrong password is found when the store is
  // connected, as on AWS.
  if (store.type == CustomKeyStoreType::kExternalKeyStore) {
    XksProxyPtr proxy = MakeXksProxy(store, SecretIn(call));
    CO_RETURN_IF_ERROR(co_await CheckProxy(call, std::move(proxy)));
  }
  const base::Secret secret = SecretIn(call);
  CO_ASSIGN_OR_RETURN(store.proxy.sealed_secret,
                      co_await SealStoreSecret(environment, store.id, secret));
  call.made = {"customKeyStoreId", store.id};
  auto insert = [&store](store::Transaction& transaction) {
    return InsertNewStore(transaction, store);
  };
  CO_RETURN_IF_ERROR(co_await CommitCustomKeyStores(call, insert));

  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("CustomKeyStoreId", store.id)
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
