// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "kms/store/connection.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace kms::store {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testlib::IsOkAndHolds;
using testlib::StatusIs;
using testlib::Take;

class ConnectionTest : public testing::Test {
 protected:
  void SetUp() override {
    connection_ = Open();
    Take(connection_->Script(
        "CREATE TABLE parent (id TEXT NOT NULL PRIMARY KEY);"
        "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, n BIGINT CHECK (n < 9),"
        " b BYTEA, parent TEXT REFERENCES parent (id), UNIQUE (n));"));
  }
  std::unique_ptr<Connection> Open() {
    return Take(Connection::Open(
        {.path = (dir_ / "test.db").string(), .busy_timeout = {}}));
  }
  base::Result<std::int64_t> Insert(const std::string& id, Value n, Value b,
                                    Value parent = {}) {
    return connection_->Run(
        "INSERT INTO t (id, n, b, parent) VALUES ($1, $2, $3, $4)",
        {id, std::move(n), std::move(b), std::move(parent)});
  }

  testlib::TempDir dir_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(ConnectionTest, ReturnsValuesAsTheyWereBound) {
  const std::vector<Row> rows = {
      {std::string("text"), std::int64_t{-5}, base::Bytes{0, 1, 255}},
      {std::string(""), Value(), base::Bytes{}},
      {std::string("z\0z", 3), std::int64_t{INT64_MIN}, Value()},
  };
  for (const Row& row : rows) {
    ASSERT_OK(Insert(std::get<std::string>(row[0]), row[1], row[2]));
    EXPECT_THAT(
        connection_->Query("SELECT id, n, b FROM t WHERE id = $1", {row[0]}),
        IsOkAndHolds(ElementsAre(row)));
  }
}

TEST_F(ConnectionTest, TakesParametersByNumberNotByPlace) {
  EXPECT_THAT(connection_->Query("SELECT $2, $1, $2",
                                 {std::int64_t{1}, std::string("two")}),
              IsOkAndHolds(ElementsAre(Row{std::string("two"), std::int64_t{1},
                                           std::string("two")})));
}

TEST_F(ConnectionTest, RefusesStatementsThatItsValuesDoNotFit) {
  for (const std::string_view sql :
       {"SELECT $1, $2", "SELECT $2", "SELECT 1", "SELECT ?", "SELECT $one",
        "SELECT $0", "SELECT :1"}) {
    EXPECT_THAT(connection_->Query(sql, {std::int64_t{1}}),
                StatusIs(ErrorCode::kInternal))
        << sql;
  }
}

TEST_F(ConnectionTest, CountsTheRowsChanged) {
  ASSERT_OK(Insert("a", std::int64_t{1}, {}));
  ASSERT_OK(Insert("b", std::int64_t{2}, {}));
  EXPECT_THAT(connection_->Run("DELETE FROM t WHERE n > 0"), IsOkAndHolds(2));
  EXPECT_THAT(connection_->Run("DELETE FROM t WHERE n > 0"), IsOkAndHolds(0));
}

TEST_F(ConnectionTest, TellsKindsOfFailureApart) {
  ASSERT_OK(Insert("a", std::int64_t{1}, {}));
  EXPECT_THAT(Insert("a", std::int64_t{2}, {}),
              StatusIs(ErrorCode::kAlreadyExists));
  EXPECT_THAT(Insert("b", std::int64_t{1}, {}),
              StatusIs(ErrorCode::kAlreadyExists));
  EXPECT_THAT(Insert("b", std::int64_t{2}, {}, std::string("nobody")),
              StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(Insert("b", std::int64_t{9}, {}), StatusIs(ErrorCode::kInternal));
  EXPECT_THAT(connection_->Query("SELEC 1"), StatusIs(ErrorCode::kInternal));
  EXPECT_FALSE(connection_->fault().has_value());

  const auto other = Open();
  ASSERT_OK(other->Begin());
  EXPECT_THAT(connection_->Begin(), StatusIs(ErrorCode::kBusy));
  EXPECT_TRUE(connection_->fault().has_value());
  EXPECT_TRUE(connection_->fault_is_transient());
  other->Rollback();
  EXPECT_OK(connection_->Begin());
  EXPECT_FALSE(connection_->fault().has_value());
}

TEST_F(ConnectionTest, EveryKindOfFailureHasACode) {
  for (int i = 0; i <= static_cast<int>(SqlError::kOther); ++i) {
    EXPECT_NE(CodeOf(static_cast<SqlError>(i)), ErrorCode::kValidation);
  }
}

TEST_F(ConnectionTest, NeverRepeatsABoundValue) {
  const std::string canary = "canary-5f1c";
  const Value bytes = base::Bytes(canary.begin(), canary.end());
  ASSERT_OK(Insert(canary, std::int64_t{1}, bytes));
  const std::vector<base::Result<std::int64_t>> failures = {
      Insert(canary, std::int64_t{2}, bytes),
      Insert(canary + "2", std::int64_t{1}, bytes),
      Insert(canary + "2", std::int64_t{9}, bytes),
      Insert(canary + "2", std::int64_t{2}, bytes, canary),
      connection_->Run("SELECT abs($1) FROM nowhere", {canary}),
      connection_->Run("SELECT $1, $2", {canary}),
      connection_->Run("SELECT json_extract($1, '$.x')", {canary}),
      connection_->Run("SELECT 1 LIMIT $1", {canary}),
  };
  for (const auto& failure : failures) {
    ASSERT_FALSE(failure.has_value());
    EXPECT_THAT(failure.error().message, Not(HasSubstr("canary")));
    EXPECT_THAT(failure.error().message, Not(testing::IsEmpty()));
  }
}

TEST_F(ConnectionTest, RollsBackToTheSavepointAndKeepsWhatWasBefore) {
  ASSERT_OK(connection_->Begin());
  ASSERT_OK(Insert("a", std::int64_t{1}, {}));
  ASSERT_OK(connection_->Savepoint());
  ASSERT_OK(Insert("b", std::int64_t{2}, {}));
  EXPECT_FALSE(Insert("b", std::int64_t{3}, {}).has_value());
  ASSERT_OK(connection_->RollbackToSavepoint());
  ASSERT_OK(connection_->Savepoint());
  ASSERT_OK(Insert("c", std::int64_t{3}, {}));
  ASSERT_OK(connection_->ReleaseSavepoint());
  ASSERT_OK(connection_->Commit());
  EXPECT_THAT(
      connection_->Query("SELECT id FROM t ORDER BY id"),
      IsOkAndHolds(ElementsAre(Row{std::string("a")}, Row{std::string("c")})));
}

TEST_F(ConnectionTest, IsDurableAndSuspicious) {
  const auto pragma = [this](const std::string& name) {
    return Take(connection_->Query("PRAGMA " + name)).at(0).at(0);
  };
  EXPECT_EQ(pragma("journal_mode"), Value(std::string("wal")));
  EXPECT_EQ(pragma("synchronous"), Value(std::int64_t{2}));
  for (const char* on : {"foreign_keys", "secure_delete", "cell_size_check"}) {
    EXPECT_EQ(pragma(on), Value(std::int64_t{1})) << on;
  }
  EXPECT_EQ(pragma("trusted_schema"), Value(std::int64_t{0}));
  // A misspelt column is an error, not a text.
  EXPECT_THAT(connection_->Query("SELECT \"no column\" FROM t"),
              StatusIs(ErrorCode::kInternal));
}

TEST_F(ConnectionTest, AReaderSeesTheLastCommitAndCannotWrite) {
  const auto reader =
      Take(Connection::Open({.path = (dir_ / "test.db").string(),
                             .mode = ConnectionOptions::Mode::kRead}));
  ASSERT_OK(connection_->Begin());
  ASSERT_OK(Insert("a", std::int64_t{1}, {}));
  constexpr std::string_view kCount = "SELECT COUNT(*) FROM t";
  EXPECT_THAT(reader->Query(kCount),
              IsOkAndHolds(ElementsAre(Row{std::int64_t{0}})));
  ASSERT_OK(connection_->Commit());
  EXPECT_THAT(reader->Query(kCount),
              IsOkAndHolds(ElementsAre(Row{std::int64_t{1}})));
  EXPECT_THAT(reader->Run("DELETE FROM t"),
              StatusIs(ErrorCode::kStoreUnavailable));
}

TEST_F(ConnectionTest, SaysWhatToDoAboutAFileThatCannotBeOpened) {
  EXPECT_THAT(
      Connection::Open({.path = (dir_ / "missing" / "test.db").string()}),
      StatusIs(ErrorCode::kStoreUnavailable, HasSubstr("folder")));
}

}  // namespace
}  // namespace kms::store
