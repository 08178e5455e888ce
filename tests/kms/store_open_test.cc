// SPDX-License-Identifier: Apache-2.0
// Opening a store: whose it is, who may, and what is refused.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/bytes.h"
#include "kms/store/connection.h"
#include "kms/store/migrations.h"
#include "tests/kms/store_testing.h"

namespace kms::store {
namespace {

using base::ErrorCode;
using testing::AllOf;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

class StoreOpenTest : public StoreTest {
 protected:
  // What somebody does to the database while no store has it open.
  void Tamper(std::string_view sql) {
    Close();
    const auto connection = Take(Connection::Open({.path = Options().path}));
    Take(connection->Script(sql));
  }
  static unsigned ModeOf(const std::string& path) {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
  }
};

TEST_F(StoreOpenTest, TheIdStaysAndTheEpochRises) {
  Open();
  const StoreInfo first = store_->info();
  EXPECT_EQ(first.id.size(), 36);
  EXPECT_EQ(first.epoch, 1);
  EXPECT_EQ(first.revision, 0);
  Reopen();
  EXPECT_EQ(store_->info().id, first.id);
  EXPECT_EQ(store_->info().epoch, 2);
  EXPECT_EQ(store_->info().revision, 0);
}

TEST_F(StoreOpenTest, FilesAreForTheirOwnerOnly) {
  Open();
  ASSERT_OK(Insert(MakeKey(1)));
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    EXPECT_EQ(ModeOf(Options().path + suffix), 0600) << suffix;
  }
  Close();
  ASSERT_EQ(chmod(Options().path.c_str(), 0644), 0);
  Open();
  EXPECT_EQ(ModeOf(Options().path), 0600);
}

TEST_F(StoreOpenTest, OneProcessWritesAtATime) {
  Open();
  const auto name_us = HasSubstr(fmt::format("process {}", getpid()));
  EXPECT_THAT(TryOpen(), StatusIs(ErrorCode::kBusy, name_us));
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto refused = TryOpen();
    _exit(!refused.has_value() && refused.error().code == ErrorCode::kBusy ? 0
                                                                           : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_OK(Insert(MakeKey(1)));  // Its holder is not disturbed.
}

TEST_F(StoreOpenTest, ADeadProcessHoldsNothing) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Open();
    [[maybe_unused]] const auto said = write(ready[1], "x", 1);
    pause();
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_THAT(TryOpen(),
              StatusIs(ErrorCode::kBusy, HasSubstr(fmt::format("{}", child))));
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  close(ready[0]);
  close(ready[1]);
  EXPECT_OK(TryOpen());
}

TEST_F(StoreOpenTest, SaysThatTheFolderMustExist) {
  StoreOptions options = Options();
  options.path = (dir_ / "missing" / "claviger.db").string();
  EXPECT_THAT(Store::Open(options, clock_),
              StatusIs(ErrorCode::kIo, HasSubstr("folder must exist")));
  options = Options();
  options.readers = 0;
  EXPECT_THAT(Store::Open(options, clock_),
              StatusIs(ErrorCode::kInvalidArgument));
}

// A store as version 1 of the schema left it, with a key in it.
TEST_F(StoreOpenTest, BringsAStoreOfVersion1UpToDate) {
  const Key key = MakeKey(1);
  {
    const auto old = Take(Connection::Open({.path = Options().path}));
    ASSERT_OK(Migrate(*old, Migrations().first(1), clock_));
    ASSERT_OK(old->Script(fmt::format(
        "INSERT INTO keys VALUES ('{}', '{}', '{}', '{}', 'SYMMETRIC_DEFAULT', "
        "'ENCRYPT_DECRYPT', 'AWS_KMS', 'Enabled', {}, NULL, 0, '{}');"
        "INSERT INTO key_materials VALUES ('{}', 0, X'{}', 'default', X'{}', "
        "1, 1, {});",
        key.id, key.account, key.region, key.description,
        key.created.time_since_epoch().count(), key.policy, key.id,
        base::HexEncode(key.materials.front().id),
        base::HexEncode(key.materials.front().ref.locator.bytes),
        key.created.time_since_epoch().count())));
  }
  EXPECT_THAT(Store::OpenReadOnly(Options()),
              StatusIs(ErrorCode::kStoreUnavailable,
                       HasSubstr("written by an older claviger")));
  Open();
  EXPECT_EQ(Text(*Take(store_->FindKey(key.id))), Text(key));
  Reopen();  // Once is enough.
  EXPECT_EQ(Text(*Take(store_->FindKey(key.id))), Text(key));
}

TEST_F(StoreOpenTest, RefusesAStoreOfANewerProgram) {
  Open();
  Tamper("INSERT INTO schema_migrations VALUES (99, 'x', 0)");
  EXPECT_THAT(TryOpen(),
              StatusIs(ErrorCode::kStoreUnavailable,
                       AllOf(HasSubstr("written by a newer claviger"),
                             HasSubstr("version 99"))));
}

TEST_F(StoreOpenTest, RefusesAMigrationThatReadsDifferently) {
  Open();
  Tamper("UPDATE schema_migrations SET checksum = 'other' WHERE version = 1");
  EXPECT_THAT(TryOpen(),
              StatusIs(ErrorCode::kCorrupt, HasSubstr("migration 1")));
}

TEST_F(StoreOpenTest, RefusesADatabaseOfAnotherProgram) {
  Tamper("CREATE TABLE bookmarks (url TEXT)");
  EXPECT_THAT(TryOpen(),
              StatusIs(ErrorCode::kCorrupt, HasSubstr("not a claviger store")));
}

TEST_F(StoreOpenTest, RefusesAFileThatIsNoDatabase) {
  std::ofstream(Options().path) << std::string(5000, 'x');
  EXPECT_THAT(TryOpen(), StatusIs(ErrorCode::kCorrupt,
                                  HasSubstr("restore the newest backup")));
}

TEST_F(StoreOpenTest, RefusesADamagedFile) {
  Open();
  for (std::uint32_t n = 0; n < 50; ++n) {
    ASSERT_OK(Insert(MakeKey(n)));
  }
  Close();
  const auto size = std::filesystem::file_size(Options().path);
  ASSERT_GT(size, 8 * 4096);
  std::fstream file(Options().path, std::ios::in | std::ios::out);
  for (std::uintmax_t page = 2; page * 4096 < size; ++page) {
    file.seekp(static_cast<std::streamoff>(page * 4096));
    file << std::string(64, '\xff');
  }
  file.close();
  EXPECT_THAT(TryOpen(), StatusIs(ErrorCode::kCorrupt,
                                  HasSubstr("restore the newest backup")));
}

TEST_F(StoreOpenTest, RefusesATruncatedFile) {
  Open();
  ASSERT_OK(Insert(MakeKey(1)));
  Close();
  std::filesystem::resize_file(Options().path, 3 * 4096);
  EXPECT_THAT(TryOpen(), StatusIs(ErrorCode::kCorrupt));
}

// No row means anything but what this program wrote.
TEST_F(StoreOpenTest, ARowThatCannotBeIsCorrupt) {
  for (const std::string_view sql : {
           "UPDATE keys SET state = 'Sleeping'",
           "UPDATE keys SET state = 'enabled'",
           "UPDATE keys SET key_spec = ''",
           "UPDATE keys SET key_usage = 'ENCRYPT'",
           "UPDATE keys SET origin = x'00'",
           "UPDATE keys SET created = 'yesterday'",
           "UPDATE keys SET created = 1.5",
           "UPDATE keys SET policy = x'7b7d'",
           "UPDATE keys SET deletion_date = 'x', state = 'PendingDeletion'",
           "UPDATE keys SET deletion_date = 1.5, state = 'PendingDeletion'",
           "UPDATE keys SET rotation_period = 90",
           "UPDATE keys SET next_rotation = 1",
           "UPDATE keys SET next_rotation = 1, rotation_period = 0",
           "UPDATE keys SET next_rotation = 'x', rotation_period = 90",
           "UPDATE keys SET on_demand_rotations = -1",
           "UPDATE key_materials SET rotation_date = 1",
           "UPDATE key_materials SET rotation_type = 'AUTOMATIC'",
           "UPDATE key_materials SET rotation_date = 1, rotation_type = 'BOTH'",
           "UPDATE key_materials SET algorithm = 3",
           "UPDATE key_materials SET algorithm = 257",
           "UPDATE key_materials SET is_current = 0",
           "UPDATE key_materials SET locator = x'0102'",
           "UPDATE key_materials SET material_id = 'text'",
           "DELETE FROM key_materials",
           "UPDATE keys SET key_id = 'another'",
           "UPDATE keys SET region = 'eu-west-9', key_id = 'mrk-0'",
           "UPDATE keys SET multi_region_type = 'PRIMARY'",
           "UPDATE keys SET multi_region_type = 'NONE'",
           "UPDATE keys SET pending_window = 7",
           "UPDATE keys SET state = 'PendingReplicaDeletion'",
       }) {
    std::filesystem::remove(Options().path);
    Open();
    ASSERT_OK(Insert(MakeKey(1)));
    Tamper(sql);
    Open();
    EXPECT_THAT(store_->FindKey(MakeKey(1).id), StatusIs(ErrorCode::kCorrupt))
        << sql;
    EXPECT_THAT(store_->WriteNow([](Transaction& change) -> base::Status {
      RETURN_IF_ERROR(change.GetKey(MakeKey(1).id));
      return {};
    }),
                StatusIs(ErrorCode::kCorrupt))
        << sql;
    Close();
  }
}

// A store of the first release, as that left it.
TEST_F(StoreOpenTest, KeepsTheKeysOfTheFirstSchema) {
  {
    const auto old = Take(Connection::Open({.path = Options().path}));
    ASSERT_OK(Migrate(*old, Migrations().first(1), clock_));
    ASSERT_OK(old->Script(
        "INSERT INTO store_info VALUES (1, 'the id', 3, 9);"
        "INSERT INTO keys VALUES ('00000001-0000-4000-8000-000000000000', "
        "'111122223333', 'eu-west-1', 'old', 'SYMMETRIC_DEFAULT', "
        "'ENCRYPT_DECRYPT', 'AWS_KMS', 'Enabled', 5, NULL, 0, '{}');"
        "INSERT INTO key_materials VALUES "
        "('00000001-0000-4000-8000-000000000000', 0, zeroblob(32), 'default', "
        "zeroblob(16), 1, 1, 5);"));
  }
  Open();
  EXPECT_EQ(store_->info().id, "the id");
  Key key = *Take(store_->FindKey(MakeKey(1).id));
  EXPECT_EQ(key.description, "old");
  EXPECT_EQ(key.rotation.has_value(), false);
  EXPECT_EQ(key.on_demand_rotations, 0);
  ASSERT_EQ(key.materials.size(), 1);
  EXPECT_EQ(key.materials[0].rotation.has_value(), false);
  EXPECT_THAT(Take(store_->ListDueRotations(At(1000), 9)), testing::IsEmpty());
  // And it can be rotated like any other.
  KeyMaterial material = MakeKey(2).materials[0];
  material.rotation = Rotation{At(7), RotationType::kOnDemand};
  ASSERT_OK(store_->WriteNow([&](Transaction& change) {
    return change.AddMaterial(key.id, material);
  }));
  EXPECT_EQ(Take(store_->FindKey(key.id))->CurrentMaterial().id, material.id);
}

TEST_F(StoreOpenTest, AnIntentOfAnUnknownKindIsCorrupt) {
  Open();
  Tamper("INSERT INTO intents VALUES (zeroblob(16), 'default', 'burn', 1, '')");
  Open();
  EXPECT_THAT(store_->ListIntents(), StatusIs(ErrorCode::kCorrupt));
}

TEST_F(StoreOpenTest, LooksAtAStoreThatAnotherWrites) {
  Open();
  ASSERT_OK(Insert(MakeKey(1)));
  const auto viewer = Take(Store::OpenReadOnly(Options()));
  EXPECT_EQ(viewer->info().id, store_->info().id);
  EXPECT_EQ(viewer->info().epoch, 1);
  EXPECT_EQ(viewer->info().revision, 1);
  Key key = MakeKey(1);
  EXPECT_EQ(Take(viewer->FindKey(key.id))->state, KeyState::kEnabled);
  key.state = KeyState::kDisabled;
  ASSERT_OK(store_->WriteNow(
      [&](Transaction& change) { return change.UpdateKey(key); }));
  EXPECT_EQ(Take(viewer->FindKey(key.id))->state, KeyState::kDisabled);
  EXPECT_THAT(viewer->WriteNow([](Transaction&) { return base::Status(); }),
              StatusIs(ErrorCode::kStoreUnavailable));
  viewer->ForgetOutbox("x");
  EXPECT_EQ(viewer->QueueLength(), 0);
}

TEST_F(StoreOpenTest, LooksOnlyAtAStoreOfItsOwnSchema) {
  EXPECT_THAT(Store::OpenReadOnly(Options()),
              StatusIs(ErrorCode::kStoreUnavailable));
  EXPECT_FALSE(std::filesystem::exists(Options().path));
  Open();
  Tamper("DELETE FROM schema_migrations");
  EXPECT_THAT(Store::OpenReadOnly(Options()),
              StatusIs(ErrorCode::kStoreUnavailable,
                       HasSubstr("start clavigerd once")));
  Tamper("INSERT INTO schema_migrations VALUES (1, 'other', 0)");
  EXPECT_THAT(Store::OpenReadOnly(Options()), StatusIs(ErrorCode::kCorrupt));
}

class MigrationsTest : public StoreTest {
 protected:
  void SetUp() override {
    connection_ = Take(Connection::Open({.path = Options().path}));
  }
  base::Status Run(const std::vector<Migration>& migrations) {
    return Migrate(*connection_, migrations, clock_);
  }

  std::unique_ptr<Connection> connection_;
  const Migration one_{1, "CREATE TABLE one (n BIGINT)"};
  const Migration two_{
      2, "CREATE TABLE two (n BIGINT); CREATE INDEX i ON two (n)"};
};

TEST_F(MigrationsTest, RunsEachOnceAndInOrder) {
  ASSERT_OK(Run({one_}));
  ASSERT_OK(Run({one_, two_}));
  ASSERT_OK(Run({one_, two_}));
  const Rows rows = Take(connection_->Query(
      "SELECT version, checksum, applied_at FROM schema_migrations"));
  ASSERT_EQ(rows.size(), 2);
  EXPECT_EQ(rows[1],
            (Row{std::int64_t{2}, two_.Checksum(),
                 std::int64_t{clock_.Now().time_since_epoch().count()}}));
  EXPECT_EQ(Take(connection_->TableNames()).size(), 3);
}

TEST_F(MigrationsTest, OneThatFailsLeavesNothing) {
  ASSERT_OK(Run({one_}));
  const Migration broken{2, "CREATE TABLE two (n BIGINT); CREATE TABEL three"};
  EXPECT_THAT(Run({one_, broken}), StatusIs(ErrorCode::kInternal));
  EXPECT_EQ(Take(connection_->TableNames()).size(), 2);
  EXPECT_OK(Run({one_, two_}));
}

TEST_F(MigrationsTest, GoesForwardOnly) {
  ASSERT_OK(Run({one_, two_}));
  EXPECT_THAT(Run({one_}), StatusIs(ErrorCode::kStoreUnavailable,
                                    HasSubstr("newer claviger")));
  EXPECT_THAT(Run({two_, one_}), StatusIs(ErrorCode::kCorrupt));
}

}  // namespace
}  // namespace kms::store
