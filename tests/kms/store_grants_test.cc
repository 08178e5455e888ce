// SPDX-License-Identifier: Apache-2.0
// The rows of grants, and the way of a store of schema 1 to them.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <vector>

#include "kms/store/connection.h"
#include "kms/store/migrations.h"
#include "tests/kms/store_testing.h"

namespace kms::store {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;
using testlib::StatusIs;
using testlib::Take;

Grant MakeGrant(std::uint32_t n, const Key& key) {
  Grant grant;
  grant.id = fmt::format("{:064x}", n);
  grant.key_row_id = key.id;
  grant.account = key.account;
  grant.region = key.region;
  grant.grantee_principal = "arn:aws:iam::111122223333:user/u";
  grant.issuing_account = kAccount;
  grant.creating_principal = "arn:aws:iam::111122223333:user/admin";
  grant.operations.Add(GrantOperation::kDecrypt);
  grant.created = At(n);
  return grant;
}

std::string Text(const Grant& grant) {
  const auto pairs = [](const std::optional<ContextPairs>& context) {
    return context ? ContextPairsText(*context) : "absent";
  };
  return fmt::format(
      "{} {} {} {} '{}' '{}' '{}' '{}' '{}' {} {} {} {} {} '{}' {}", grant.id,
      grant.key_row_id, grant.account, grant.region, grant.name,
      grant.grantee_principal, grant.grantee_service, grant.retiring_principal,
      grant.retiring_service, grant.issuing_account, grant.creating_principal,
      GrantOperationsText(grant.operations),
      pairs(grant.constraints.context_equals),
      pairs(grant.constraints.context_subset), grant.constraints.source_arn,
      grant.created.time_since_epoch().count());
}

class StoreGrantsTest : public StoreTest {
 protected:
  void SetUp() override {
    Open();
    testlib::Take(Insert(key_));
  }
  base::Status Insert(const Key& key) { return StoreTest::Insert(key); }
  base::Status Insert(const Grant& grant) {
    return store_->WriteNow(
        [&](Transaction& change) { return change.InsertGrant(grant); });
  }
  std::vector<std::string> List(GrantQuery query) {
    if (query.limit == 0) {
      query.limit = 100;
    }
    std::vector<std::string> ids;
    for (const Grant& grant : Take(store_->ListGrants(query)).items) {
      ids.push_back(grant.id);
    }
    return ids;
  }

  const Key key_ = MakeKey(1);
};

TEST_F(StoreGrantsTest, KeepsEveryField) {
  Grant full = MakeGrant(1, key_);
  full.name = "n";
  full.retiring_principal = "arn:aws:iam::444455556666:root";
  full.operations.Add(GrantOperation::kDecapsulate);
  full.constraints.context_equals = ContextPairs{{"a\"", "ü"}, {"", ""}};
  full.constraints.source_arn = "arn:aws:s3:::b";
  Grant other = MakeGrant(2, key_);
  other.grantee_principal = "";
  other.grantee_service = "a.b.c";
  other.retiring_service = "d.e.f";
  other.constraints.context_subset.emplace();
  for (const Grant& grant : {full, other}) {
    ASSERT_OK(Insert(grant));
    EXPECT_EQ(Text(*Take(store_->FindGrant(grant.id))), Text(grant));
  }
  Reopen();
  EXPECT_EQ(Text(*Take(store_->FindGrant(full.id))), Text(full));
  EXPECT_THAT(Insert(full), StatusIs(ErrorCode::kAlreadyExists));
  EXPECT_THAT(store_->FindGrant(std::string(64, 'f')),
              StatusIs(ErrorCode::kNotFound));
}

TEST_F(StoreGrantsTest, ListsByWhatIsAskedInPages) {
  const Key elsewhere = [] {
    Key key = MakeKey(2);
    key.region = "us-east-1";
    return key;
  }();
  ASSERT_OK(Insert(elsewhere));
  std::vector<Grant> grants;
  for (std::uint32_t n = 0; n < 6; ++n) {
    grants.push_back(MakeGrant(n, n < 4 ? key_ : elsewhere));
    Grant& grant = grants.back();
    if (n % 2 == 1) {
      grant.grantee_principal = "";
      grant.grantee_service = "a.b.c";
    }
    grant.retiring_principal = n == 0 ? "" : "r";
    grant.issuing_account = n == 5 ? "444455556666" : kAccount;
    ASSERT_OK(Insert(grant));
  }
  const auto ids = [&](std::initializer_list<std::size_t> which) {
    std::vector<std::string> out;
    for (const std::size_t i : which) {
      out.push_back(grants.at(i).id);
    }
    return out;
  };
  EXPECT_EQ(List({.key_row_id = key_.id}), ids({0, 1, 2, 3}));
  EXPECT_EQ(List({.key_row_id = key_.id, .after = grants[1].id}), ids({2, 3}));
  EXPECT_EQ(List({.key_row_id = key_.id,
                  .grantee_principal = grants[0].grantee_principal}),
            ids({0, 2}));
  EXPECT_EQ(List({.key_row_id = key_.id, .grantee_service = "a.b.c"}),
            ids({1, 3}));
  EXPECT_EQ(List({.grant_id = grants[2].id, .key_row_id = key_.id}), ids({2}));
  EXPECT_EQ(List({.grant_id = grants[4].id, .key_row_id = key_.id}), ids({}));
  EXPECT_EQ(List({.region = key_.region, .retiring_principal = "r"}),
            ids({1, 2, 3}));
  EXPECT_EQ(List({.region = "us-east-1",
                  .retiring_principal = "r",
                  .issuing_account = kAccount}),
            ids({4}));
  EXPECT_EQ(List({.retiring_service = "none"}), ids({}));

  const auto page =
      Take(store_->ListGrants({.key_row_id = key_.id, .limit = 4}));
  EXPECT_FALSE(page.truncated);
  EXPECT_TRUE(
      Take(store_->ListGrants({.key_row_id = key_.id, .limit = 3})).truncated);
  EXPECT_THAT(store_->ListGrants({.key_row_id = key_.id}),
              StatusIs(ErrorCode::kInvalidArgument));
}

TEST_F(StoreGrantsTest, FindsTheSameByNameAndParameters) {
  Grant grant = MakeGrant(1, key_);
  grant.name = "n";
  ASSERT_OK(Insert(grant));
  const auto same = [this](const Grant& like) {
    std::optional<std::string> found;
    testlib::Take(store_->WriteNow([&](Transaction& change) -> base::Status {
      ASSIGN_OR_RETURN(found, change.FindSameGrant(like));
      return {};
    }));
    return found;
  };
  Grant like = grant;
  like.id = "";
  like.created = At(99);
  EXPECT_THAT(same(like), Optional(grant.id));
  like.name = "m";
  EXPECT_EQ(same(like), std::nullopt);
  like = grant;
  like.operations.Add(GrantOperation::kEncrypt);
  EXPECT_EQ(same(like), std::nullopt);
  like = grant;
  like.key_row_id = "other";
  EXPECT_EQ(same(like), std::nullopt);
}

TEST_F(StoreGrantsTest, CountsAndDeletes) {
  ASSERT_OK(Insert(MakeGrant(1, key_)));
  ASSERT_OK(Insert(MakeGrant(2, key_)));
  const auto remove = [](Transaction& change) -> base::Status {
    EXPECT_EQ(Take(change.CountGrants(MakeKey(1).id)), 2);
    EXPECT_EQ(Take(change.CountGrants("other")), 0);
    const std::string id = MakeGrant(1, MakeKey(1)).id;
    EXPECT_EQ(Take(change.GetGrant(id)).id, id);
    RETURN_IF_ERROR(change.DeleteGrant(id));
    EXPECT_THAT(change.GetGrant(id), StatusIs(ErrorCode::kNotFound));
    return {};
  };
  ASSERT_OK(store_->WriteNow(remove));
  EXPECT_THAT(store_->WriteNow([](Transaction& change) {
    return change.DeleteGrant(MakeGrant(1, MakeKey(1)).id);
  }),
              StatusIs(ErrorCode::kNotFound));
  EXPECT_EQ(List({.key_row_id = key_.id}).size(), 1);
}

TEST_F(StoreGrantsTest, AKeyTakesItsGrantsAlong) {
  const Key other = MakeKey(2);
  ASSERT_OK(Insert(other));
  ASSERT_OK(Insert(MakeGrant(1, key_)));
  ASSERT_OK(Insert(MakeGrant(2, other)));
  Key destroying = other;
  destroying.destroying = true;
  ASSERT_OK(store_->WriteNow([&](Transaction& change) -> base::Status {
    RETURN_IF_ERROR(change.UpdateKey(destroying));
    return change.DeleteKey(key_.id);
  }));
  EXPECT_THAT(List({}), IsEmpty());  // One is gone, one can be seen no more.
  EXPECT_THAT(store_->FindGrant(MakeGrant(2, other).id),
              StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(Insert(MakeGrant(3, key_)),
              testing::Not(testlib::IsOk()));  // No grant without its key.
}

TEST_F(StoreGrantsTest, RefusesARowThatItDidNotWrite) {
  for (const char* const change :
       {"operations = ''", "operations = 'Encrypt,Decrypt'",
        "operations = 'Other'", "context_equals = '[]'",
        "context_subset = '{\"a\":1}'", "created = 'x'"}) {
    ASSERT_OK(Insert(MakeGrant(1, key_)));
    Close();
    {
      const auto connection = Take(Connection::Open({.path = Options().path}));
      Take(connection->Script(fmt::format("UPDATE grants SET {}", change)));
    }
    Open();
    EXPECT_THAT(store_->FindGrant(MakeGrant(1, key_).id),
                StatusIs(ErrorCode::kCorrupt))
        << change;
    ASSERT_OK(store_->WriteNow([&](Transaction& transaction) {
      return transaction.DeleteGrant(MakeGrant(1, key_).id);
    }));
  }
}

// What a release of schema 1 has written.
class OlderStoreTest : public StoreTest {
 protected:
  void SetUp() override {
    {
      const auto connection = Take(Connection::Open({.path = Options().path}));
      Take(Migrate(*connection, Migrations().first(1), clock_));
      Take(
          connection->Script("INSERT INTO store_info VALUES (1, "
                             "'1234abcd-12ab-34cd-56ef-1234567890ab', 3, 7)"));
      Take(connection->Script(
          "INSERT INTO service_keys VALUES ('credentials', 'default', "
          "x'00112233445566778899aabbccddeeff', 1, zeroblob(32))"));
    }
    Open();
  }
};

TEST_F(OlderStoreTest, GetsGrantsAndKeepsWhatItHas) {
  EXPECT_EQ(store_->info().id, "1234abcd-12ab-34cd-56ef-1234567890ab");
  EXPECT_EQ(store_->info().epoch, 4);
  EXPECT_EQ(Take(store_->ListServiceKeys()).size(), 1);
  const Key key = MakeKey(1);
  ASSERT_OK(Insert(key));
  ASSERT_OK(store_->WriteNow([&](Transaction& change) {
    return change.InsertGrant(MakeGrant(1, key));
  }));
  EXPECT_OK(store_->FindGrant(MakeGrant(1, key).id));
}

TEST_F(OlderStoreTest, IsDueAServiceKeyOnce) {
  EXPECT_THAT(Take(store_->ListServiceKeysDue()),
              ElementsAre("grant-token", "import-token", "session-token",
                          "xks-credentials"));
  Reopen();
  EXPECT_THAT(Take(store_->ListServiceKeysDue()),
              ElementsAre("grant-token", "import-token", "session-token",
                          "xks-credentials"));
  ServiceKey key;
  key.purpose = "grant-token";
  key.key_store = "default";
  ASSERT_OK(store_->WriteNow(
      [&](Transaction& change) { return change.InsertServiceKey(key); }));
  EXPECT_THAT(Take(store_->ListServiceKeysDue()),
              ElementsAre("import-token", "session-token", "xks-credentials"));
  Close();
  {
    const auto connection = Take(Connection::Open({.path = Options().path}));
    Take(
        connection->Script("DELETE FROM service_keys WHERE purpose = "
                           "'grant-token'"));
  }
  Open();
  EXPECT_THAT(Take(store_->ListServiceKeysDue()),
              ElementsAre("import-token", "session-token", "xks-credentials"));
}

}  // namespace
}  // namespace kms::store
