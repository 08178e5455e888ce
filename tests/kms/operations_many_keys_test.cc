// SPDX-License-Identifier: Apache-2.0
// A store of many keys, written without the token: listing them, and finding
// one. How long that takes is measured by tests/bench.
#include <set>

#include "base/random.h"
#include "kms/operations/policies.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using nlohmann::json;
using testlib::Take;

constexpr int kKeys = 5000;
constexpr int kOtherRegion = 50;

class ManyKeysTest : public OperationsTest {
 protected:
  // A row like that of `made`, under another id.
  static Key Another(const Key& made) {
    Key key = made;
    key.id = key.row_id = base::NewUuidText();
    key.materials.front().ref.locator.bytes = base::NewUuid().bytes;
    const base::Uuid low = base::NewUuid();
    std::ranges::copy(low.bytes, key.materials.front().id.begin());
    return key;
  }
  // Many of them, in one transaction.
  std::set<std::string> Insert(const Key& made, int count,
                               std::string_view region) {
    std::vector<Key> keys;
    std::set<std::string> ids;
    for (int i = 0; i < count; ++i) {
      keys.push_back(Another(made));
      keys.back().region = region;
      ids.insert(keys.back().id);
    }
    EXPECT_OK(store().WriteNow(
        [&keys](store::Transaction& transaction) -> base::Status {
          for (const Key& key : keys) {
            RETURN_IF_ERROR(transaction.InsertKey(key));
          }
          return {};
        }));
    return ids;
  }
};

TEST_F(ManyKeysTest, PagesNameEachKeyExactlyOnce) {
  const Key made = *Take(store().FindKey(NewKey()));
  std::set<std::string> expected = Insert(made, kKeys, kRegion);
  expected.insert(made.id);
  Insert(made, kOtherRegion, "eu-north-1");

  std::multiset<std::string> seen;
  json input = {{"Limit", 999}};
  int pages = 0;
  for (bool truncated = true; truncated; ++pages) {
    const json page = Take(Ask("ListKeys", input));
    for (const json& entry : page.at("Keys")) {
      seen.insert(entry.at("KeyId"));
      EXPECT_EQ(entry.at("KeyArn"), "arn:aws:kms:eu-west-1:111122223333:key/" +
                                        entry.at("KeyId").get<std::string>());
    }
    truncated = page.at("Truncated");
    EXPECT_EQ(page.contains("NextMarker"), truncated);
    input["Marker"] = page.value("NextMarker", "");
  }
  EXPECT_EQ(pages, 6);
  EXPECT_EQ(seen.size(), expected.size());
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()), expected);
}

TEST_F(ManyKeysTest, EveryOneIsFoundByItsId) {
  const Key made = *Take(store().FindKey(NewKey()));
  for (const std::string& id : Insert(made, 500, kRegion)) {
    const json shown = Take(Ask("DescribeKey", {{"KeyId", id}}));
    EXPECT_EQ(shown.at("KeyMetadata").at("KeyId"), id);
  }
}

}  // namespace
}  // namespace kms::operations
