// SPDX-License-Identifier: Apache-2.0
// Imported key material where new keys are wrapped: the store has it, and when
// it goes it is gone from there.
#include <chrono>

#include "kms/store/connection.h"
#include "tests/kms/operations_import_testing.h"

namespace kms::operations {
namespace {

using std::chrono::hours;
using testing::IsEmpty;

class ImportWrappedTest : public ImportTest {
 protected:
  ImportWrappedTest() {
    testlib::Take(Run(
        EnsureWrappingKey(environment(), key_store(), Placement::kWrapped)));
  }

  const KeyMaterial& Current(const std::string& key) {
    stored_ = Stored(key);
    return stored_->CurrentMaterial();
  }
  // Whether a row has what the token made of it.
  std::int64_t CountWrapped() {
    auto connection = testlib::Take(store::Connection::Open(
        {.path = (folder_.path() / "claviger.db").string()}));
    const auto rows = testlib::Take(connection->Query(
        "SELECT COUNT(*) FROM key_materials WHERE wrapped IS NOT NULL"));
    return std::get<std::int64_t>(rows.at(0).at(0));
  }

  const base::Bytes material_ = base::Bytes(32, 7);
  KeyPtr stored_;
};

TEST_F(ImportWrappedTest, TheMaterialIsNoObjectOfTheToken) {
  const std::string key = NewExternal();
  const std::string id = Import(key, material_);
  EXPECT_NE(Current(key).ref.wrapped, nullptr);
  EXPECT_FALSE(OnToken(Current(key).ref.locator));
  ExpectOpens(Encrypted(key, "text"), "text");
  ExpectNoIntents();
  // The id says what the bytes are, wherever they are.
  testlib::Take(Ask("DeleteImportedKeyMaterial", {{"KeyId", key}}));
  EXPECT_EQ(Import(key, material_), id);
}

TEST_F(ImportWrappedTest, WhatIsDeletedIsGoneFromTheStore) {
  const std::string key = NewExternal();
  Import(key, material_);
  const std::string blob = Encrypted(key, "text");
  const KeyMaterial before = Current(key);
  EXPECT_EQ(CountWrapped(), 1);
  ASSERT_OK(Ask("DeleteImportedKeyMaterial", {{"KeyId", key}}));
  EXPECT_EQ(CountWrapped(), 0);
  hsm::EncryptRequest late;  // One that was on its way.
  late.key = before.ref;
  EXPECT_FALSE(Run(hsm().Call(std::move(late))));
  EXPECT_EQ(State(key), "PendingImport");
  ExpectNoIntents();
  Import(key, material_);
  ExpectOpens(blob, "text");
}

TEST_F(ImportWrappedTest, WhatExpiresIsGoneFromTheStore) {
  const std::string key = NewExternal();
  Import(key, material_, ExpiringIn(hours(1)));
  clock_.Advance(hours(2));
  guard().Accept();
  ASSERT_OK(Run(ExpireMaterials(environment())));
  EXPECT_EQ(CountWrapped(), 0);
  EXPECT_EQ(State(key), "PendingImport");
  ExpectNoIntents();
}

// A second import of the same, and one that the store refuses, leave nothing.
TEST_F(ImportWrappedTest, WhatIsNotKeptLeavesNothing) {
  const std::string key = NewExternal();
  Import(key, material_);
  Import(key, material_, {{"ImportType", "EXISTING_KEY_MATERIAL"}});
  EXPECT_FALSE(TryImport(key, base::Bytes(32, 8)));
  EXPECT_EQ(CountWrapped(), 1);
  ExpectNoIntents();
  ExpectOpens(Encrypted(key, "text"), "text");
}

}  // namespace
}  // namespace kms::operations
