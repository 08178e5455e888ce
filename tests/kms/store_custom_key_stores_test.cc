// SPDX-License-Identifier: Apache-2.0
// The rows of custom key stores.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "kms/store/connection.h"
#include "kms/store/migrations.h"
#include "tests/kms/store_testing.h"

namespace kms::store {
namespace {

using base::ErrorCode;
using testing::IsEmpty;
using testlib::StatusIs;
using testlib::Take;

CustomKeyStore MakeStore(std::uint8_t n) {
  CustomKeyStore store;
  store.id = "cks-1234567890abcdef" + std::to_string(n);
  store.account = kAccount;
  store.region = kRegion;
  store.name = "store " + std::to_string(n);
  store.type = CustomKeyStoreType::kExternalKeyStore;
  store.created = At(1000 + n);
  store.proxy.uri_endpoint = "https://xks.example.com";
  store.proxy.uri_path = "/p" + std::to_string(n) + "/kms/xks/v1";
  store.proxy.access_key_id = "ABCDEFGHIJKLMNOPQRST";
  store.proxy.sealed_secret.nonce.fill(n);
  store.proxy.sealed_secret.ciphertext = {n, 0, 0xFF};
  store.proxy.credential_set = At(2000 + n);
  return store;
}

// Every field, for comparing.
auto Fields(const CustomKeyStore& store) {
  const XksProxyConfiguration& proxy = store.proxy;
  return std::tuple(
      store.id, store.account, store.region, store.name, store.type,
      store.created, store.state, store.connection_error_code,
      store.cloud_hsm_cluster_id, store.trust_anchor_certificate,
      proxy.connectivity, proxy.uri_endpoint, proxy.uri_path,
      proxy.vpc_endpoint_service_name, proxy.vpc_endpoint_service_owner,
      proxy.access_key_id, proxy.sealed_secret.nonce,
      proxy.sealed_secret.ciphertext, proxy.credential_set, store.key_store);
}

class StoreCustomKeyStoresTest : public StoreTest {
 protected:
  void SetUp() override { Open(); }

  base::Status Change(
      const std::function<base::Status(CustomKeyStores&)>& edit) {
    return store_->WriteNow([&edit](Transaction& change) {
      return edit(change.custom_key_stores());
    });
  }
  base::Status InsertStore(const CustomKeyStore& store) {
    return Change([&](CustomKeyStores& rows) {
      return rows.InsertCustomKeyStore(store);
    });
  }
  base::Result<CustomKeyStore> Get(std::string_view id) {
    base::Result<CustomKeyStore> found = CustomKeyStore();
    Take(Change([&](CustomKeyStores& rows) -> base::Status {
      found = rows.GetCustomKeyStore(id);
      return {};
    }));
    return found;
  }
};

TEST_F(StoreCustomKeyStoresTest, KeepsEveryField) {
  const CustomKeyStore external = MakeStore(1);
  CustomKeyStore cluster = MakeStore(2);
  cluster.type = CustomKeyStoreType::kAwsCloudHsm;
  cluster.proxy = {};
  cluster.cloud_hsm_cluster_id = "second";
  cluster.key_store = "vault";
  cluster.trust_anchor_certificate = "-----BEGIN CERTIFICATE-----\n";
  CustomKeyStore service = MakeStore(3);
  service.proxy.connectivity = XksConnectivity::kVpcEndpointService;
  service.proxy.vpc_endpoint_service_name = "com.amazonaws.vpce.x";
  service.proxy.vpc_endpoint_service_owner = kAccount;
  service.state = ConnectionState::kFailed;
  service.connection_error_code = "XKS_PROXY_TIMED_OUT";
  for (const CustomKeyStore* store :
       std::initializer_list<const CustomKeyStore*>{&service, &external,
                                                    &cluster}) {
    ASSERT_OK(InsertStore(*store));
  }
  Reopen();
  const CustomKeyStoreRows rows = Take(store_->ReadCustomKeyStores());
  EXPECT_EQ(rows.revision, store_->info().revision);
  ASSERT_EQ(rows.stores.size(), 3U);  // By id.
  EXPECT_EQ(Fields(rows.stores[0]), Fields(external));
  EXPECT_EQ(Fields(rows.stores[1]), Fields(cluster));
  EXPECT_EQ(Fields(rows.stores[2]), Fields(service));
  EXPECT_EQ(Fields(Take(Get(cluster.id))), Fields(cluster));
}

TEST_F(StoreCustomKeyStoresTest, UpdatesAllButWhatAStoreIs) {
  const CustomKeyStore before = MakeStore(1);
  ASSERT_OK(InsertStore(before));
  CustomKeyStore next = MakeStore(2);
  next.id = before.id;
  next.account = "444455556666";
  next.region = "eu-west-1";
  next.state = ConnectionState::kConnected;
  next.key_store = "vault";
  ASSERT_OK(Change(
      [&](CustomKeyStores& rows) { return rows.UpdateCustomKeyStore(next); }));
  next.account = before.account;
  next.region = before.region;
  next.created = before.created;
  EXPECT_EQ(Fields(Take(Get(before.id))), Fields(next));
}

TEST_F(StoreCustomKeyStoresTest, TellsWhatIsNotThereOrIsAlready) {
  const CustomKeyStore store = MakeStore(1);
  const auto update = [&](CustomKeyStores& rows) {
    return rows.UpdateCustomKeyStore(store);
  };
  const auto remove = [&](CustomKeyStores& rows) {
    return rows.DeleteCustomKeyStore(store.id);
  };
  EXPECT_THAT(Change(update), StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(Change(remove), StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(Get(store.id), StatusIs(ErrorCode::kNotFound));
  ASSERT_OK(InsertStore(store));
  EXPECT_THAT(InsertStore(store), StatusIs(ErrorCode::kAlreadyExists));
  CustomKeyStore same_name = MakeStore(2);
  same_name.name = store.name;
  EXPECT_THAT(InsertStore(same_name), StatusIs(ErrorCode::kAlreadyExists));
  same_name.region = "eu-west-1";
  EXPECT_OK(InsertStore(same_name));
  ASSERT_OK(Change(remove));
  EXPECT_EQ(Take(store_->ReadCustomKeyStores()).stores.size(), 1U);
}

TEST_F(StoreCustomKeyStoresTest, RefusesAStateWithoutItsReason) {
  CustomKeyStore failed = MakeStore(1);
  failed.state = ConnectionState::kFailed;
  ASSERT_OK(InsertStore(failed));
  EXPECT_THAT(Get(failed.id), StatusIs(ErrorCode::kCorrupt));
}

TEST_F(StoreCustomKeyStoresTest, CountsTheKeysOfAStore) {
  const CustomKeyStore store = MakeStore(1);
  ASSERT_OK(InsertStore(store));
  for (const std::uint32_t n : {1U, 2U}) {
    Key key = MakeKey(n);
    key.origin = Origin::kExternalKeyStore;
    key.custom_key_store = store.id;
    key.xks_key_id = "key-" + std::to_string(n);
    ASSERT_OK(Insert(key));
  }
  ASSERT_OK(Insert(MakeKey(3)));
  Reopen();
  const KeyPtr key = Take(store_->FindKey(MakeKey(2).id));
  EXPECT_EQ(key->custom_key_store, store.id);
  EXPECT_EQ(key->xks_key_id, "key-2");
  const auto count = [this](std::string_view id, std::string_view xks_key_id) {
    std::uint64_t keys = 0;
    Take(Change([&](CustomKeyStores& rows) -> base::Status {
      keys = Take(rows.CountKeys(id, xks_key_id));
      return {};
    }));
    return keys;
  };
  EXPECT_EQ(count(store.id, ""), 2U);
  EXPECT_EQ(count(store.id, "key-2"), 1U);
  EXPECT_EQ(count(store.id, "key-3"), 0U);
  EXPECT_EQ(count("cks-none", ""), 0U);
}

TEST_F(StoreCustomKeyStoresTest, KeepsHowManyPasswordsWereWrong) {
  const auto set = [this](std::string_view cluster, std::uint64_t in_a_row) {
    ASSERT_OK(Change([&](CustomKeyStores& rows) {
      return rows.SetWrongPasswords(cluster, in_a_row);
    }));
  };
  set("cluster-1", 1);
  set("cluster-2", 7);
  set("cluster-1", 2);
  set("cluster-3", 0);
  Reopen();
  EXPECT_EQ(Take(store_->ReadCustomKeyStores()).wrong_passwords,
            (WrongPasswords{{"cluster-1", 2}, {"cluster-2", 7}}));
  set("cluster-1", 0);
  Take(Change([](CustomKeyStores& rows) -> base::Status {
    EXPECT_EQ(Take(rows.GetWrongPasswords()),
              (WrongPasswords{{"cluster-2", 7}}));
    return {};
  }));
}

TEST_F(StoreCustomKeyStoresTest, RefusesAnExternalKeyWithoutItsId) {
  Key key = MakeKey(1);
  key.origin = Origin::kExternalKeyStore;
  key.custom_key_store = "cks-1";
  ASSERT_OK(Insert(key));
  EXPECT_THAT(store_->FindKey(key.id), StatusIs(ErrorCode::kCorrupt));
}

// A store from before its custom key stores knew their key stores.
class OldCustomKeyStoresTest : public StoreTest {
 protected:
  OldCustomKeyStoresTest()
      : old_(Take(Connection::Open({.path = Options().path}))) {
    Take(Migrate(*old_, Migrations().first(17), clock_));
  }

  // With a key in each of `key_stores`.
  void InsertOld(std::string_view id, std::string_view type,
                 std::initializer_list<std::string_view> key_stores) {
    Take(old_->Script(fmt::format(
        "INSERT INTO custom_key_stores VALUES ('{0}', '1', 'r', '{0}', '{1}', "
        "1, 'CONNECTED', '', '', '', 'PUBLIC_ENDPOINT', '{2}', '', '', '', '', "
        "zeroblob(24), X'', 1);",
        id, type, type == "AWS_CLOUDHSM" ? "" : "https://xks.example.com")));
    for (const std::string_view key_store : key_stores) {
      Take(old_->Script(fmt::format(
          "INSERT INTO keys (id, key_id, account, region, description, "
          "key_spec, key_usage, origin, state, created, destroying, policy, "
          "custom_key_store, key_store) VALUES ('{0}', '{0}', '1', 'r', '', "
          "'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', 'AWS_CLOUDHSM', 'Enabled', "
          "1, 0, '', '{1}', '{2}');",
          ++keys_, id, key_store)));
    }
  }

  // Once it is of today.
  std::string KeyStoreOf(std::string_view id) {
    old_.reset();
    if (store_ == nullptr) {
      Open();
    }
    for (const CustomKeyStore& row :
         Take(store_->ReadCustomKeyStores()).stores) {
      if (row.id == id) {
        return row.key_store;
      }
    }
    return "no such store";
  }

  std::unique_ptr<Connection> old_;
  int keys_ = 0;
};

TEST_F(OldCustomKeyStoresTest, GetTheKeyStoreThatHasAllTheirKeys) {
  InsertOld("cks-1", "AWS_CLOUDHSM", {"vault"});
  InsertOld("cks-2", "AWS_CLOUDHSM", {"attic", "attic"});
  InsertOld("cks-3", "AWS_CLOUDHSM", {});
  InsertOld("cks-4", "EXTERNAL_KEY_STORE", {"vault"});
  EXPECT_EQ(KeyStoreOf("cks-1"), "vault");
  EXPECT_EQ(KeyStoreOf("cks-2"), "attic");
  EXPECT_EQ(KeyStoreOf("cks-3"), "");
  EXPECT_EQ(KeyStoreOf("cks-4"), "");
}

// A wrong guess would make all of them unavailable.
TEST_F(OldCustomKeyStoresTest, GetNoneIfTheirKeysAreInTwo) {
  InsertOld("cks-1", "AWS_CLOUDHSM", {"attic", "vault", "vault"});
  InsertOld("cks-2", "AWS_CLOUDHSM", {"vault", "attic"});
  EXPECT_EQ(KeyStoreOf("cks-1"), "");
  EXPECT_EQ(KeyStoreOf("cks-2"), "");
}

}  // namespace
}  // namespace kms::store
