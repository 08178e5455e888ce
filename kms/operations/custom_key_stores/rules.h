// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_CUSTOM_KEY_STORES_RULES_H_
#define KMS_OPERATIONS_CUSTOM_KEY_STORES_RULES_H_

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "kms/custom_key_store.h"
#include "kms/operations/call.h"

// What custom key stores may be. AWS KMS API Reference, CreateCustomKeyStore
// and UpdateCustomKeyStore.
namespace kms::operations {

// An account may have so many in a Region. AWS KMS Developer Guide, "Quotas".
inline constexpr std::size_t kMostCustomKeyStores = 10;
// Of all accounts and Regions: each has a secret in memory.
inline constexpr std::size_t kMostOnServer = 1000;

base::Error NoSuchCustomKeyStore(std::string_view id);

// Fails with kCustomKeyStoreInvalidState, naming the states, unless the store
// is in one of `allowed`.
base::Status RequireStoreState(const CustomKeyStore& store,
                               std::initializer_list<ConnectionState> allowed);

// The type that a request to create a store asks for.
CustomKeyStoreType TypeOf(const Call& call);

// Fails with kValidation if there is a member that stores of `type` do not
// have.
base::Status CheckMembersOfType(const Call& call, CustomKeyStoreType type);

// Whether a member about the proxy's place is there: these are changed while
// the store is disconnected only.
bool MovesProxy(const Call& call);
// Whether any member about the proxy is; any about the cluster.
bool ChangesProxy(const Call& call);
bool ChangesCluster(const Call& call);

// `store` with what the request says of it; but for the secret.
CustomKeyStore WithMembersOf(const Call& call, CustomKeyStore store);
// The secret access key or the password in the request; one must be there.
base::Secret SecretIn(const Call& call);
bool HasSecret(const Call& call);

// Whether `store` may be beside the others of its account and Region in
// `stores`; what has its id in there is itself. Fails with
// kCustomKeyStoreNameInUse, kXksProxyUriInUse, kXksProxyUriEndpointInUse and
// kXksProxyVpcServiceInUse.
base::Status CheckFits(const CustomKeyStore& store,
                       std::span<const CustomKeyStore> stores);
// Whether there is room for one more. Fails with kLimitExceeded.
base::Status CheckRoom(const CustomKeyStore& store,
                       std::span<const CustomKeyStore> stores);

// Whether what the request says of an endpoint service goes with the
// connectivity that `store` has by it. Fails with kValidation.
base::Status CheckServiceMembers(const Call& call, const CustomKeyStore& store);

// Fails with kXksProxyVpcServiceNotFound if the store is to be reached by an
// endpoint service that the server does not have.
base::Status CheckConnectivity(const CustomKeyStoreSource& source,
                               const CustomKeyStore& store);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CUSTOM_KEY_STORES_RULES_H_
