// SPDX-License-Identifier: Apache-2.0
#include "kms/store/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "kms/store/columns.h"
#include "kms/store/file_lock.h"
#include "kms/store/migrations.h"
#include "kms/store/reads.h"
#include "kms/store/sql_store.h"

namespace kms::store {
namespace {

using base::Error;
using base::ErrorCode;

Error IoError(std::string_view action, const std::string& path) {
  return Error{ErrorCode::kIo, fmt::format("cannot {} {}: {}", action, path,
                                           std::strerror(errno))};
}

// Makes the database file if it is missing, for its owner only; SQLite gives
// the files beside it the same mode. Must run before SQLite opens the file:
// closing a descriptor of it would release SQLite's locks.
base::Status PrepareFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return IoError("open the store", path);
  }
  struct stat status {};
  const bool tight = fstat(fd, &status) == 0 && (status.st_mode & 0077) == 0;
  const bool ok = tight || fchmod(fd, 0600) == 0;
  const Error error = IoError("restrict the mode of", path);
  close(fd);
  if (!ok) {
    return error;
  }
  if (!tight) {
    base::LogWarning("store: the mode of {} allowed others; it is 0600 now",
                     path);
  }
  return {};
}

// Makes the names in the folder durable. SQLite does so for its log, not for
// the database.
base::Status SyncFolderOf(const std::string& path) {
  const std::string folder =
      std::filesystem::absolute(path).parent_path().string();
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return IoError("open the folder", folder);
  }
  const bool ok = fsync(fd) == 0;
  const Error error = IoError("sync the folder", folder);
  close(fd);
  if (!ok) {
    return error;
  }
  return {};
}

// Gives the store its identity once, and this opening its epoch.
base::Result<StoreInfo> RaiseEpoch(Connection& connection) {
  RETURN_IF_ERROR(connection.Begin());
  const auto raise = [&connection]() -> base::Result<StoreInfo> {
    RETURN_IF_ERROR(connection.Run(
        "INSERT INTO store_info (singleton, store_id, epoch, revision) "
        "VALUES (1, $1, 0, 0) ON CONFLICT (singleton) DO NOTHING",
        {base::NewUuidText()}));
    RETURN_IF_ERROR(connection.Run("UPDATE store_info SET epoch = epoch + 1"));
    ASSIGN_OR_RETURN(StoreInfo info, ReadStoreInfo(connection));
    RETURN_IF_ERROR(connection.Commit());
    return info;
  };
  base::Result<StoreInfo> info = raise();
  if (!info.has_value()) {
    connection.Rollback();
  }
  return info;
}

ConnectionOptions ToConnect(const StoreOptions& options,
                            ConnectionOptions::Mode mode) {
  return {.path = options.path, .mode = mode, .vfs = options.vfs};
}

}  // namespace

base::Result<std::unique_ptr<Store>> Store::Open(StoreOptions options,
                                                 const base::Clock& clock) {
  using Mode = ConnectionOptions::Mode;
  ASSIGN_OR_RETURN(FileLock lock, FileLock::Acquire(options.path + ".lock"));
  RETURN_IF_ERROR(PrepareFile(options.path));
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> writer,
                   Connection::Open(ToConnect(options, Mode::kWrite)));
  RETURN_IF_ERROR(writer->CheckIntegrity());
  RETURN_IF_ERROR(Migrate(*writer, Migrations(), clock));
  ASSIGN_OR_RETURN(StoreInfo info, RaiseEpoch(*writer));
  RETURN_IF_ERROR(SyncFolderOf(options.path));
  ASSIGN_OR_RETURN(
      std::unique_ptr<ReaderPool> readers,
      ReaderPool::Open(ToConnect(options, Mode::kRead), options.readers));
  return std::make_unique<SqlStore>(options, std::move(info), std::move(lock),
                                    std::move(readers), std::move(writer));
}

base::Result<std::unique_ptr<Store>> Store::OpenReadOnly(StoreOptions options) {
  ASSIGN_OR_RETURN(
      std::unique_ptr<ReaderPool> readers,
      ReaderPool::Open(ToConnect(options, ConnectionOptions::Mode::kRead), 1));
  RETURN_IF_ERROR(readers->With([](Connection& connection) {
    return CheckMigrated(connection, Migrations());
  }));
  ASSIGN_OR_RETURN(StoreInfo info, readers->With(ReadStoreInfo));
  options.cached_keys = 0;  // Somebody else writes: nothing may be kept.
  return std::make_unique<SqlStore>(options, std::move(info), std::nullopt,
                                    std::move(readers), nullptr);
}

}  // namespace kms::store
