// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_CONNECTION_H_
#define KMS_STORE_CONNECTION_H_

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "kms/store/sql_error.h"

namespace kms::store {

// A Value is what a column holds or a parameter is bound to. The alternatives
// are NULL, BIGINT, TEXT and BYTEA: what SQLite and PostgreSQL share.
using Value =
    std::variant<std::monostate, std::int64_t, std::string, base::Bytes>;
using Values = std::span<const Value>;
using Row = std::vector<Value>;
using Rows = std::vector<Row>;

struct ConnectionOptions {
  enum class Mode : std::uint8_t { kWrite, kRead };

  std::string path;
  Mode mode = Mode::kWrite;  // kWrite creates the file if it is missing.
  std::string vfs;           // An SQLite VFS by name; "" is the default one.
  std::chrono::milliseconds busy_timeout{2000};
};

// A Connection is one session with the database. Statements are written with
// $1..$n and the types TEXT, BIGINT and BYTEA, so that the same text runs on
// SQLite and on PostgreSQL; they must be constants, for each is prepared once
// and kept as long as the Connection.
//
// After a statement has failed inside a transaction, only rolling back to the
// savepoint before it is portable. Errors are CodeOf() the SqlError; messages
// hold the database's words, never a bound value. Not thread-safe.
class Connection {
 public:
  static base::Result<std::unique_ptr<Connection>> Open(
      const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs one statement to its end and returns its rows.
  base::Result<Rows> Query(std::string_view sql, Values values);
  base::Result<Rows> Query(std::string_view sql,
                           std::initializer_list<Value> values = {});

  // Runs one statement and returns how many rows it changed.
  base::Result<std::int64_t> Run(std::string_view sql, Values values);
  base::Result<std::int64_t> Run(std::string_view sql,
                                 std::initializer_list<Value> values = {});

  // Runs one statement that must change a row; kNotFound with `missing` if it
  // changes none.
  base::Status RunOnOne(std::string_view sql, Values values,
                        std::string_view missing);
  base::Status RunOnOne(std::string_view sql,
                        std::initializer_list<Value> values,
                        std::string_view missing);

  // Runs several statements without parameters.
  base::Status Script(std::string_view sql);

  // A transaction that takes the write lock at once, so that it cannot fail
  // half-way because somebody else wrote.
  base::Status Begin();
  // If it fails nothing was changed, and the transaction is over. A commit
  // whose last step failed may have left all it wanted to write in the
  // write-ahead log, where the next process to open the file would take it for
  // committed: Commit() removes it, or else traces_remain() is true until a
  // commit succeeds.
  base::Status Commit();
  bool traces_remain() const { return traces_remain_; }
  void Rollback();  // Ends the transaction, if the database has not already.

  // One level of nesting inside a transaction.
  base::Status Savepoint();
  base::Status ReleaseSavepoint();
  base::Status RollbackToSavepoint();

  // The first error since Begin() that says something about the database
  // and not about one statement: the whole transaction must be given up, even
  // if the function that ran into it went on.
  const std::optional<base::Error>& fault() const { return fault_; }
  // Whether running the transaction again can help.
  bool fault_is_transient() const { return fault_is_transient_; }

  base::Result<std::vector<std::string>> TableNames();

  // Reads the whole file for damage. Fails with kCorrupt.
  base::Status CheckIntegrity();

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  struct Statement {
    std::unique_ptr<sqlite3_stmt, Finalize> handle;
    std::vector<std::size_t> values;  // Which value each parameter takes.
  };

  explicit Connection(sqlite3* db, std::string path);

  base::Status Configure(const ConnectionOptions& options);
  base::Result<Statement*> Prepare(std::string_view sql);
  base::Status Bind(const Statement& statement, Values values);
  base::Error Failed(int code);

  sqlite3* db_;  // Owned.
  std::string path_;
  std::map<std::string, Statement, std::less<>> statements_;
  std::optional<base::Error> fault_;
  bool fault_is_transient_ = false;
  bool traces_remain_ = false;
};

}  // namespace kms::store

#endif  // KMS_STORE_CONNECTION_H_
