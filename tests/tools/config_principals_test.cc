// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "tests/tools/config_testing.h"

namespace tools::config {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using testlib::IsOk;
using testlib::StatusIs;

constexpr const char* kFingerprint =
    "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
constexpr const char* kWithColons =
    "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:"
    "18:19:1A:1B:1C:1D:1E:1F";
constexpr const char* kUser = " = \"arn:aws:iam::111122223333:user/backup\"\n";
constexpr const char* kRole = " = \"arn:aws:iam::444455556666:role/a/b\"\n";

class ConfigPrincipals : public ConfigTest {};

TEST_F(ConfigPrincipals, TakesPrincipalsByUidAndByCertificate) {
  base::Digest digest;
  std::iota(digest.begin(), digest.end(), std::uint8_t{0});
  const base::Digest same =
      base::ThreadHasher().Sha256(base::AsBytes("another"));
  for (const char* const spelling : {kFingerprint, kWithColons}) {
    ASSERT_OK_AND_ASSIGN(
        const Config config,
        ReadWith(fmt::format("[peer_principals]\n\"1001\"{}4294967294{}"
                             "[certificate_principals]\n\"{}\"{}{}{}",
                             kUser, kRole, spelling, kUser,
                             base::HexEncode(same), kRole)));
    EXPECT_THAT(
        config.peer_principals,
        ElementsAre(
            std::pair(1001U, "arn:aws:iam::111122223333:user/backup"),
            std::pair(4294967294U, "arn:aws:iam::444455556666:role/a/b")));
    EXPECT_THAT(config.certificate_principals,
                testing::UnorderedElementsAre(
                    std::pair(digest, "arn:aws:iam::111122223333:user/backup"),
                    std::pair(same, "arn:aws:iam::444455556666:role/a/b")));
  }
}

TEST_F(ConfigPrincipals, RefusesBadPeerPrincipals) {
  const std::pair<std::string, const char*> cases[] = {
      {std::string("\"0\"") + kUser, "peer_principals.0 is root"},
      {std::string("01001") + kUser, "peer_principals.01001 is not a uid"},
      {std::string("\"+1\"") + kUser, "is not a uid"},
      {std::string("-1") + kUser, "is not a uid"},
      {std::string("\" 1\"") + kUser, "is not a uid"},
      {std::string("\"1 \"") + kUser, "is not a uid"},
      {std::string("\"\"") + kUser, "is not a uid"},
      {std::string("backup") + kUser, "is not a uid"},
      {std::string("4294967295") + kUser, "up to 4294967294"},
      {std::string("4294968297") + kUser, "is not a uid"},
      {"1001 = 7", "peer_principals.1001 must be a text"},
      {"1001 = \"\"", "must be a text that is not empty"},
      {"1001 = \"s3.amazonaws.com\"",
       "peer_principals.1001 must be the ARN of a user or role"},
      {"1001 = \"arn:aws:iam::111122223333:root\"", "must be the ARN of"},
      {"1001 = \"arn:aws:iam::111122223333:group/a\"", "must be the ARN of"},
      {"1001 = \"arn:aws:sts::111122223333:assumed-role/a/b\"",
       "must be the ARN of"},
      {std::string("1001") + kUser + "1001" + kRole, ""},  // Not TOML.
  };
  for (const auto& [lines, reason] : cases) {
    EXPECT_THAT(
        ReadWith("[peer_principals]\n" + lines + "\n"),
        StatusIs(ErrorCode::kInvalidArgument,
                 testing::AllOf(StartsWith(path_ + ":"), HasSubstr(reason))))
        << lines;
  }
  EXPECT_THAT(ReadWith("[[peer_principals]]\n1001 = \"a\"\n"),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("must be a table: [peer_principals]")));
}

TEST_F(ConfigPrincipals, RefusesBadCertificatePrincipals) {
  const std::string good = kFingerprint;
  const std::string colons = kWithColons;
  const std::pair<std::string, const char*> cases[] = {
      {good.substr(1), "is not the SHA-256 fingerprint"},
      {good + "0", "is not the SHA-256 fingerprint"},
      {good.substr(2), "is not the SHA-256 fingerprint"},
      {"x" + good.substr(1), "is not the SHA-256 fingerprint"},
      {colons + ":", "is not the SHA-256 fingerprint"},
      {colons.substr(1) + "0", "is not the SHA-256 fingerprint"},
      {"", "is not the SHA-256 fingerprint"},
      // SHA-1's.
      {good.substr(0, 40), "64 hexadecimal digits"},
  };
  for (const auto& [key, reason] : cases) {
    EXPECT_THAT(
        ReadWith("[certificate_principals]\n\"" + key + "\"" + kUser),
        StatusIs(ErrorCode::kInvalidArgument,
                 testing::AllOf(StartsWith(path_ + ":3: "), HasSubstr(reason))))
        << key;
  }
  EXPECT_THAT(ReadWith("[certificate_principals]\n" + good + " = \"admin\"\n"),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("must be the ARN of a user or role, such as "
                                 "arn:aws:iam::123456789012:role/backup, not "
                                 "'admin'")));
  EXPECT_THAT(
      ReadWith("[certificate_principals]\n" + good + kUser + "\"" + colons +
               "\"" + kUser),
      StatusIs(ErrorCode::kInvalidArgument, HasSubstr("stands there twice")));
}

TEST_F(ConfigPrincipals, NobodyIsAServiceAndAPrincipal) {
  const std::string service =
      "[[service_principal]]\nservice = \"s3.amazonaws.com\"\n"
      "unix_uid = 1001\n";
  EXPECT_THAT(ReadWith(service + "[peer_principals]\n1002" + kUser), IsOk());
  EXPECT_THAT(ReadWith(service + "[peer_principals]\n1001" + kUser),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("uid 1001 stands in [peer_principals] and in "
                                 "the [[service_principal]] table of "
                                 "s3.amazonaws.com")));
}

}  // namespace
}  // namespace tools::config
