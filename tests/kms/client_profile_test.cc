// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "kms/client/profile.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace kms::client {
namespace {

using base::ErrorCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testlib::StatusIs;

constexpr char kKey[] =
    "aws_access_key_id = AKID\n"
    "aws_secret_access_key = SECRET\n";

class ProfileTest : public testing::Test {
 protected:
  ProfileTest() {
    files_.credentials = {Path("credentials"), true};
    files_.config = {Path("config"), true};
  }

  std::string Path(std::string_view name) { return (folder_ / name).string(); }

  void Write(std::string_view name, const std::string& text) {
    std::ofstream(Path(name)) << text;
  }

  base::Result<Profile> Load(std::string_view name = "default") {
    files_.profile = name;
    return Profile::Load(files_);
  }

  // The access key id of a profile; "" if it has none.
  base::Result<std::string> KeyId(std::string_view name = "default") {
    ASSIGN_OR_RETURN(const Profile profile, Load(name));
    ASSIGN_OR_RETURN(const auto key, profile.Credentials());
    return key.has_value() ? key->credentials.access_key_id : "";
  }

  base::Result<std::string> Url(std::string_view name = "default") {
    ASSIGN_OR_RETURN(const Profile profile, Load(name));
    ASSIGN_OR_RETURN(const auto url, profile.EndpointUrl());
    return url.has_value() ? url->text : "";
  }

  testlib::TempDir folder_;
  ProfileFiles files_;
};

TEST_F(ProfileTest, IsEmptyWithoutFiles) {
  EXPECT_THAT(KeyId(), testlib::IsOkAndHolds(""));
  EXPECT_THAT(Url(), testlib::IsOkAndHolds(""));
  files_.credentials.path = "/dev/null";
  files_.config.path = "";
  EXPECT_THAT(KeyId(), testlib::IsOkAndHolds(""));
}

TEST_F(ProfileTest, ReadsTheDefaultAndNamedProfiles) {
  Write("credentials", "[default]\n" + std::string(kKey) +
                           "aws_session_token = TOKEN\n"
                           "[b]\n"
                           "aws_access_key_id = B\n"
                           "aws_secret_access_key = S\n");
  Write("config",
        "[default]\nregion = eu-west-1\nca_bundle = /etc/ca.pem\n"
        "[profile b]\nregion = eu-west-2\nendpoint_url = https://kms.b\n"
        "[b]\nregion = not-a-profile-here\n");
  ASSERT_OK_AND_ASSIGN(const Profile profile, Load());
  ASSERT_OK_AND_ASSIGN(const auto key, profile.Credentials());
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->file, KeyFile::kCredentials);
  EXPECT_EQ(key->credentials.access_key_id, "AKID");
  EXPECT_EQ(key->credentials.secret_access_key.RevealText(), "SECRET");
  EXPECT_EQ(key->credentials.session_token, "TOKEN");
  ASSERT_OK_AND_ASSIGN(const auto region, profile.Region());
  ASSERT_TRUE(region.has_value());
  EXPECT_EQ(region->text, "eu-west-1");
  EXPECT_EQ(region->where, Path("config") + ":2");
  ASSERT_OK_AND_ASSIGN(const auto bundle, profile.CaBundle());
  ASSERT_TRUE(bundle.has_value());
  EXPECT_EQ(bundle->text, "/etc/ca.pem");

  EXPECT_THAT(KeyId("b"), testlib::IsOkAndHolds("B"));
  EXPECT_THAT(Url("b"), testlib::IsOkAndHolds("https://kms.b"));
}

TEST_F(ProfileTest, PrefersTheCredentialsFileAndProfileDefault) {
  Write("credentials", "[default]\n" + std::string(kKey));
  Write("config",
        "[default]\nregion = a\n"
        "[profile default]\nregion = b\n"
        "aws_access_key_id = OTHER\naws_secret_access_key = S\n");
  EXPECT_THAT(KeyId(), testlib::IsOkAndHolds("AKID"));
  ASSERT_OK_AND_ASSIGN(const Profile profile, Load());
  ASSERT_OK_AND_ASSIGN(const auto region, profile.Region());
  EXPECT_EQ(region.value_or(Profile::Value{}).text, "b");
  Write("credentials", "");
  EXPECT_THAT(KeyId(), testlib::IsOkAndHolds("OTHER"));
}

TEST_F(ProfileTest, FindsANameInQuotes) {
  Write("config", "[profile \"my dev\"]\n" + std::string(kKey));
  EXPECT_THAT(KeyId("my dev"), testlib::IsOkAndHolds("AKID"));
  EXPECT_THAT(KeyId("profile"), testlib::IsOkAndHolds(""));
}

TEST_F(ProfileTest, RefusesASectionThatIsThereInTwoSpellings) {
  Write("config", "[profile b]\nregion = r\n[profile \"b\"]\n");
  EXPECT_THAT(Load("b"), StatusIs(ErrorCode::kInvalidArgument,
                                  AllOf(HasSubstr("config:3: "),
                                        HasSubstr("of line 1 again"))));
  EXPECT_OK(Load("c"));
}

TEST_F(ProfileTest, MayLookForAKeyInOneFileOnly) {
  Write("credentials", "[default]\n" + std::string(kKey));
  Write("config",
        "[default]\naws_access_key_id = OTHER\naws_secret_access_key = S\n");
  files_.key_file = KeyFile::kConfig;
  EXPECT_THAT(KeyId(), testlib::IsOkAndHolds("OTHER"));
  files_.key_file = KeyFile::kCredentials;
  EXPECT_THAT(KeyId(), testlib::IsOkAndHolds("AKID"));
  Write("credentials", "");
  EXPECT_THAT(KeyId(), testlib::IsOkAndHolds(""));
}

TEST_F(ProfileTest, PrefersTheEndpointOfTheService) {
  Write("config",
        "[default]\nendpoint_url = https://all\nservices = s\n"
        "[services s]\nkms =\n  endpoint_url = https://kms\n"
        "[profile c]\nendpoint_url = https://all\nservices = none\n");
  EXPECT_THAT(Url(), testlib::IsOkAndHolds("https://kms"));
  EXPECT_THAT(Url("c"),
              StatusIs(ErrorCode::kInvalidArgument,
                       AllOf(HasSubstr("config:9: "), HasSubstr("none"))));
}

TEST_F(ProfileTest, MissesANamedProfile) {
  files_.required = true;
  EXPECT_THAT(Load("prod"), StatusIs(ErrorCode::kInvalidArgument,
                                     AllOf(HasSubstr("[profile prod]"),
                                           HasSubstr("AWS_PROFILE"))));
}

TEST_F(ProfileTest, RefusesHalfAKey) {
  Write("credentials", "\n[default]\naws_secret_access_key = SECRET\n");
  EXPECT_THAT(KeyId(), StatusIs(ErrorCode::kInvalidArgument,
                                AllOf(HasSubstr("credentials:2: "),
                                      HasSubstr("lacks aws_access_key_id"),
                                      Not(HasSubstr("SECRET")))));
}

TEST_F(ProfileTest, RefusesValuesThatAreReadInTwoWays) {
  for (const char* value : {"\"SECRET\"", "'SECRET'", "SECRET # mine",
                            "SECRET ; mine", "SECRET\t# mine"}) {
    Write("credentials",
          "[default]\naws_access_key_id = A\naws_secret_access_key = " +
              std::string(value) + "\n");
    EXPECT_THAT(KeyId(), StatusIs(ErrorCode::kInvalidArgument,
                                  AllOf(HasSubstr("credentials:3: "),
                                        HasSubstr("without quotes"),
                                        Not(HasSubstr("SECRET")))))
        << value;
  }
}

TEST_F(ProfileTest, NamesWhatIsNotServed) {
  for (const char* way :
       {"role_arn", "web_identity_token_file", "sso_session"}) {
    Write("credentials", "[default]\n" + std::string(kKey));
    Write("config", "[default]\n" + std::string(way) + " = x\n");
    EXPECT_THAT(KeyId(), StatusIs(ErrorCode::kInvalidArgument,
                                  AllOf(HasSubstr("config:2: "), HasSubstr(way),
                                        HasSubstr("AWS_ACCESS_KEY_ID"))));
    EXPECT_OK(Load());  // Who needs no credentials is not kept.
  }
}

TEST_F(ProfileTest, AsksNoProgramForAKey) {
  Write("credentials", "[default]\n" + std::string(kKey));
  Write("config", "[default]\ncredential_process = /bin/x\n");
  EXPECT_THAT(KeyId(), testlib::IsOkAndHolds("AKID"));
  const auto refused =
      StatusIs(ErrorCode::kInvalidArgument, HasSubstr("credential_process"));
  Write("credentials", "");
  EXPECT_THAT(KeyId(), refused);
  Write("config",
        "[default]\ncredential_process = /bin/x\n" + std::string(kKey));
  EXPECT_THAT(KeyId(), refused);
}

TEST_F(ProfileTest, NamesTheFileThatCannotBeRead) {
  std::filesystem::create_directory(Path("config"));
  EXPECT_THAT(Load(), StatusIs(ErrorCode::kInvalidArgument,
                               AllOf(HasSubstr("config"),
                                     HasSubstr("no regular file"))));
  files_.config.path = Path("pipe");
  ASSERT_EQ(mkfifo(files_.config.path.c_str(), 0600), 0);
  EXPECT_THAT(Load(), StatusIs(ErrorCode::kInvalidArgument));
  files_.config.path = "/" + std::string(300, 'x');
  EXPECT_THAT(Load(), StatusIs(ErrorCode::kIo, HasSubstr("name another file")));
}

TEST_F(ProfileTest, AStampChangesWithTheFile) {
  const SharedFile file{Path("credentials"), false};
  const FileStamp none = StampOf(file);
  Write("credentials", "[a]\n");
  const FileStamp first = StampOf(file);
  EXPECT_NE(first, none);
  EXPECT_EQ(first, StampOf(file));
  Write("new", "[b]\n");  // Of the same size: another file all the same.
  std::filesystem::rename(Path("new"), Path("credentials"));
  EXPECT_NE(StampOf(file), first);
  EXPECT_EQ(StampOf({"", false}), none);
}

}  // namespace
}  // namespace kms::client
