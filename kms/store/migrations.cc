// SPDX-License-Identifier: Apache-2.0
#include "kms/store/migrations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "kms/store/columns.h"
#include "kms/store/schema.h"

namespace kms::store {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::array kMigrations = {
    Migration{1, kSchema1},
    Migration{2, kSchemaRotation},
    Migration{3, kSchemaKeyUsage},
    Migration{4, kSchemaPublicKeys},
    Migration{5, kSchemaGrants},
    Migration{6, kSchemaMultiRegion},
    Migration{7, kSchemaManagedKeys},
    Migration{8, kSchemaUsagesByPrincipal},
    Migration{9, kSchemaImports},
    Migration{10, kSchemaIdentities},
    Migration{11, kSchemaCertificates},
    Migration{12, kSchemaWrappedMaterials},
    Migration{13, kSchemaExternalKeys},
    Migration{14, kSchemaCustomKeyStores},
    Migration{15, kSchemaKeyStores},
    Migration{16, kSchemaWrappedServiceKeys},
    Migration{17, kSchemaWrongPasswords},
    Migration{18, kSchemaClusterKeyStores},
};

constexpr std::string_view kHistoryTable = "schema_migrations";

Error Newer(int version, std::size_t known) {
  return Error{ErrorCode::kStoreUnavailable,
               fmt::format("this store was written by a newer claviger: its "
                           "schema is version {}, this program knows up to {}. "
                           "Run the newer program, or restore a backup made "
                           "by this one",
                           version, known)};
}

// How many of `migrations` the store has had. Checks that each is the one we
// know.
base::Result<std::size_t> CountApplied(Connection& connection,
                                       std::span<const Migration> migrations) {
  ASSIGN_OR_RETURN(Rows rows,
                   connection.Query("SELECT version, checksum FROM "
                                    "schema_migrations ORDER BY version"));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Columns columns(kHistoryTable, rows[i]);
    const std::int64_t version = columns.Integer();
    const std::string checksum = columns.Text();
    RETURN_IF_ERROR(columns.Done());
    if (i >= migrations.size()) {
      return Newer(static_cast<int>(version), migrations.size());
    }
    if (version != migrations[i].version ||
        checksum != migrations[i].Checksum()) {
      return Error{ErrorCode::kCorrupt,
                   fmt::format("migration {} of this store is not the one that "
                               "this program knows: it was written by an "
                               "unreleased program, or changed by hand. "
                               "Restore a backup, or run the program that "
                               "wrote it",
                               i + 1)};
    }
  }
  return rows.size();
}

base::Result<bool> HasHistory(Connection& connection) {
  ASSIGN_OR_RETURN(const std::vector<std::string> tables,
                   connection.TableNames());
  if (std::ranges::find(tables, kHistoryTable) != tables.end()) {
    return true;
  }
  if (!tables.empty()) {
    return Error{ErrorCode::kCorrupt,
                 "this database is not a claviger store: it has tables of "
                 "another program. Check the path"};
  }
  return false;
}

base::Status Apply(Connection& connection, const Migration& migration,
                   const base::Clock& clock) {
  RETURN_IF_ERROR(connection.Script(migration.sql));
  RETURN_IF_ERROR(connection.Run(
      "INSERT INTO schema_migrations (version, checksum, applied_at) "
      "VALUES ($1, $2, $3)",
      {std::int64_t{migration.version}, migration.Checksum(),
       ToValue(clock.Now())}));
  return connection.Commit();
}

base::Status CreateHistory(Connection& connection) {
  return connection.Script(
      "CREATE TABLE schema_migrations (\n"
      "  version BIGINT NOT NULL PRIMARY KEY,\n"
      "  checksum TEXT NOT NULL,\n"
      "  applied_at BIGINT NOT NULL\n"
      ")");
}

}  // namespace

std::string Migration::Checksum() const {
  return base::HexEncode(base::ThreadHasher().Sha256(base::AsBytes(sql)));
}

std::span<const Migration> Migrations() { return kMigrations; }

base::Status Migrate(Connection& connection,
                     std::span<const Migration> migrations,
                     const base::Clock& clock) {
  ASSIGN_OR_RETURN(const bool has_history, HasHistory(connection));
  if (!has_history) {
    RETURN_IF_ERROR(CreateHistory(connection));
  }
  ASSIGN_OR_RETURN(const std::size_t applied,
                   CountApplied(connection, migrations));
  for (const Migration& migration : migrations.subspan(applied)) {
    RETURN_IF_ERROR(connection.Begin());
    if (base::Status status = Apply(connection, migration, clock);
        !status.has_value()) {
      connection.Rollback();
      return status;
    }
  }
  return {};
}

base::Status CheckMigrated(Connection& connection,
                           std::span<const Migration> migrations) {
  ASSIGN_OR_RETURN(const bool has_history, HasHistory(connection));
  std::size_t applied = 0;
  if (has_history) {
    ASSIGN_OR_RETURN(applied, CountApplied(connection, migrations));
  }
  if (applied < migrations.size()) {
    return Error{ErrorCode::kStoreUnavailable,
                 "this store was written by an older claviger, or never "
                 "completed: start clavigerd once to bring it up to date"};
  }
  return {};
}

}  // namespace kms::store
