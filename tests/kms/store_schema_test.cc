// SPDX-License-Identifier: Apache-2.0
// The schema is a promise to every store that exists: a change of it must show
// in review, in the golden file and in the documentation.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>
#include <string>

#include "kms/store/connection.h"
#include "kms/store/migrations.h"
#include "tests/kms/store_testing.h"

namespace kms::store {
namespace {

using testlib::Take;

std::string ReadSource(const std::string& path) {
  std::ifstream file(CLAVIGER_SOURCE_DIR "/" + path);
  EXPECT_TRUE(file.good()) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The migrations with their checksums, and what they make of a database.
std::string Describe(Connection& connection) {
  std::string text;
  for (const Migration& migration : Migrations()) {
    text += fmt::format("migration {} sha256 {}\n", migration.version,
                        migration.Checksum());
  }
  for (const Row& row : Take(connection.Query(
           "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL "
           "ORDER BY tbl_name, type DESC, name"))) {
    text += "\n" + std::get<std::string>(row.at(0)) + ";\n";
  }
  return text;
}

TEST(StoreSchemaTest, IsTheGoldenOne) {
  const testlib::TempDir dir;
  const auto connection =
      Take(Connection::Open({.path = (dir / "test.db").string()}));
  Take(Migrate(*connection, Migrations(), base::FakeClock(At(0))));
  EXPECT_EQ(Describe(*connection), ReadSource("tests/golden/store_schema.txt"));
}

TEST(StoreSchemaTest, IsTheDocumentedOne) {
  const std::string page = ReadSource("docs/protocol/store.md");
  for (const Migration& migration : Migrations()) {
    EXPECT_THAT(
        page, testing::HasSubstr(fmt::format("```sql\n{}```", migration.sql)));
    EXPECT_THAT(page, testing::HasSubstr(migration.Checksum()));
  }
}

TEST(StoreSchemaTest, NumbersItsMigrationsFromOne) {
  int expected = 0;
  for (const Migration& migration : Migrations()) {
    EXPECT_EQ(migration.version, ++expected);
  }
}

}  // namespace
}  // namespace kms::store
