// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_MIGRATIONS_H_
#define KMS_STORE_MIGRATIONS_H_

#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "kms/store/connection.h"

namespace kms::store {

// A Migration brings the schema from the version before it to `version`. One
// that a release has shipped never changes: its checksum is in every store.
struct Migration {
  int version;
  std::string_view sql;

  std::string Checksum() const;  // SHA-256 of `sql`, hexadecimal.
};

// All migrations of this program: versions 1, 2, 3, ... docs/protocol/store.md
// shows them.
std::span<const Migration> Migrations();

// Runs the migrations that the store has not had yet, each in a transaction of
// its own with its row in schema_migrations. Fails with kStoreUnavailable if
// the store has had one that is not known here (a newer program wrote it), and
// with kCorrupt if one that it has had reads differently here, or if the
// database is not a store.
base::Status Migrate(Connection& connection,
                     std::span<const Migration> migrations,
                     const base::Clock& clock);

// The same checks, changing nothing; kStoreUnavailable if a migration is due.
base::Status CheckMigrated(Connection& connection,
                           std::span<const Migration> migrations);

}  // namespace kms::store

#endif  // KMS_STORE_MIGRATIONS_H_
