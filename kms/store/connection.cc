// SPDX-License-Identifier: Apache-2.0
#include "kms/store/connection.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

namespace kms::store {
namespace {

using base::Error;
using base::ErrorCode;

// The n of "$n", or nothing.
std::optional<std::size_t> NumberOf(const char* name) {
  if (name == nullptr || *name != '$') {
    return std::nullopt;
  }
  const std::string_view digits = name + 1;
  std::size_t number = 0;
  const auto [end, failure] =
      std::from_chars(digits.begin(), digits.end(), number);
  if (failure != std::errc() || end != digits.end() || number == 0) {
    return std::nullopt;
  }
  return number;
}

int BindValue(sqlite3_stmt* statement, int index, const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return sqlite3_bind_int64(statement, index, *number);
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    return sqlite3_bind_text64(statement, index, text->data(), text->size(),
                               SQLITE_STATIC, SQLITE_UTF8);
  }
  if (const auto* bytes = std::get_if<base::Bytes>(&value)) {
    // A null pointer, which an empty vector may have, would bind NULL.
    return bytes->empty() ? sqlite3_bind_zeroblob(statement, index, 0)
                          : sqlite3_bind_blob64(statement, index, bytes->data(),
                                                bytes->size(), SQLITE_STATIC);
  }
  return sqlite3_bind_null(statement, index);
}

// A floating-point number, which no column of ours holds, reads as text: the
// reader of the row then finds a text where none may be.
Value ColumnValue(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT:
    case SQLITE_TEXT: {
      const auto* text =
          reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      return std::string(text, sqlite3_column_bytes(statement, column));
    }
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const std::uint8_t*>(
          sqlite3_column_blob(statement, column));
      return base::Bytes(bytes,
                         bytes + sqlite3_column_bytes(statement, column));
    }
    default:
      return std::monostate();
  }
}

// Leaves a prepared statement ready for its next use, and with no view of
// values that belong to the caller.
class ResetOnExit {
 public:
  explicit ResetOnExit(sqlite3_stmt* statement) : statement_(statement) {}
  ~ResetOnExit() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  ResetOnExit(const ResetOnExit&) = delete;
  ResetOnExit& operator=(const ResetOnExit&) = delete;

 private:
  sqlite3_stmt* statement_;
};

}  // namespace

void Connection::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

base::Result<std::unique_ptr<Connection>> Connection::Open(
    const ConnectionOptions& options) {
  const int mode = options.mode == ConnectionOptions::Mode::kWrite
                       ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                       : SQLITE_OPEN_READONLY;
  sqlite3* db = nullptr;
  const int code =
      sqlite3_open_v2(options.path.c_str(), &db,
                      mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                      options.vfs.empty() ? nullptr : options.vfs.c_str());
  if (db == nullptr) {
    return Error{ErrorCode::kInternal, "store: SQLite is out of memory"};
  }
  std::unique_ptr<Connection> connection(new Connection(db, options.path));
  if (code != SQLITE_OK) {
    return connection->Failed(code);
  }
  RETURN_IF_ERROR(connection->Configure(options));
  return connection;
}

Connection::Connection(sqlite3* db, std::string path)
    : db_(db), path_(std::move(path)) {}

Connection::~Connection() {
  statements_.clear();
  sqlite3_close(db_);
}

base::Status Connection::Configure(const ConnectionOptions& options) {
  sqlite3_busy_timeout(db_, static_cast<int>(options.busy_timeout.count()));
  // What we do not use, a file that somebody prepared shall not use either.
  constexpr std::array kOff = {SQLITE_DBCONFIG_ENABLE_TRIGGER,
                               SQLITE_DBCONFIG_ENABLE_VIEW,
                               SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION,
                               SQLITE_DBCONFIG_TRUSTED_SCHEMA,
                               SQLITE_DBCONFIG_DQS_DML,
                               SQLITE_DBCONFIG_DQS_DDL};
  for (const int option : kOff) {
    sqlite3_db_config(db_, option, 0, nullptr);
  }
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  RETURN_IF_ERROR(
      Script("PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON;"
             "PRAGMA temp_store = MEMORY;"));
  if (options.mode == ConnectionOptions::Mode::kRead) {
    return Script("PRAGMA query_only = ON;");
  }
  RETURN_IF_ERROR(
      Script("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
             "PRAGMA journal_size_limit = 16777216;"));
  ASSIGN_OR_RETURN(const Rows mode, Query("PRAGMA journal_mode = WAL"));
  if (mode != Rows{{std::string("wal")}}) {
    return Error{ErrorCode::kStoreUnavailable,
                 fmt::format("the file system of the store {} cannot hold a "
                             "write-ahead log: use a local disk",
                             path_)};
  }
  return {};
}

base::Result<Connection::Statement*> Connection::Prepare(std::string_view sql) {
  if (const auto it = statements_.find(sql); it != statements_.end()) {
    return &it->second;
  }
  Statement statement;
  sqlite3_stmt* handle = nullptr;
  const int code =
      sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (code != SQLITE_OK) {
    return Failed(code);
  }
  statement.handle.reset(handle);
  for (int i = 1; i <= sqlite3_bind_parameter_count(handle); ++i) {
    const auto number = NumberOf(sqlite3_bind_parameter_name(handle, i));
    if (!number.has_value()) {
      return Error{ErrorCode::kInternal, "store: a parameter is not $1..$n"};
    }
    statement.values.push_back(*number - 1);
  }
  return &statements_.emplace(sql, std::move(statement)).first->second;
}

base::Status Connection::Bind(const Statement& statement, Values values) {
  // Each value has a parameter, and each parameter a value.
  if (statement.values.size() != values.size()) {
    return Error{ErrorCode::kInternal, "store: values and parameters differ"};
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (statement.values[i] >= values.size()) {
      return Error{ErrorCode::kInternal, "store: a parameter has no value"};
    }
    const int code = BindValue(statement.handle.get(), static_cast<int>(i) + 1,
                               values[statement.values[i]]);
    if (code != SQLITE_OK) {
      return Failed(code);
    }
  }
  return {};
}

base::Result<Rows> Connection::Query(std::string_view sql, Values values) {
  ASSIGN_OR_RETURN(Statement * statement, Prepare(sql));
  sqlite3_stmt* handle = statement->handle.get();
  const ResetOnExit reset(handle);
  RETURN_IF_ERROR(Bind(*statement, values));

  Rows rows;
  int code = sqlite3_step(handle);
  for (; code == SQLITE_ROW; code = sqlite3_step(handle)) {
    Row& row = rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(handle); ++i) {
      row.push_back(ColumnValue(handle, i));
    }
  }
  if (code != SQLITE_DONE) {
    return Failed(code);
  }
  return rows;
}

base::Result<Rows> Connection::Query(std::string_view sql,
                                     std::initializer_list<Value> values) {
  return Query(sql, Values(values.begin(), values.size()));
}

base::Result<std::int64_t> Connection::Run(std::string_view sql,
                                           Values values) {
  RETURN_IF_ERROR(Query(sql, values));
  return std::int64_t{sqlite3_changes64(db_)};
}

base::Result<std::int64_t> Connection::Run(
    std::string_view sql, std::initializer_list<Value> values) {
  return Run(sql, Values(values.begin(), values.size()));
}

base::Status Connection::RunOnOne(std::string_view sql, Values values,
                                  std::string_view missing) {
  ASSIGN_OR_RETURN(const std::int64_t changed, Run(sql, values));
  if (changed == 0) {
    return Error{ErrorCode::kNotFound, std::string(missing)};
  }
  return {};
}

base::Status Connection::RunOnOne(std::string_view sql,
                                  std::initializer_list<Value> values,
                                  std::string_view missing) {
  return RunOnOne(sql, Values(values.begin(), values.size()), missing);
}

base::Status Connection::Script(std::string_view sql) {
  const std::string text(sql);
  const int code = sqlite3_exec(db_, text.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) {
    return Failed(code);
  }
  return {};
}

base::Status Connection::Begin() {
  fault_.reset();
  fault_is_transient_ = false;
  RETURN_IF_ERROR(Query("BEGIN IMMEDIATE"));
  return {};
}

base::Status Connection::Commit() {
  const base::Result<Rows> committed = Query("COMMIT");
  traces_remain_ = false;
  if (!committed.has_value()) {
    Rollback();
    // Copies what is committed to the database and empties the log.
    traces_remain_ =
        sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_TRUNCATE,
                                  nullptr, nullptr) != SQLITE_OK;
    return committed.error();
  }
  return {};
}

void Connection::Rollback() {
  // SQLite ends a transaction by itself after some errors.
  if (sqlite3_get_autocommit(db_) == 0) {
    (void)Query("ROLLBACK");
  }
}

base::Status Connection::Savepoint() {
  RETURN_IF_ERROR(Query("SAVEPOINT change"));
  return {};
}

base::Status Connection::ReleaseSavepoint() {
  RETURN_IF_ERROR(Query("RELEASE SAVEPOINT change"));
  return {};
}

base::Status Connection::RollbackToSavepoint() {
  RETURN_IF_ERROR(Query("ROLLBACK TO SAVEPOINT change"));
  return ReleaseSavepoint();
}

base::Result<std::vector<std::string>> Connection::TableNames() {
  ASSIGN_OR_RETURN(const Rows rows,
                   Query("SELECT name FROM sqlite_schema WHERE type = 'table' "
                         "ORDER BY name"));
  std::vector<std::string> names;
  for (const Row& row : rows) {
    if (const auto* name = std::get_if<std::string>(&row.at(0))) {
      names.push_back(*name);
    }
  }
  return names;
}

base::Status Connection::CheckIntegrity() {
  ASSIGN_OR_RETURN(const Rows rows, Query("PRAGMA quick_check(1)"));
  if (rows != Rows{{std::string("ok")}}) {
    return Failed(SQLITE_CORRUPT);
  }
  return {};
}

base::Error Connection::Failed(int code) {
  // SQLite's texts name tables and columns, never what was bound.
  const std::string_view detail = sqlite3_extended_errcode(db_) == code
                                      ? sqlite3_errmsg(db_)
                                      : sqlite3_errstr(code);
  const SqlError kind = ClassOf(code);
  Error error{CodeOf(kind), Explain(code, path_, detail)};
  if (!IsOfStatement(kind) && !fault_.has_value()) {
    fault_ = error;
    fault_is_transient_ = IsTransient(kind);
  }
  return error;
}

}  // namespace kms::store
