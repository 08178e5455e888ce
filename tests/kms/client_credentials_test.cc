// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "kms/client/credentials.h"
#include "tests/testlib/temp_dir.h"

namespace kms::client {
namespace {

base::SigV4Credentials First() {
  return {"FIRST", base::Secret::CopyOf("s"), ""};
}

class CredentialCacheTest : public testing::Test {
 protected:
  CredentialCacheTest() { files_.credentials = {File(), false}; }

  std::string File() const { return (folder_ / "credentials").string(); }
  void Write(const std::string& id) {
    std::ofstream(File()) << "[default]\naws_access_key_id = " + id +
                                 "\naws_secret_access_key = s\n";
  }

  testlib::TempDir folder_;
  ProfileFiles files_;
};

TEST_F(CredentialCacheTest, NeverChangesWithoutFiles) {
  CredentialCache cache(First(), std::nullopt);
  const auto first = cache.Current();
  EXPECT_EQ(first->access_key_id, "FIRST");
  EXPECT_FALSE(cache.Renew(first));
  EXPECT_EQ(cache.Current(), first);
}

TEST_F(CredentialCacheTest, FollowsTheFile) {
  CredentialCache cache(First(), files_);
  const auto first = cache.Current();
  Write("SECOND");
  EXPECT_EQ(cache.Current()->access_key_id, "SECOND");
  EXPECT_EQ(first->access_key_id, "FIRST");  // A snapshot stays as it is.
}

TEST_F(CredentialCacheTest, IsTheSameSetWhileNothingElseIsRead) {
  Write("FIRST");
  CredentialCache cache(First(), files_);
  const auto first = cache.Current();
  Write("FIRST");
  EXPECT_EQ(cache.Current(), first);
  EXPECT_FALSE(cache.Renew(first));
}

TEST_F(CredentialCacheTest, KeepsWhatItHasWhenTheFileIsOfNoUse) {
  Write("SECOND");
  CredentialCache cache(First(), files_);
  const auto second = cache.Current();
  for (const char* text :
       {"", "nonsense", "[default]\naws_access_key_id = X\n",
        "[default]\nrole_arn = r\n",
        "[default]\naws_access_key_id = a b\naws_secret_access_key = s\n"}) {
    std::ofstream(File()) << text;
    EXPECT_EQ(cache.Current(), second) << text;
    EXPECT_FALSE(cache.Renew(second)) << text;
  }
  std::filesystem::remove(File());
  EXPECT_EQ(cache.Current(), second);
}

TEST_F(CredentialCacheTest, HasRenewedWhatSomebodyElseRenewed) {
  CredentialCache cache(First(), files_);
  const auto first = cache.Current();
  Write("SECOND");
  EXPECT_TRUE(cache.Renew(first));
  EXPECT_TRUE(cache.Renew(first));
  EXPECT_FALSE(cache.Renew(cache.Current()));
}

TEST_F(CredentialCacheTest, CopiesForAChildWhatIsCurrent) {
  CredentialCache cache(First(), files_);
  EXPECT_EQ(cache.CopyAfterFork().access_key_id, "FIRST");
  Write("SECOND");
  cache.Current();
  const base::SigV4Credentials copy = cache.CopyAfterFork();
  EXPECT_EQ(copy.access_key_id, "SECOND");
  EXPECT_EQ(copy.secret_access_key.RevealText(), "s");
}

}  // namespace
}  // namespace kms::client
