// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <utility>

#include "base/bytes.h"
#include "base/random.h"
#include "kms/json_writer.h"
#include "kms/operations/custom_key_stores/ask.h"
#include "kms/operations/custom_key_stores/handlers.h"
#include "kms/operations/custom_key_stores/load.h"
#include "kms/operations/custom_key_stores/outcomes.h"
#include "kms/operations/custom_key_stores/rules.h"

namespace kms::operations {
namespace {

using base::Error;
using base::ErrorCode;

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
  store.type = CustomKeyStoreType::kExternalKeyStore;
  store.created = call.now;
  return WithMembersOf(call, std::move(store));
}

// A key store of the server's configuration can be no CloudHSM cluster yet:
// whatever is named is not there.
Error NoSuchCluster(const Call& call) {
  return {ErrorCode::kCloudHsmClusterNotFound,
          fmt::format("There is no CloudHSM cluster {}.",
                      call.Text("CloudHsmClusterId").value_or(""))};
}

base::Status InsertNewStore(store::Transaction& transaction,
                            const CustomKeyStore& store) {
  ASSIGN_OR_RETURN(const auto stores,
                   transaction.custom_key_stores().GetCustomKeyStores());
  RETURN_IF_ERROR(CheckFits(store, stores));
  RETURN_IF_ERROR(CheckRoom(store, stores));
  return transaction.custom_key_stores().InsertCustomKeyStore(store);
}

}  // namespace

// Who cannot have such a store does not learn whether its proxy answers.
Answer CreateCustomKeyStore(Call& call) {
  Environment& environment = call.environment;
  if (TypeOf(call) != CustomKeyStoreType::kExternalKeyStore) {
    co_return NoSuchCluster(call);
  }
  CO_RETURN_IF_ERROR(RequireXks(environment));
  CustomKeyStore store = DescribeNewStore(call);
  CO_RETURN_IF_ERROR(CheckConnectivity(store));
  CO_ASSIGN_OR_RETURN(const auto known,
                      environment.store.ReadCustomKeyStores());
  CO_RETURN_IF_ERROR(CheckFits(store, known.stores));
  CO_RETURN_IF_ERROR(CheckRoom(store, known.stores));

  CO_ASSIGN_OR_RETURN(
      const hsm::XksOutcome outcome,
      co_await AskHealth(environment, MakeXksProxy(store, SecretIn(call)),
                         std::string(call.operation.name),
                         std::string(call.request.request_id)));
  if (outcome != hsm::XksOutcome::kOk) {
    co_return StoreErrorOf(outcome);
  }
  const base::Secret secret = SecretIn(call);
  CO_ASSIGN_OR_RETURN(store.proxy.sealed_secret,
                      co_await SealXksSecret(environment, store.id, secret));
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
