// SPDX-License-Identifier: Apache-2.0
#include "kms/store/group.h"

#include <utility>

#include "kms/store/columns.h"

namespace kms::store {
namespace {

// Each attempt has waited for the busy timeout already.
constexpr int kAttempts = 3;

// Runs one change in its savepoint. The status of the change goes to `done`; an
// Error says that the transaction as a whole cannot go on.
base::Status RunChange(Connection& connection, const Store::Change& change,
                       Committed& done) {
  RETURN_IF_ERROR(connection.Savepoint());
  SqlTransaction transaction(connection, done.revision + 1);
  base::Status result = change(transaction);
  if (connection.fault().has_value()) {
    return *connection.fault();
  }
  if (result.has_value()) {
    RETURN_IF_ERROR(connection.ReleaseSavepoint());
    ++done.revision;
    done.touched.Merge(std::move(transaction).TakeTouched());
  } else {
    RETURN_IF_ERROR(connection.RollbackToSavepoint());
  }
  done.results.push_back(std::move(result));
  return {};
}

// Everything between BEGIN and COMMIT.
base::Result<Committed> RunAll(Connection& connection, const Group& group) {
  Committed done;
  done.revision = group.revision;
  for (const Store::Change* change : group.changes) {
    RETURN_IF_ERROR(RunChange(connection, *change, done));
  }
  for (const std::string& event_id : group.forgotten) {
    RETURN_IF_ERROR(
        connection.Run("DELETE FROM outbox WHERE event_id = $1", {event_id}));
  }
  if (done.revision != group.revision) {
    RETURN_IF_ERROR(connection.Run("UPDATE store_info SET revision = $1",
                                   {ToValue(done.revision)}));
  }
  return done;
}

base::Result<Committed> Attempt(Connection& connection, const Group& group) {
  RETURN_IF_ERROR(connection.Begin());
  base::Result<Committed> done = RunAll(connection, group);
  if (!done.has_value()) {
    connection.Rollback();
    return done;
  }
  if (done->revision == group.revision && group.forgotten.empty()) {
    connection.Rollback();  // Every change failed: there is nothing to write.
    return done;
  }
  RETURN_IF_ERROR(connection.Commit());
  return done;
}

}  // namespace

base::Result<Committed> Commit(Connection& connection, const Group& group) {
  base::Result<Committed> done = Attempt(connection, group);
  for (int i = 1;
       i < kAttempts && !done.has_value() && connection.fault_is_transient();
       ++i) {
    done = Attempt(connection, group);
  }
  return done;
}

}  // namespace kms::store
