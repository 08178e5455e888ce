// SPDX-License-Identifier: Apache-2.0
// Keys of one id in several Regions, and stores from before there were any.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <vector>

#include "base/bytes.h"
#include "kms/key_id.h"
#include "kms/store/connection.h"
#include "kms/store/migrations.h"
#include "tests/kms/store_testing.h"

namespace kms::store {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::IsEmpty;
using testlib::StatusIs;
using testlib::Take;

constexpr std::string_view kElsewhere = "us-east-1";

class StoreMultiRegionTest : public StoreTest {
 protected:
  void SetUp() override {
    Open();
    ASSERT_OK(Insert(primary_));
    ASSERT_OK(Change([this](Transaction& change) {
      return change.InsertReplica(replica_);
    }));
  }

  base::Status Change(const Store::Change& change) {
    return store_->WriteNow(change);
  }
  base::Status Update(const Key& key) {
    return Change([&](Transaction& change) { return change.UpdateKey(key); });
  }
  base::Status Delete(const Key& key) {
    return Change(
        [&](Transaction& change) { return change.DeleteKey(key.row_id); });
  }
  KeyPtr Find(const Key& key) { return Take(store_->FindKey(key.row_id)); }

  Key primary_ = MakePrimary(1);
  Key replica_ = MakeReplica(primary_, kElsewhere);
};

TEST_F(StoreMultiRegionTest, KeysOfOneIdShareTheirMaterials) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Text(*Find(primary_)), Text(primary_));
    EXPECT_EQ(Text(*Find(replica_)), Text(replica_));
    Reopen();
  }
  EXPECT_EQ(Take(store_->ListLocators("default")).size(), 1);
  EXPECT_THAT(store_->FindKey(primary_.id), StatusIs(ErrorCode::kNotFound));
}

TEST_F(StoreMultiRegionTest, ListsWhatIsRelated) {
  ASSERT_OK(Insert(MakeKey(7)));
  Key other = MakePrimary(2);
  ASSERT_OK(Insert(other));
  replica_.destroying = true;
  replica_.state = KeyState::kPendingDeletion;
  ASSERT_OK(Update(replica_));
  const auto related = Take(store_->ListRelatedKeys(primary_.id));
  ASSERT_EQ(related.size(), 2);
  EXPECT_EQ(related[0].row_id, primary_.row_id);
  EXPECT_EQ(related[0].region, kRegion);
  EXPECT_EQ(related[0].type, MultiRegionType::kPrimary);
  EXPECT_EQ(related[0].state, KeyState::kEnabled);
  EXPECT_FALSE(related[0].destroying);
  EXPECT_EQ(related[1].row_id, replica_.row_id);
  EXPECT_EQ(related[1].region, kElsewhere);
  EXPECT_EQ(related[1].type, MultiRegionType::kReplica);
  EXPECT_EQ(related[1].state, KeyState::kPendingDeletion);
  EXPECT_TRUE(related[1].destroying);
  EXPECT_EQ(Take(store_->ListRelatedKeys(MakeKey(7).id)).size(), 1);
  EXPECT_THAT(Take(store_->ListRelatedKeys("nobody")), IsEmpty());
}

TEST_F(StoreMultiRegionTest, EachRegionListsTheIdOnce) {
  ASSERT_OK(Insert(MakeKey(7)));
  const auto list = [this](std::string_view region, std::string_view after) {
    return Take(store_->ListKeys(kAccount, region, after, 9)).items;
  };
  EXPECT_THAT(list(kRegion, ""), ElementsAre(MakeKey(7).id, primary_.id));
  EXPECT_THAT(list(kRegion, MakeKey(7).id), ElementsAre(primary_.id));
  EXPECT_THAT(list(kRegion, primary_.id), IsEmpty());
  EXPECT_THAT(list(kElsewhere, ""), ElementsAre(primary_.id));
}

TEST_F(StoreMultiRegionTest, AChangeOfWhatIsSharedShowsInEveryRegion) {
  Find(primary_);  // Into the cache.
  Find(replica_);
  KeyMaterial material = MakeKey(2).materials[0];
  material.rotation = Rotation{At(5), RotationType::kAutomatic};
  primary_.rotation = RotationSchedule{90, At(1000)};
  primary_.on_demand_rotations = 3;
  primary_.description = "of the primary alone";
  ASSERT_OK(Change([&](Transaction& change) -> base::Status {
    RETURN_IF_ERROR(change.UpdateKey(primary_));
    return change.AddMaterial(primary_.id, material);
  }));
  for (Key* const key : {&primary_, &replica_}) {
    key->materials[0].current = false;
    key->materials.push_back(material);
    key->rotation = primary_.rotation;
    key->on_demand_rotations = 3;
    EXPECT_EQ(Text(*Find(*key)), Text(*key));
  }
  // And the other way round: what the replica alone has stays its own.
  replica_.state = KeyState::kDisabled;
  ASSERT_OK(Update(replica_));
  EXPECT_EQ(Text(*Find(primary_)), Text(primary_));
  EXPECT_EQ(Text(*Find(replica_)), Text(replica_));
}

TEST_F(StoreMultiRegionTest, TheFamilyIsDueForRotationOnce) {
  primary_.rotation = RotationSchedule{90, At(1000)};
  ASSERT_OK(Update(primary_));
  EXPECT_THAT(Take(store_->ListDueRotations(At(1000), 9)),
              ElementsAre(primary_.row_id));
  // Whoever is the primary key then.
  primary_.multi_region = MultiRegionType::kReplica;
  replica_ = *Find(replica_);
  replica_.multi_region = MultiRegionType::kPrimary;
  ASSERT_OK(Update(primary_));
  ASSERT_OK(Update(replica_));
  EXPECT_THAT(Take(store_->ListDueRotations(At(1000), 9)),
              ElementsAre(replica_.row_id));
}

TEST_F(StoreMultiRegionTest, MaterialsGoWithTheLastKeyOfTheirId) {
  ASSERT_OK(Delete(replica_));
  EXPECT_THAT(store_->FindKey(replica_.row_id), StatusIs(ErrorCode::kNotFound));
  EXPECT_EQ(Text(*Find(primary_)), Text(primary_));
  EXPECT_EQ(Take(store_->ListLocators("default")).size(), 1);
  ASSERT_OK(Delete(primary_));
  EXPECT_THAT(Take(store_->ListLocators("default")), IsEmpty());
  EXPECT_THAT(Delete(primary_), StatusIs(ErrorCode::kNotFound));
}

TEST_F(StoreMultiRegionTest, InOneTransactionToo) {
  ASSERT_OK(Change([this](Transaction& change) -> base::Status {
    RETURN_IF_ERROR(change.DeleteKey(primary_.row_id));
    RETURN_IF_ERROR(change.GetKey(replica_.row_id));
    return change.DeleteKey(replica_.row_id);
  }));
  EXPECT_THAT(Take(store_->ListLocators("default")), IsEmpty());
}

TEST_F(StoreMultiRegionTest, TheRestBelongsToOneKey) {
  const auto tag = [](const Key& key, std::string_view value) {
    return [&key, value](Transaction& change) {
      return change.PutTag(key.row_id, {"k", std::string(value)});
    };
  };
  ASSERT_OK(Change(tag(primary_, "here")));
  ASSERT_OK(Change(tag(replica_, "there")));
  ASSERT_OK(Insert(MakeAlias("alias/a", primary_)));
  ASSERT_OK(Insert(MakeAlias("alias/a", replica_)));
  ASSERT_OK(Change([this](Transaction& change) {
    return change.PutKeyUsage(replica_.row_id,
                              {"Encrypt", "who", At(7), "e", "r"});
  }));
  EXPECT_THAT(Take(store_->ListKeyUsages(primary_.row_id, 1)), IsEmpty());
  ASSERT_OK(Delete(replica_));
  EXPECT_THAT(Take(store_->Tags(primary_.row_id)),
              ElementsAre(Tag{"k", "here"}));
  EXPECT_THAT(Take(store_->Tags(replica_.row_id)), IsEmpty());
  EXPECT_EQ(Take(store_->FindAlias(kAccount, kRegion, "alias/a")).key_row_id,
            primary_.row_id);
  EXPECT_THAT(store_->FindAlias(kAccount, kElsewhere, "alias/a"),
              StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(Take(store_->ListKeyUsages(replica_.row_id, 1)), IsEmpty());
}

TEST_F(StoreMultiRegionTest, RefusesRowsThatCannotBe) {
  const auto insert = [this](const Key& key) {
    return Change(
        [&](Transaction& change) { return change.InsertReplica(key); });
  };
  EXPECT_THAT(insert(replica_), StatusIs(ErrorCode::kAlreadyExists));
  EXPECT_THAT(insert(primary_), StatusIs(ErrorCode::kInvalidArgument));
  Key misnamed = MakeReplica(primary_, "eu-west-1");
  misnamed.row_id = misnamed.id;
  EXPECT_THAT(insert(misnamed), StatusIs(ErrorCode::kInvalidArgument));
  Key single = MakeKey(2);
  single.multi_region = MultiRegionType::kPrimary;
  EXPECT_THAT(Insert(single), StatusIs(ErrorCode::kInvalidArgument));
  Key multi = MakePrimary(2);
  multi.multi_region = MultiRegionType::kNone;
  EXPECT_THAT(Insert(multi), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Update(multi), StatusIs(ErrorCode::kInvalidArgument));
}

TEST_F(StoreMultiRegionTest, KeepsThePendingWindow) {
  primary_.state = KeyState::kPendingReplicaDeletion;
  primary_.pending_window_days = 8;
  ASSERT_OK(Update(primary_));
  Reopen();
  EXPECT_EQ(Text(*Find(primary_)), Text(primary_));
}

// A key with all that belongs to it, in a store that had `version` migrations.
class StoreMigrationTest : public StoreTest {
 protected:
  StoreMigrationTest() {
    for (const std::uint32_t n : {2U, 3U}) {
      key_.materials.push_back(MakeKey(n).materials[0]);
    }
    key_.materials[0].current = key_.materials[1].current = false;
  }

  void MakeOld(std::size_t version) {
    const auto old = Take(Connection::Open({.path = Options().path}));
    Take(Migrate(*old, Migrations().first(version), clock_));
    Take(old->Script(KeySql()));
    if (version >= 6) {  // Where a key's id is not its row's.
      Take(old->Script("UPDATE keys SET key_id = id;"));
    }
    if (version >= 3) {
      Take(old->Script(fmt::format(
          fmt::runtime(
              version >= 8
                  ? "INSERT INTO key_usages VALUES ('{}', 'Encrypt', '', "
                    "7, 'e', 'r');"
                  : "INSERT INTO last_usages VALUES ('{}', 'Encrypt', 7, "
                    "'e', 'r');"),
          key_.id)));
    }
    if (version >= 5) {
      Take(old->Script(fmt::format(
          "INSERT INTO grants VALUES ('g', '{}', 'n', 'who', '', '', '', '1', "
          "'c', 'Decrypt', '', '', '', X'01', 5{});",
          key_.id, version >= 10 ? ", '', ''" : "")));
    }
  }

  std::string KeySql() const {
    std::string sql = fmt::format(
        "INSERT INTO keys (id, account, region, description, key_spec, "
        "key_usage, origin, state, created, destroying, policy) VALUES ('{0}', "
        "'{1}', '{2}', '{3}', 'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', "
        "'AWS_KMS', 'Enabled', {4}, 0, '{5}');"
        "INSERT INTO aliases VALUES ('{1}', '{2}', 'alias/a', '{0}', 10, 20);"
        "INSERT INTO tags VALUES ('{0}', 'k', 'v', 1);",
        key_.id, key_.account, key_.region, key_.description,
        key_.created.time_since_epoch().count(), key_.policy);
    for (std::size_t i = 0; i < key_.materials.size(); ++i) {
      const KeyMaterial& material = key_.materials[i];
      sql += fmt::format(
          "INSERT INTO key_materials (key_id, ordinal, material_id, key_store, "
          "locator, algorithm, is_current, created) VALUES ('{}', {}, X'{}', "
          "'default', X'{}', 1, {}, {});",
          key_.id, i, base::HexEncode(material.id),
          base::HexEncode(material.ref.locator.bytes), material.current ? 1 : 0,
          material.created.time_since_epoch().count());
    }
    return sql;
  }

  void ExpectKept(std::size_t version) {
    EXPECT_EQ(Text(*Take(store_->FindKey(key_.id))), Text(key_));
    EXPECT_EQ(Text(Take(store_->FindAlias(kAccount, kRegion, "alias/a"))),
              Text(MakeAlias("alias/a", key_)));
    EXPECT_THAT(Take(store_->Tags(key_.id)), ElementsAre(Tag{"k", "v"}));
    EXPECT_THAT(Take(store_->ListKeys(kAccount, kRegion, "", 9)).items,
                ElementsAre(key_.id));
    EXPECT_EQ(Take(store_->ListLocators("default")).size(), 3);
    EXPECT_EQ(Take(store_->ListKeyUsages(key_.id, 1)).size(),
              version >= 3 ? 1 : 0);
    EXPECT_EQ(Take(store_->ListGrants({.key_row_id = key_.id, .limit = 9}))
                  .items.size(),
              version >= 5 ? 1 : 0);
  }

  Key key_ = MakeKey(1);
};

TEST_F(StoreMigrationTest, AStoreOfEachEarlierVersionKeepsWhatItHas) {
  for (std::size_t version = 1; version < Migrations().size(); ++version) {
    SCOPED_TRACE(version);
    MakeOld(version);
    for (int i = 0; i < 2; ++i) {
      Open();
      ExpectKept(version);
      Close();
    }
    const auto connection = Take(Connection::Open({.path = Options().path}));
    EXPECT_THAT(Take(connection->Query("PRAGMA foreign_key_check")), IsEmpty());
    std::filesystem::remove(Options().path);
  }
}

// A key of an old store is one of today's: it gets a material, and goes whole.
TEST_F(StoreMigrationTest, WhatWasMigratedCanBeChanged) {
  MakeOld(5);
  Open();
  KeyMaterial material = MakeKey(9).materials[0];
  ASSERT_OK(store_->WriteNow([&](Transaction& change) {
    return change.AddMaterial(key_.id, material);
  }));
  EXPECT_EQ(Take(store_->FindKey(key_.id))->CurrentMaterial().id, material.id);
  ASSERT_OK(store_->WriteNow(
      [&](Transaction& change) { return change.DeleteKey(key_.id); }));
  EXPECT_THAT(Take(store_->ListLocators("default")), IsEmpty());
  EXPECT_THAT(Take(store_->ListKeys(kAccount, kRegion, "", 9)).items,
              IsEmpty());
}

}  // namespace
}  // namespace kms::store
