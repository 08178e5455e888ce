// SPDX-License-Identifier: Apache-2.0
// What is written is read again, also after the store was closed.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>
#include <vector>

#include "kms/key_spec.h"
#include "tests/kms/store_testing.h"

namespace kms::store {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::IsEmpty;
using testlib::StatusIs;
using testlib::Take;

class StoreRowsTest : public StoreTest {
 protected:
  void SetUp() override { Open(); }

  base::Status Change(const Store::Change& change) {
    return store_->WriteNow(change);
  }
};

TEST_F(StoreRowsTest, KeepsEveryFieldOfAKeyAndTheOrderOfItsMaterials) {
  Key key = MakeKey(1);
  key.description = "ünï\ncode";
  key.state = KeyState::kPendingDeletion;
  key.deletion_date = At(77);
  key.destroying = true;
  key.materials.front().current = false;
  KeyMaterial newer = MakeKey(2).materials.front();
  newer.ref.algorithm = hsm::Algorithm::kAes256GcmCounter;
  newer.id.fill(0);  // Sorts before the older one.
  key.materials.push_back(newer);

  ASSERT_OK(Insert(key));
  EXPECT_EQ(Text(*Take(store_->FindKey(key.id))), Text(key));
  Reopen();
  EXPECT_EQ(Text(*Take(store_->FindKey(key.id))), Text(key));
}

TEST_F(StoreRowsTest, KeepsEveryKindOfKeyAndItsPublicHalf) {
  std::uint32_t n = 0;
  for (const KeyKind& kind : KeyKinds()) {
    Key key = MakeKey(++n);
    key.spec = kind.spec;
    key.usage = kind.usage;
    key.materials.front().ref.algorithm = kind.algorithm;
    if (IsKeyPair(kind.spec)) {
      key.materials.front().public_key = {0x30, 0, 0xFF};
    }
    ASSERT_OK(Insert(key));
    Reopen();
    EXPECT_EQ(Text(*Take(store_->FindKey(key.id))), Text(key));
  }
}

TEST_F(StoreRowsTest, RefusesAKeyWhoseMaterialIsOfAnotherKind) {
  const auto refuses = [this](const Key& key) {
    ASSERT_OK(Insert(key));
    EXPECT_THAT(store_->FindKey(key.id),
                StatusIs(ErrorCode::kCorrupt,
                         testing::HasSubstr("of different kinds")));
  };
  Key other_algorithm = MakeKey(1);
  other_algorithm.materials.front().ref.algorithm = hsm::Algorithm::kP256Sign;
  refuses(other_algorithm);
  Key other_usage = MakeKey(2);
  other_usage.usage = KeyUsage::kSignVerify;
  refuses(other_usage);
  Key without_half = MakeKey(3);
  without_half.spec = KeySpec::kEccNistP256;
  without_half.usage = KeyUsage::kSignVerify;
  without_half.materials.front().ref.algorithm = hsm::Algorithm::kP256Sign;
  refuses(without_half);
  Key secret_with_half = MakeKey(4);
  secret_with_half.materials.front().public_key = {1};
  refuses(secret_with_half);
}

TEST_F(StoreRowsTest, KeepsEveryKeyState) {
  for (const KeyState state :
       {KeyState::kCreating, KeyState::kEnabled, KeyState::kDisabled,
        KeyState::kPendingDeletion, KeyState::kPendingImport,
        KeyState::kPendingReplicaDeletion, KeyState::kUnavailable,
        KeyState::kUpdating}) {
    Key key = MakeKey(static_cast<std::uint32_t>(state));
    key.state = state;
    if (state == KeyState::kPendingReplicaDeletion) {
      key.pending_window_days = 7;
    }
    ASSERT_OK(Insert(key));
    EXPECT_EQ(Take(store_->FindKey(key.id))->state, state);
  }
}

TEST_F(StoreRowsTest, FindsNoKeyThatIsNotThere) {
  EXPECT_THAT(store_->FindKey("nobody"), StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(Change([](Transaction& change) -> base::Status {
                RETURN_IF_ERROR(change.GetKey("nobody"));
                return {};
              }),
              StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(
      Change([](Transaction& change) { return change.UpdateKey(MakeKey(1)); }),
      StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(
      Change([](Transaction& change) { return change.DeleteKey("nobody"); }),
      StatusIs(ErrorCode::kNotFound));
}

TEST_F(StoreRowsTest, RefusesASecondKeyWithTheSameIdMaterialOrLocator) {
  ASSERT_OK(Insert(MakeKey(1)));
  EXPECT_THAT(Insert(MakeKey(1)), StatusIs(ErrorCode::kAlreadyExists));

  Key same_material = MakeKey(2);
  same_material.materials.front().id = MakeKey(1).materials.front().id;
  EXPECT_THAT(Insert(same_material), StatusIs(ErrorCode::kAlreadyExists));

  Key same_locator = MakeKey(2);
  same_locator.materials.front().ref = MakeKey(1).materials.front().ref;
  EXPECT_THAT(Insert(same_locator), StatusIs(ErrorCode::kAlreadyExists));
  EXPECT_THAT(store_->FindKey(MakeKey(2).id), StatusIs(ErrorCode::kNotFound));
}

TEST_F(StoreRowsTest, RefusesAKeyWithoutExactlyOneCurrentMaterial) {
  Key none = MakeKey(1);
  none.materials.clear();
  EXPECT_THAT(Insert(none), StatusIs(ErrorCode::kInvalidArgument));

  Key two = MakeKey(1);
  two.materials.push_back(MakeKey(2).materials.front());
  EXPECT_THAT(Insert(two), StatusIs(ErrorCode::kInvalidArgument));
}

TEST_F(StoreRowsTest, UpdatesAKeyAndLeavesItsMaterials) {
  Key key = MakeKey(1);
  ASSERT_OK(Insert(key));
  ASSERT_OK(store_->FindKey(key.id));  // Into the cache.
  key.state = KeyState::kDisabled;
  key.description = "other";
  key.policy = "{}";
  ASSERT_OK(Change([&](Transaction& change) { return change.UpdateKey(key); }));
  EXPECT_EQ(Text(*Take(store_->FindKey(key.id))), Text(key));
}

TEST_F(StoreRowsTest, RefusesADeletionDateInAnotherState) {
  Key key = MakeKey(1);
  key.deletion_date = At(5);
  EXPECT_FALSE(Insert(key).has_value());
}

TEST_F(StoreRowsTest, DeletesAKeyWithItsAliasesTagsAndMaterials) {
  const Key key = MakeKey(1);
  ASSERT_OK(Insert(key));
  ASSERT_OK(Insert(MakeAlias("alias/a", key)));
  ASSERT_OK(Change([&](Transaction& change) {
    return change.PutTag(key.id, {"k", "v"});
  }));
  ASSERT_OK(store_->FindKey(key.id));
  ASSERT_OK(store_->FindAlias(kAccount, kRegion, "alias/a"));

  ASSERT_OK(
      Change([&](Transaction& change) { return change.DeleteKey(key.id); }));
  EXPECT_THAT(store_->FindKey(key.id), StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(store_->FindAlias(kAccount, kRegion, "alias/a"),
              StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(Take(store_->Tags(key.id)), IsEmpty());
  EXPECT_THAT(Take(store_->ListLocators("default")), IsEmpty());
  EXPECT_OK(Insert(key));  // Nothing of it is in the way.
}

TEST_F(StoreRowsTest, KeepsAliases) {
  const Key key = MakeKey(1);
  const Key other = MakeKey(2);
  ASSERT_OK(Insert(key));
  ASSERT_OK(Insert(other));
  Alias alias = MakeAlias("alias/a", key);
  ASSERT_OK(Insert(alias));
  EXPECT_THAT(Insert(alias), StatusIs(ErrorCode::kAlreadyExists));
  EXPECT_EQ(Text(Take(store_->FindAlias(kAccount, kRegion, "alias/a"))),
            Text(alias));

  alias.key_row_id = other.id;
  alias.updated = At(99);
  ASSERT_OK(
      Change([&](Transaction& change) { return change.UpdateAlias(alias); }));
  EXPECT_EQ(Text(Take(store_->FindAlias(kAccount, kRegion, "alias/a"))),
            Text(alias));

  ASSERT_OK(
      Change([&](Transaction& change) { return change.DeleteAlias(alias); }));
  EXPECT_THAT(store_->FindAlias(kAccount, kRegion, "alias/a"),
              StatusIs(ErrorCode::kNotFound));
  for (const auto method :
       {&Transaction::UpdateAlias, &Transaction::DeleteAlias}) {
    EXPECT_THAT(
        Change([&](Transaction& change) { return (change.*method)(alias); }),
        StatusIs(ErrorCode::kNotFound));
  }
}

TEST_F(StoreRowsTest, TellsAliasesOfAccountsAndRegionsApart) {
  const Key key = MakeKey(1);
  ASSERT_OK(Insert(key));
  Alias alias = MakeAlias("alias/a", key);
  ASSERT_OK(Insert(alias));
  alias.region = "us-east-1";
  ASSERT_OK(Insert(alias));
  alias.account = "444455556666";
  ASSERT_OK(Insert(alias));
  EXPECT_EQ(
      Take(store_->FindAlias(alias.account, alias.region, alias.name)).account,
      "444455556666");
  EXPECT_THAT(store_->FindAlias("444455556666", kRegion, "alias/a"),
              StatusIs(ErrorCode::kNotFound));
}

TEST_F(StoreRowsTest, RefusesAnAliasOrATagOfNoKey) {
  EXPECT_THAT(Insert(MakeAlias("alias/a", MakeKey(1))),
              StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(Change([](Transaction& change) {
                return change.PutTag("nobody", {"k", "v"});
              }),
              StatusIs(ErrorCode::kNotFound));
}

TEST_F(StoreRowsTest, CountsAliasesInsideTheChange) {
  const Key key = MakeKey(1);
  ASSERT_OK(Insert(key));
  std::vector<std::uint64_t> counts;
  ASSERT_OK(Change([&](Transaction& change) -> base::Status {
    for (const char* name : {"alias/a", "alias/b"}) {
      ASSIGN_OR_RETURN(const std::uint64_t count, change.CountAliases(key.id));
      counts.push_back(count);
      RETURN_IF_ERROR(change.InsertAlias(MakeAlias(name, key)));
      RETURN_IF_ERROR(change.GetAlias(kAccount, kRegion, name));
    }
    return {};
  }));
  EXPECT_THAT(counts, ElementsAre(0, 1));
}

TEST_F(StoreRowsTest, KeepsTagsInTheOrderOfTheirFirstInsertion) {
  const Key key = MakeKey(1);
  ASSERT_OK(Insert(key));
  std::vector<Tag> inside;
  ASSERT_OK(Change([&](Transaction& change) -> base::Status {
    for (const Tag& tag : {Tag{"z", "1"}, Tag{"a", "2"}, Tag{"m", ""}}) {
      RETURN_IF_ERROR(change.PutTag(key.id, tag));
    }
    RETURN_IF_ERROR(change.PutTag(key.id, {"z", "new"}));
    ASSIGN_OR_RETURN(inside, change.GetTags(key.id));
    return {};
  }));
  EXPECT_THAT(inside,
              ElementsAre(Tag{"z", "new"}, Tag{"a", "2"}, Tag{"m", ""}));
  EXPECT_EQ(Take(store_->Tags(key.id)), inside);

  ASSERT_OK(Change([&](Transaction& change) -> base::Status {
    RETURN_IF_ERROR(change.DeleteTag(key.id, "a"));
    RETURN_IF_ERROR(change.DeleteTag(key.id, "no such tag"));
    return change.PutTag(key.id, {"a", "again"});
  }));
  EXPECT_THAT(Take(store_->Tags(key.id)),
              ElementsAre(Tag{"z", "new"}, Tag{"m", ""}, Tag{"a", "again"}));
}

TEST_F(StoreRowsTest, ReplacesTheCertificatesOfAKey) {
  const Key key = MakeKey(1);
  ASSERT_OK(Insert(key));
  EXPECT_THAT(Take(store_->Certificates(key.id)), testing::IsEmpty());
  const auto set = [&](const std::vector<base::Bytes>& certificates) {
    return Change([&](Transaction& change) {
      return change.SetCertificates(key.id, certificates);
    });
  };
  ASSERT_OK(set({{3, 0}, {1}, {2}}));
  ASSERT_OK(set({{9}, {3, 0}}));
  EXPECT_THAT(Take(store_->Certificates(key.id)),
              ElementsAre(base::Bytes{9}, base::Bytes{3, 0}));
  ASSERT_OK(set({}));
  EXPECT_THAT(Take(store_->Certificates(key.id)), testing::IsEmpty());
  EXPECT_THAT(Change([](Transaction& change) {
                return change.SetCertificates("nobody", {{1}});
              }),
              StatusIs(ErrorCode::kNotFound));
}

TEST_F(StoreRowsTest, ForgetsTheCertificatesOfADeletedKey) {
  const Key key = MakeKey(1);
  ASSERT_OK(Insert(key));
  ASSERT_OK(Change([&](Transaction& change) {
    return change.SetCertificates(key.id, {{1}, {2}});
  }));
  ASSERT_OK(
      Change([&](Transaction& change) { return change.DeleteKey(key.id); }));
  EXPECT_THAT(Take(store_->Certificates(key.id)), testing::IsEmpty());
}

TEST_F(StoreRowsTest, ListsKeysPageByPage) {
  for (std::uint32_t n = 1; n <= 5; ++n) {
    ASSERT_OK(Insert(MakeKey(n)));
  }
  Key elsewhere = MakeKey(6);
  elsewhere.region = "us-east-1";
  ASSERT_OK(Insert(elsewhere));

  const auto list = [&](std::string_view after, int limit) {
    return Take(store_->ListKeys(kAccount, kRegion, after, limit));
  };
  const auto first = list("", 2);
  EXPECT_THAT(first.items, ElementsAre(MakeKey(1).id, MakeKey(2).id));
  EXPECT_TRUE(first.truncated);
  const auto last = list(MakeKey(2).id, 3);
  EXPECT_THAT(last.items,
              ElementsAre(MakeKey(3).id, MakeKey(4).id, MakeKey(5).id));
  EXPECT_FALSE(last.truncated);  // Full, but nothing follows.
  EXPECT_THAT(list(MakeKey(5).id, 10).items, IsEmpty());
  // A marker need not be there any more.
  EXPECT_THAT(list("00000002-", 1).items, ElementsAre(MakeKey(2).id));
  EXPECT_THAT(Take(store_->ListKeys("0", kRegion, "", 10)).items, IsEmpty());
  for (const int limit : {0, -1}) {
    EXPECT_THAT(store_->ListKeys(kAccount, kRegion, "", limit),
                StatusIs(ErrorCode::kInvalidArgument));
  }
}

TEST_F(StoreRowsTest, ListsAliasesOfAllKeysAndOfOne) {
  const Key one = MakeKey(1);
  const Key two = MakeKey(2);
  ASSERT_OK(Insert(one));
  ASSERT_OK(Insert(two));
  for (const auto& [name, key] : std::vector<std::pair<std::string, Key>>{
           {"alias/d", one}, {"alias/a", two}, {"alias/c", one}}) {
    ASSERT_OK(Insert(MakeAlias(name, key)));
  }
  const auto list = [&](std::string_view key_id, std::string_view after,
                        int limit) {
    const auto page =
        Take(store_->ListAliases(kAccount, kRegion, key_id, after, limit));
    std::vector<std::string> names;
    for (const Alias& alias : page.items) {
      names.push_back(alias.name);
    }
    names.push_back(page.truncated ? "more" : "end");
    return names;
  };
  EXPECT_THAT(list("", "", 9),
              ElementsAre("alias/a", "alias/c", "alias/d", "end"));
  EXPECT_THAT(list("", "", 2), ElementsAre("alias/a", "alias/c", "more"));
  EXPECT_THAT(list("", "alias/c", 2), ElementsAre("alias/d", "end"));
  EXPECT_THAT(list(one.id, "", 1), ElementsAre("alias/c", "more"));
  EXPECT_THAT(list(one.id, "alias/c", 1), ElementsAre("alias/d", "end"));
  EXPECT_THAT(store_->ListAliases(kAccount, kRegion, "", "", 0),
              StatusIs(ErrorCode::kInvalidArgument));
}

TEST_F(StoreRowsTest, ListsKeysThatAreDueForDestruction) {
  const auto pending = [](std::uint32_t n, std::int64_t due) {
    Key key = MakeKey(n);
    key.state = KeyState::kPendingDeletion;
    key.deletion_date = At(due);
    return key;
  };
  Key begun = pending(4, 5000);
  begun.destroying = true;
  begun.account = "444455556666";  // Of all accounts.
  for (const Key& key :
       {MakeKey(1), pending(2, 1000), pending(3, 1001), begun}) {
    ASSERT_OK(Insert(key));
  }
  EXPECT_THAT(Take(store_->ListDueDeletions(At(1000))),
              ElementsAre(MakeKey(2).id, MakeKey(4).id));
  EXPECT_THAT(Take(store_->ListDueDeletions(At(999))),
              ElementsAre(MakeKey(4).id));
}

TEST_F(StoreRowsTest, KeepsIntentsUntilTheyAreSettled) {
  Intent intent;
  intent.locator.bytes.fill(7);
  intent.key_store = "default";
  intent.kind = IntentKind::kDestroy;
  intent.epoch = 3;
  intent.key_id = "key";
  ASSERT_OK(
      Change([&](Transaction& change) { return change.InsertIntent(intent); }));
  EXPECT_THAT(
      Change([&](Transaction& change) { return change.InsertIntent(intent); }),
      StatusIs(ErrorCode::kAlreadyExists));
  Reopen();
  const std::vector<Intent> found = Take(store_->ListIntents());
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].locator, intent.locator);
  EXPECT_EQ(found[0].key_store, "default");
  EXPECT_EQ(found[0].kind, IntentKind::kDestroy);
  EXPECT_EQ(found[0].epoch, 3);
  EXPECT_EQ(found[0].key_id, "key");

  const auto settle = [&](Transaction& change) {
    return change.DeleteIntent(intent.locator);
  };
  ASSERT_OK(Change(settle));
  EXPECT_THAT(Take(store_->ListIntents()), IsEmpty());
  EXPECT_THAT(Change(settle), StatusIs(ErrorCode::kNotFound));
}

TEST_F(StoreRowsTest, KeepsServiceKeysAndNeverReplacesOne) {
  ServiceKey key;
  key.purpose = "credentials";
  key.key_store = "default";
  key.ref.locator.bytes.fill(9);
  key.ref.algorithm = hsm::Algorithm::kAes256GcmCounter;
  key.check_value.fill(5);
  const auto insert = [&](Transaction& change) {
    return change.InsertServiceKey(key);
  };
  ASSERT_OK(Change(insert));
  key.ref.locator.bytes.fill(10);
  EXPECT_THAT(Change(insert), StatusIs(ErrorCode::kAlreadyExists));

  const std::vector<ServiceKey> found = Take(store_->ListServiceKeys());
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].purpose, "credentials");
  EXPECT_EQ(found[0].key_store, "default");
  EXPECT_EQ(found[0].ref.locator.bytes[15], 9);
  EXPECT_EQ(found[0].ref.algorithm, hsm::Algorithm::kAes256GcmCounter);
  EXPECT_EQ(found[0].check_value, key.check_value);
}

TEST_F(StoreRowsTest, KeepsAccessKeys) {
  AccessKey key;
  key.id = "AKIAEXAMPLE";
  key.account = kAccount;
  key.user_name = "admin";
  key.user_id = "AIDAEXAMPLE";
  key.active = false;
  key.sealed_secret.nonce.fill(1);
  key.sealed_secret.ciphertext = {0, 1, 2, 255};
  key.created = At(42);
  const auto insert = [&](Transaction& change) {
    return change.identities().InsertAccessKey(key);
  };
  ASSERT_OK(Change(insert));
  EXPECT_THAT(Change(insert), StatusIs(ErrorCode::kAlreadyExists));
  const std::vector<AccessKey> found =
      Take(store_->ReadIdentities()).access_keys;
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].id, key.id);
  EXPECT_EQ(found[0].account, key.account);
  EXPECT_EQ(found[0].user_name, key.user_name);
  EXPECT_EQ(found[0].user_id, key.user_id);
  EXPECT_FALSE(found[0].active);
  EXPECT_EQ(found[0].sealed_secret.nonce, key.sealed_secret.nonce);
  EXPECT_EQ(found[0].sealed_secret.ciphertext, key.sealed_secret.ciphertext);
  EXPECT_EQ(found[0].created, key.created);
}

TEST_F(StoreRowsTest, ListsLocatorsOfMaterialsAndServiceKeys) {
  Key elsewhere = MakeKey(3);
  elsewhere.materials.front().key_store = "other";
  ServiceKey service;
  service.purpose = "credentials";
  service.key_store = "default";
  service.ref.locator.bytes.fill(9);
  ASSERT_OK(Insert(MakeKey(1)));
  ASSERT_OK(Insert(elsewhere));
  ASSERT_OK(Change(
      [&](Transaction& change) { return change.InsertServiceKey(service); }));
  EXPECT_THAT(
      Take(store_->ListLocators("default")),
      testing::UnorderedElementsAre(MakeKey(1).materials.front().ref.locator,
                                    service.ref.locator));
  EXPECT_THAT(Take(store_->ListLocators("nowhere")), IsEmpty());
}

TEST_F(StoreRowsTest, KeepsTheOutboxInTheOrderOfItsEvents) {
  ASSERT_OK(Change([](Transaction& change) -> base::Status {
    RETURN_IF_ERROR(change.AddOutbox({"z", R"({"n":1})"}));
    return change.AddOutbox({"a", R"({"n":2})"});
  }));
  EXPECT_THAT(Change([](Transaction& change) {
                return change.AddOutbox({"a", ""});
              }),
              StatusIs(ErrorCode::kAlreadyExists));
  Reopen();
  const std::vector<OutboxEvent> found = Take(store_->ListOutbox());
  ASSERT_EQ(found.size(), 2);
  EXPECT_EQ(found[0].event_id, "z");
  EXPECT_EQ(found[0].text, R"({"n":1})");
  EXPECT_EQ(found[1].event_id, "a");
}

TEST_F(StoreRowsTest, KeepsTheProgressOfTheClock) {
  EXPECT_FALSE(Take(store_->GetClockProgress()).has_value());
  for (const std::int64_t now : {5, 6}) {
    ASSERT_OK(Change([&](Transaction& change) {
      return change.SetClockProgress({At(now)});
    }));
    EXPECT_EQ(Take(store_->GetClockProgress())->trusted, At(now));
  }
}

TEST_F(StoreRowsTest, HandsEachCounterOutOnce) {
  MaterialId one{};
  MaterialId two{};
  two.fill(2);
  const auto reserve = [&](const MaterialId& material, std::uint64_t count) {
    base::Result<std::uint64_t> first = 0;
    const base::Status status =
        Change([&](Transaction& change) -> base::Status {
          ASSIGN_OR_RETURN(first, change.ReserveCounters(material, count));
          return {};
        });
    if (!status.has_value()) {
      first = status.error();
    }
    return first;
  };
  EXPECT_EQ(Take(reserve(one, 100)), 1);
  EXPECT_EQ(Take(reserve(one, 1)), 101);
  EXPECT_EQ(Take(reserve(two, 5)), 1);
  Reopen();
  EXPECT_EQ(Take(reserve(one, 1)), 102);
  for (const std::uint64_t count : {std::uint64_t{0}, ~std::uint64_t{0}}) {
    EXPECT_THAT(reserve(one, count), StatusIs(ErrorCode::kInvalidArgument));
  }
  EXPECT_EQ(Take(reserve(one, 1)), 103);
}

}  // namespace
}  // namespace kms::store
