// SPDX-License-Identifier: Apache-2.0
// Rows about the life of a key: its rotations and its last usage.
#include <gmock/gmock.h>

#include <vector>

#include "tests/kms/store_testing.h"

namespace kms::store {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::IsEmpty;
using testlib::StatusIs;
using testlib::Take;

class StoreRotationTest : public StoreTest {
 protected:
  void SetUp() override { Open(); }

  base::Status Change(const Store::Change& change) {
    return store_->WriteNow(change);
  }
};

TEST_F(StoreRotationTest, KeepsTheScheduleOfRotations) {
  Key key = MakeKey(1);
  key.rotation = RotationSchedule{90, At(1000)};
  key.on_demand_rotations = 7;
  ASSERT_OK(Insert(key));
  Reopen();
  EXPECT_EQ(Text(*Take(store_->FindKey(key.id))), Text(key));
  key.rotation = RotationSchedule{2560, At(2000)};
  key.on_demand_rotations = 8;
  const auto update = [&](Transaction& change) {
    return change.UpdateKey(key);
  };
  ASSERT_OK(Change(update));
  EXPECT_EQ(Text(*Take(store_->FindKey(key.id))), Text(key));
  key.rotation.reset();
  ASSERT_OK(Change(update));
  Reopen();
  EXPECT_EQ(Text(*Take(store_->FindKey(key.id))), Text(key));
}

TEST_F(StoreRotationTest, ANewMaterialBecomesTheCurrentOne) {
  Key key = MakeKey(1);
  ASSERT_OK(Insert(key));
  ASSERT_OK(Insert(MakeKey(2)));
  EXPECT_EQ(Take(store_->FindKey(key.id))->materials.size(), 1);
  for (const std::uint32_t n : {3U, 4U}) {
    KeyMaterial material = MakeKey(n).materials[0];
    material.rotation = Rotation{
        At(n), n == 3 ? RotationType::kAutomatic : RotationType::kOnDemand};
    ASSERT_OK(Change([&](Transaction& change) {
      return change.AddMaterial(key.id, material);
    }));
    key.materials.back().current = false;
    key.materials.push_back(material);
    EXPECT_EQ(Text(*Take(store_->FindKey(key.id))), Text(key));
  }
  Reopen();
  EXPECT_EQ(Text(*Take(store_->FindKey(key.id))), Text(key));
  EXPECT_EQ(Text(*Take(store_->FindKey(MakeKey(2).id))), Text(MakeKey(2)));
}

TEST_F(StoreRotationTest, RefusesMaterialsThatCannotBeTheNewest) {
  const Key key = MakeKey(1);
  ASSERT_OK(Insert(key));
  KeyMaterial material = MakeKey(2).materials[0];
  const auto add = [&](std::string_view id) {
    return Change(
        [&](Transaction& change) { return change.AddMaterial(id, material); });
  };
  EXPECT_THAT(add("absent"), StatusIs(ErrorCode::kNotFound));
  material.current = false;
  EXPECT_THAT(add(key.id), StatusIs(ErrorCode::kInvalidArgument));
  material = key.materials[0];  // The same bytes again.
  EXPECT_THAT(add(key.id), StatusIs(ErrorCode::kAlreadyExists));
  EXPECT_EQ(Text(*Take(store_->FindKey(key.id))), Text(key));
}

TEST_F(StoreRotationTest, ListsKeysThatAreDueForRotation) {
  const auto due = [](std::uint32_t n, std::int64_t next) {
    Key key = MakeKey(n);
    key.rotation = RotationSchedule{90, At(next)};
    return key;
  };
  Key disabled = due(5, 1);
  disabled.state = KeyState::kDisabled;
  Key elsewhere = due(6, 500);
  elsewhere.account = "444455556666";  // Of all accounts.
  for (const Key& key : {MakeKey(1), due(2, 1000), due(3, 1001), due(4, 999),
                         disabled, elsewhere}) {
    ASSERT_OK(Insert(key));
  }
  EXPECT_THAT(Take(store_->ListDueRotations(At(1000), 9)),
              ElementsAre(MakeKey(6).id, MakeKey(4).id, MakeKey(2).id));
  EXPECT_THAT(Take(store_->ListDueRotations(At(1000), 1)),
              ElementsAre(MakeKey(6).id));
  EXPECT_THAT(Take(store_->ListDueRotations(At(499), 9)), ElementsAre());
  EXPECT_THAT(store_->ListDueRotations(At(499), 0),
              StatusIs(ErrorCode::kInvalidArgument));
}

TEST_F(StoreRotationTest, KeepsTheLastUsesOfAKey) {
  const Key key = MakeKey(1);
  ASSERT_OK(Insert(key));
  EXPECT_THAT(Take(store_->ListKeyUsages(key.id, 9)), ElementsAre());
  const auto put = [&](std::string operation, std::string principal, int time) {
    const LastUse usage = {std::move(operation), std::move(principal), At(time),
                           "event", "request"};
    return Change([&](Transaction& change) -> base::Status {
      RETURN_IF_ERROR(change.PutKeyUsage("absent", usage));
      return change.PutKeyUsage(key.id, usage);
    });
  };
  ASSERT_OK(put("Encrypt", "a", 1));
  ASSERT_OK(put("Encrypt", "b", 2));
  ASSERT_OK(put("Decrypt", "a", 3));
  ASSERT_OK(put("Encrypt", "a", 4));  // In place of the first.
  const auto found = Take(store_->ListKeyUsages(key.id, 9));
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].operation + found[0].principal, "Encrypta");
  EXPECT_EQ(found[0].time, At(4));
  EXPECT_EQ(found[0].event_id, "event");
  EXPECT_EQ(found[0].request_id, "request");
  EXPECT_EQ(found[1].operation + found[1].principal, "Decrypta");
  EXPECT_EQ(found[2].operation + found[2].principal, "Encryptb");
  EXPECT_EQ(Take(store_->ListKeyUsages(key.id, 1)).size(), 1U);
  EXPECT_THAT(Take(store_->ListKeyUsages("absent", 9)), ElementsAre());
  EXPECT_THAT(store_->ListKeyUsages(key.id, 0),
              StatusIs(ErrorCode::kInvalidArgument));
}

TEST_F(StoreRotationTest, TrimsTheOldestUsesOfAKey) {
  const Key key = MakeKey(1);
  ASSERT_OK(Insert(key));
  const auto trim = [&](int most) {
    return Change([&](Transaction& change) -> base::Status {
      return change.TrimKeyUsages(key.id, most);
    });
  };
  ASSERT_OK(Change([&](Transaction& change) -> base::Status {
    for (int i = 1; i <= 5; ++i) {
      const LastUse usage = {"Sign", std::to_string(i), At(i), "e", "r"};
      RETURN_IF_ERROR(change.PutKeyUsage(key.id, usage));
    }
    return {};
  }));
  ASSERT_OK(trim(5));
  EXPECT_EQ(Take(store_->ListKeyUsages(key.id, 9)).size(), 5U);
  ASSERT_OK(trim(2));
  const auto left = Take(store_->ListKeyUsages(key.id, 9));
  ASSERT_EQ(left.size(), 2U);
  EXPECT_EQ(left[0].principal, "5");
  EXPECT_EQ(left[1].principal, "4");
}

TEST_F(StoreRotationTest, UsesGoWithTheirKeyAndTheirBeginningStays) {
  const Key key = MakeKey(1);
  ASSERT_OK(Insert(key));
  const base::WallTime since = Take(store_->KeyUsageSince());
  Reopen();
  EXPECT_EQ(Take(store_->KeyUsageSince()), since);
  ASSERT_OK(Change([&](Transaction& change) -> base::Status {
    RETURN_IF_ERROR(
        change.PutKeyUsage(key.id, {"Sign", "a", At(1), "event", "request"}));
    return change.DeleteKey(key.id);
  }));
  EXPECT_THAT(Take(store_->ListKeyUsages(key.id, 9)), ElementsAre());
}

TEST_F(StoreRotationTest, KeepsHowFarItKnowsTheUses) {
  EXPECT_EQ(Take(store_->GetUsageProgress()).has_value(), false);
  for (const bool complete : {true, false}) {
    const UsageProgress progress = {complete ? 7U : 9U, complete};
    ASSERT_OK(Change([&](Transaction& change) {
      return change.SetUsageProgress(progress);
    }));
    Reopen();
    const auto found = Take(store_->GetUsageProgress());
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->log_sequence, progress.log_sequence);
    EXPECT_EQ(found->complete, complete);
  }
}

}  // namespace
}  // namespace kms::store
