// SPDX-License-Identifier: Apache-2.0
// The rows of external keys and of what signs for them.
#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/kms/store_testing.h"

namespace kms::store {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::IsEmpty;
using testlib::StatusIs;
using testlib::Take;

ExternalKeyVersion MakeVersion(std::uint32_t number, std::uint8_t n) {
  ExternalKeyVersion version;
  version.version = number;
  version.ref.locator.bytes.fill(n);
  version.ref.algorithm = hsm::Algorithm::kXaes256Gcm;
  version.check_value.fill(n);
  version.key_store = "softhsm";
  version.created = At(n);
  return version;
}

ExternalKey MakeExternalKey(std::string tenant, std::string id,
                            std::uint8_t n) {
  ExternalKey key;
  key.tenant = std::move(tenant);
  key.id = std::move(id);
  key.created = At(100 + n);
  key.versions = {MakeVersion(1, n)};
  return key;
}

XksCredential MakeCredential(std::string id, std::string tenant,
                             std::uint8_t n) {
  XksCredential credential;
  credential.access_key_id = std::move(id);
  credential.tenant = std::move(tenant);
  credential.sealed_secret.nonce.fill(n);
  credential.sealed_secret.ciphertext = {n, 0, 0xFF};
  credential.created = At(n);
  return credential;
}

// Every field, for comparing.
auto Fields(const ExternalKeyVersion& version) {
  return std::tuple(version.version, version.ref.locator, version.ref.algorithm,
                    version.check_value, version.key_store, version.created);
}
auto Fields(const ExternalKey& key) {
  std::vector<decltype(Fields(key.versions[0]))> versions;
  for (const ExternalKeyVersion& version : key.versions) {
    versions.push_back(Fields(version));
  }
  return std::tuple(key.tenant, key.id, key.enabled, key.created, versions);
}
auto Fields(const XksCredential& credential) {
  return std::tuple(credential.access_key_id, credential.tenant,
                    credential.sealed_secret.nonce,
                    credential.sealed_secret.ciphertext, credential.created);
}

class StoreExternalKeysTest : public StoreTest {
 protected:
  void SetUp() override { Open(); }

  base::Status Change(const std::function<base::Status(ExternalKeys&)>& edit) {
    return store_->WriteNow(
        [&edit](Transaction& change) { return edit(change.external_keys()); });
  }
  base::Status InsertKey(const ExternalKey& key) {
    return Change(
        [&](ExternalKeys& rows) { return rows.InsertExternalKey(key); });
  }
  base::Status AddVersion(const ExternalKey& key,
                          const ExternalKeyVersion& version) {
    return Change([&](ExternalKeys& rows) {
      return rows.AddVersion(key.tenant, key.id, version);
    });
  }
  base::Result<std::uint64_t> Reserve(std::uint8_t n, std::uint64_t count) {
    base::Result<std::uint64_t> before = std::uint64_t{0};
    hsm::Locator locator;
    locator.bytes.fill(n);
    RETURN_IF_ERROR(Change([&](ExternalKeys& rows) -> base::Status {
      before = rows.ReserveUses(locator, count);
      return before ? base::Status() : base::Error(before.error());
    }));
    return before;
  }
};

TEST_F(StoreExternalKeysTest, KeepsEveryField) {
  ExternalKey key = MakeExternalKey("b", "key", 1);
  key.enabled = false;
  const ExternalKey same_id = MakeExternalKey("a", "key", 2);
  const ExternalKey other = MakeExternalKey("b", "another", 3);
  for (const ExternalKey* each :
       std::initializer_list<const ExternalKey*>{&key, &same_id, &other}) {
    ASSERT_OK(InsertKey(*each));
  }
  key.versions.push_back(MakeVersion(2, 4));
  key.versions.back().ref.algorithm = hsm::Algorithm::kAes256GcmCounter;
  ASSERT_OK(AddVersion(key, key.versions.back()));
  Reopen();
  const ExternalKeyRows rows = Take(store_->ReadExternalKeys());
  EXPECT_EQ(rows.revision, store_->info().revision);
  ASSERT_EQ(rows.keys.size(), 3U);  // By tenant and id.
  EXPECT_EQ(Fields(rows.keys[0]), Fields(same_id));
  EXPECT_EQ(Fields(rows.keys[1]), Fields(other));
  EXPECT_EQ(Fields(rows.keys[2]), Fields(key));
  // Their objects are known to belong to this store.
  EXPECT_EQ(Take(store_->ListLocators("softhsm")).size(), 4U);
  EXPECT_THAT(Take(store_->ListLocators("another")), IsEmpty());
}

TEST_F(StoreExternalKeysTest, KeysAreDisabledAndEnabled) {
  const ExternalKey key = MakeExternalKey("a", "key", 1);
  ASSERT_OK(InsertKey(key));
  for (const bool enabled : {false, true}) {
    ASSERT_OK(Change([&](ExternalKeys& rows) {
      return rows.SetExternalKeyEnabled("a", "key", enabled);
    }));
    EXPECT_EQ(Take(store_->ReadExternalKeys()).keys[0].enabled, enabled);
  }
  EXPECT_THAT(Change([&](ExternalKeys& rows) {
                return rows.SetExternalKeyEnabled("b", "key", true);
              }),
              StatusIs(ErrorCode::kNotFound));
}

TEST_F(StoreExternalKeysTest, VersionsHaveNoGapsAndNoDoubles) {
  ExternalKey key = MakeExternalKey("a", "key", 1);
  key.versions[0].version = 2;
  EXPECT_THAT(InsertKey(key), StatusIs(ErrorCode::kInvalidArgument));
  key.versions.clear();
  EXPECT_THAT(InsertKey(key), StatusIs(ErrorCode::kInvalidArgument));
  key.versions = {MakeVersion(1, 1)};
  ASSERT_OK(InsertKey(key));
  EXPECT_THAT(InsertKey(key), StatusIs(ErrorCode::kAlreadyExists));
  EXPECT_THAT(InsertKey(MakeExternalKey("a", "same locator", 1)),
              StatusIs(ErrorCode::kAlreadyExists));
  for (const std::uint32_t number : {0U, 1U}) {
    EXPECT_THAT(AddVersion(key, MakeVersion(number, 9)),
                StatusIs(ErrorCode::kConflict));
  }
  EXPECT_THAT(AddVersion(key, MakeVersion(3, 9)),
              StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(AddVersion(MakeExternalKey("a", "none", 1), MakeVersion(2, 9)),
              StatusIs(ErrorCode::kNotFound));
  EXPECT_OK(AddVersion(key, MakeVersion(2, 9)));
}

TEST_F(StoreExternalKeysTest, KeepsCredentialsOfTheirTenants) {
  const XksCredential old = MakeCredential("Z", "a", 1);
  const XksCredential young = MakeCredential("A", "a", 2);
  const XksCredential others = MakeCredential("B", "b", 3);
  for (const XksCredential* each : {&young, &others, &old}) {
    ASSERT_OK(Change(
        [&](ExternalKeys& rows) { return rows.InsertXksCredential(*each); }));
  }
  EXPECT_THAT(Change([&](ExternalKeys& rows) {
                return rows.InsertXksCredential(MakeCredential("A", "b", 4));
              }),
              StatusIs(ErrorCode::kAlreadyExists));
  Reopen();
  const auto all = Take(store_->ReadExternalKeys()).credentials;
  ASSERT_EQ(all.size(), 3U);  // The oldest first.
  EXPECT_EQ(Fields(all[0]), Fields(old));
  EXPECT_EQ(Fields(all[1]), Fields(young));
  EXPECT_EQ(Fields(all[2]), Fields(others));
  const auto remove = [](ExternalKeys& rows) {
    return rows.DeleteXksCredential("Z");
  };
  ASSERT_OK(Change(remove));
  EXPECT_THAT(Change(remove), StatusIs(ErrorCode::kNotFound));
  std::vector<std::string> left;
  ASSERT_OK(Change([&](ExternalKeys& rows) -> base::Status {
    for (const auto& credential : Take(rows.GetXksCredentials("a"))) {
      left.push_back(credential.access_key_id);
    }
    return {};
  }));
  EXPECT_THAT(left, ElementsAre("A"));
}

TEST_F(StoreExternalKeysTest, ReservedUsesAreHandedOutOnce) {
  ASSERT_OK(InsertKey(MakeExternalKey("a", "key", 1)));
  ASSERT_OK(InsertKey(MakeExternalKey("a", "other", 2)));
  EXPECT_EQ(Take(Reserve(1, 65536)), 0U);
  EXPECT_EQ(Take(Reserve(1, 1)), 65536U);
  EXPECT_EQ(Take(Reserve(2, 1)), 0U);
  Reopen();
  EXPECT_EQ(Take(Reserve(1, 1)), 65537U);
  EXPECT_THAT(Reserve(3, 1), StatusIs(ErrorCode::kNotFound));
  for (const std::uint64_t count :
       {std::uint64_t{0}, (std::uint64_t{1} << 32) + 1}) {
    EXPECT_THAT(Reserve(1, count), StatusIs(ErrorCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace kms::store
