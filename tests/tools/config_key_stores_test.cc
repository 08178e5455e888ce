// SPDX-License-Identifier: Apache-2.0
// What several [[key_store]] tables must be together.
#include "tests/tools/config_testing.h"

namespace tools::config {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testlib::StatusIs;

// Another table after the first one.
std::string Another(const std::string& lines) {
  return R"(
[[key_store]]
name = "second"
module = "/usr/lib/second.so"
token = "pkcs11:token=second"
pin_file = "/etc/claviger/second.pin"
)" + lines;
}

class KeyStoresConfigTest : public ConfigTest {
 protected:
  base::Result<Config> ReadTables(const std::string& tables) {
    return Read("account = \"111122223333\"\n" + std::string(kStore) + tables);
  }
};

TEST_F(KeyStoresConfigTest, OthersNameTheirRegionsOrTheirClusterId) {
  ASSERT_OK_AND_ASSIGN(
      const Config config,
      ReadTables(Another("regions = [\"eu-west-1\", \"eu-west-2\"]\n") + R"(
[[key_store]]
name = "third"
module = "/usr/lib/third.so"
token = "pkcs11:token=third"
pin_file = "/etc/claviger/third.pin"
cluster_id = "cluster-2abcdefghij"
)"));
  ASSERT_EQ(config.key_stores.size(), 3U);
  EXPECT_THAT(config.key_stores[0].regions, testing::IsEmpty());
  EXPECT_THAT(config.key_stores[1].regions,
              ElementsAre("eu-west-1", "eu-west-2"));
  EXPECT_EQ(config.key_stores[2].cluster_id, "cluster-2abcdefghij");
}

TEST_F(KeyStoresConfigTest, RefusesWhatTablesCannotBe) {
  const struct {
    std::string tables;
    std::string reason;
  } rows[] = {
      {"regions = [\"eu-west-1\"]\n", "'main' is the first one"},
      {"cluster_id = \"cluster-2abcdefghij\"\n", "'main' is the first one"},
      {Another(""), "it needs either regions"},
      {Another("regions = [\"eu-west-1\"]\n"
               "cluster_id = \"cluster-2abcdefghij\"\n"),
       "it needs either regions"},
      {Another("regions = [\"Europe\"]\n"),
       "'Europe' in regions, which is not the name of a Region"},
      {Another("cluster_id = \"2abcdefghij\"\n"), "\"cluster-\" and 11 to 16"},
      {Another("cluster_id = \"cluster-2abcdefghi\"\n"),
       "\"cluster-\" and 11 to 16"},
      {Another("cluster_id = \"cluster-0abcdefghij\"\n"),
       "\"cluster-\" and 11 to 16"},
      {Another("shareable_wrapping_key = true\nregions = [\"eu-west-1\"]\n"),
       "needs placement = \"wrapped\""},
      {Another("regions = [\"eu-west-1\", \"eu-west-1\"]\n"),
       "has the Region eu-west-1, which key_store 'second' has"},
      {Another("regions = [\"eu-west-1\"]\n"
               "socket = \"/run/claviger-hsm/main.sock\"\n"),
       "which key_store 'main' has"},
      {Another("regions = [\"eu-west-1\"]\n") +
           Another("regions = [\"eu-west-2\"]\n"),
       "has the name second, which key_store 'second' has"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(ReadTables(row.tables),
                StatusIs(ErrorCode::kInvalidArgument, HasSubstr(row.reason)))
        << row.tables;
  }
}

TEST_F(KeyStoresConfigTest, TwoTablesAreNotOfOneToken) {
  std::string same(kStore);
  same.replace(same.find("\"main\""), 6, "\"twin\"");
  EXPECT_THAT(ReadTables(same + "regions = [\"eu-west-1\"]\n"),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("which key_store 'main' has")));
}

}  // namespace
}  // namespace tools::config
