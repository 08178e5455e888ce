// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_GROUP_H_
#define KMS_STORE_GROUP_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kms/store/connection.h"
#include "kms/store/store.h"
#include "kms/store/transaction.h"

namespace kms::store {

// What one commit is to hold. Everything is borrowed.
struct Group {
  std::span<const Store::Change* const> changes;
  std::span<const std::string> forgotten;  // Outbox events to delete.
  std::uint64_t revision = 0;              // Of the store before it.
};

// What one commit did.
struct Committed {
  std::vector<base::Status> results;  // One for each change, in order.
  Touched touched;
  std::uint64_t revision = 0;  // Of the store after it.
};

// Runs the changes of a group in one transaction, each in a savepoint of its
// own: one that fails is undone and leaves the others alone. Runs the whole
// group again if the database asks for it. An Error means that nothing was
// changed, by any of them: kStoreUnavailable (disk), kBusy or kCorrupt.
base::Result<Committed> Commit(Connection& connection, const Group& group);

}  // namespace kms::store

#endif  // KMS_STORE_GROUP_H_
