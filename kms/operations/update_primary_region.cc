// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "kms/operations/handlers.h"
#include "kms/operations/multi_region.h"
#include "kms/operations/resolve.h"

namespace kms::operations {
namespace {

base::Status CheckReplica(const Key& key) {
  if (key.multi_region != MultiRegionType::kReplica) {
    return base::Error{base::ErrorCode::kUnsupportedOperation,
                       key.Arn() + " is not a multi-region replica key."};
  }
  return {};
}

// The key as it is now. One that the transaction finds gone was there when the
// call was authorized.
base::Result<Key> Again(store::Transaction& transaction, const Call& call,
                        const Key& key) {
  auto current = transaction.GetKey(key.row_id);
  if (!current && current.error().code == base::ErrorCode::kNotFound) {
    return NoSuchKey(key.region, key.account, key.id);
  }
  RETURN_IF_ERROR(current);
  RETURN_IF_ERROR(CheckState(call.operation.states, *current));
  return current;
}

base::Status SwapRoles(store::Transaction& transaction, const Call& call) {
  ASSIGN_OR_RETURN(Key primary, Again(transaction, call, *call.key));
  ASSIGN_OR_RETURN(Key replica, Again(transaction, call, *call.replica));
  RETURN_IF_ERROR(CheckPrimary(primary));
  RETURN_IF_ERROR(CheckReplica(replica));
  std::swap(primary.multi_region, replica.multi_region);
  RETURN_IF_ERROR(transaction.UpdateKey(primary));
  return transaction.UpdateKey(replica);
}

}  // namespace

base::Status ResolveUpdatePrimaryRegion(Call& call) {
  RETURN_IF_ERROR(ResolveKeyId(call));
  // Neither is told before it is known who asks, and in which state the key is.
  if (!CheckPrimary(*call.key)) {
    return {};
  }
  auto replica = FindKeyInRegion(call, *call.Text("PrimaryRegion"),
                                 call.key->account, call.key->id);
  if (!replica && replica.error().code == base::ErrorCode::kNotFound) {
    return {};
  }
  ASSIGN_OR_RETURN(call.replica, std::move(replica));
  AddKeyCheck(call, call.operation.action, call.replica, call.operation.states);
  return {};
}

Answer UpdatePrimaryRegion(Call& call) {
  const Key& key = *call.key;
  CO_RETURN_IF_ERROR(CheckPrimary(key));
  if (call.replica == nullptr) {
    co_return NoSuchKey(*call.Text("PrimaryRegion"), key.account, key.id);
  }
  auto swap = [&call](store::Transaction& transaction) {
    return SwapRoles(transaction, call);
  };
  CO_RETURN_IF_ERROR(co_await call.Commit(swap));
  co_return Reply();
}

}  // namespace kms::operations
