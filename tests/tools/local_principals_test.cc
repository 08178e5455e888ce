// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/local_principals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testlib/status.h"

namespace tools {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::FieldsAre;
using testing::HasSubstr;
using testlib::StatusIs;

constexpr uid_t kOwnUid = 990;
constexpr const char* kUser = "arn:aws:iam::111122223333:user/backup";

config::Config ConfigWith(std::uint32_t service_uid, std::uint32_t peer_uid) {
  config::Config config;
  config.account = "111122223333";
  config.region = "eu-west-1";
  config.service_principals = {{.service = "sqs.amazonaws.com",
                                .unix_uid = std::nullopt,
                                .access_key_id = "",
                                .secret_file = ""},
                               {.service = "s3.amazonaws.com",
                                .unix_uid = service_uid,
                                .access_key_id = "",
                                .secret_file = ""}};
  config.peer_principals = {{peer_uid, kUser}};
  config.certificate_principals = {{base::Digest{1}, kUser}};
  return config;
}

TEST(LocalPrincipals, TheServersOwnUidIsTheAdministrators) {
  EXPECT_OK(CheckLocalUids(ConfigWith(1001, 1002), kOwnUid));
  EXPECT_THAT(CheckLocalUids(ConfigWith(kOwnUid, 1002), kOwnUid),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("service principal s3.amazonaws.com: unix_uid "
                                 "990 is the uid of clavigerd itself")));
  EXPECT_THAT(CheckLocalUids(ConfigWith(1001, kOwnUid), kOwnUid),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("[peer_principals]: 990 is the uid of "
                                 "clavigerd itself, which is the "
                                 "administrator")));
}

TEST(LocalPrincipals, AreServicesAndPrincipals) {
  const kms::http::LocalIdentity local =
      LocalIdentityOf(ConfigWith(1001, 1002), kOwnUid);
  EXPECT_EQ(local.account, "111122223333");
  EXPECT_EQ(local.default_region, "eu-west-1");
  EXPECT_EQ(local.own_uid, kOwnUid);
  EXPECT_THAT(local.principals, ElementsAre(FieldsAre(1001, "s3.amazonaws.com"),
                                            FieldsAre(1002, kUser)));
  EXPECT_THAT(local.certificates,
              ElementsAre(std::pair(base::Digest{1}, kUser)));
}

}  // namespace
}  // namespace tools
