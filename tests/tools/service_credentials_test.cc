// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/service_credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kms/identity/principals.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"
#include "tools/files/files.h"

namespace tools {
namespace {

using base::ErrorCode;
using kms::identity::AccessKey;
using testing::HasSubstr;
using testlib::StatusIs;

constexpr std::string_view kId = "AKIA234567ABCDEFGHIJ";

class ServiceCredentialsTest : public testing::Test {
 protected:
  ServiceCredentialsTest() {
    config_.account = "111122223333";
    config_.service_principals = {{.service = "s3.amazonaws.com",
                                   .unix_uid = 1001,
                                   .access_key_id = std::string(kId),
                                   .secret_file = folder_ / "secret"},
                                  {.service = "sqs.amazonaws.com",
                                   .unix_uid = 1002,
                                   .access_key_id = "",
                                   .secret_file = ""}};
  }
  base::Status Write(std::string_view secret, mode_t mode = 0600) {
    return WriteFile(folder_ / "secret", secret, mode);
  }
  base::Status Add() {
    ASSIGN_OR_RETURN(keys_, ReadServiceCredentials(config_));
    return {};
  }

  testlib::TempDir folder_;
  config::Config config_;
  std::vector<AccessKey> keys_;
};

TEST_F(ServiceCredentialsTest, AddsAnAccessKeyForTheService) {
  ASSERT_OK(Write("0123456789abcdef\n"));
  ASSERT_OK(Add());
  ASSERT_EQ(keys_.size(), 1U);
  EXPECT_EQ(keys_[0].id, kId);
  EXPECT_TRUE(keys_[0].active);
  EXPECT_EQ(keys_[0].secret->RevealText(), "0123456789abcdef");
  EXPECT_EQ(keys_[0].caller->kind, kms::CallerKind::kService);
  EXPECT_EQ(keys_[0].caller->service, "s3.amazonaws.com");
  EXPECT_EQ(keys_[0].caller->account, "111122223333");
  EXPECT_EQ(keys_[0].caller->access_key_id, kId);
  EXPECT_EQ(keys_[0].caller->policies, nullptr);
}

TEST_F(ServiceCredentialsTest, RefusesSecretsThatAreNone) {
  EXPECT_THAT(Add(), StatusIs(ErrorCode::kInvalidArgument,
                              HasSubstr("access key AKIA234567ABCDEFGHIJ: ")));
  ASSERT_OK(Write("0123456789abcde"));
  EXPECT_THAT(Add(), StatusIs(ErrorCode::kInvalidArgument,
                              HasSubstr("fewer than 16 characters")));
  ASSERT_OK(Write("0123456789abcdef", 0644));
  EXPECT_THAT(Add(), StatusIs(ErrorCode::kInvalidArgument,
                              HasSubstr("s3.amazonaws.com")));
  EXPECT_TRUE(keys_.empty());
}

TEST_F(ServiceCredentialsTest, TakesNobodysAccessKey) {
  ASSERT_OK(Write("0123456789abcdef"));
  const auto secret =
      std::make_shared<const base::Secret>(base::Secret::CopyOf("secret"));
  const kms::identity::Directory directory({}, {{std::string(kId), secret}},
                                           {});
  EXPECT_THAT(CheckServiceKeyIds(config_, directory),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("there is an access key of this id")));
  EXPECT_OK(CheckServiceKeyIds(config_, {{}, {}, {}}));
  config_.service_principals[1] = config_.service_principals[0];
  EXPECT_THAT(Add(), StatusIs(ErrorCode::kInvalidArgument,
                              HasSubstr("there is an access key of this id")));
}

}  // namespace
}  // namespace tools
