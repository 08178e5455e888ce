// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/kms/http_door_testing.h"

namespace kms::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Who asks without a signature: by the uid of a process, by a certificate.
class Principals : public DoorTest {
 protected:
  // Shows the certificate of that fingerprint, good for an hour around noon.
  static Sent WithCertificate(std::uint8_t byte) {
    Sent sent;
    sent.door = Door::kHttps;
    sent.peer.certificate =
        PeerCertificate{.sha256 = DigestOf(byte),
                        .not_before = kNoon - std::chrono::minutes(30),
                        .not_after = kNoon + std::chrono::minutes(30)};
    return sent;
  }

  std::string Answer(const Sent& sent) {
    const HttpResponse response = Call(sent);
    EXPECT_EQ(response.status, 200U) << response.body;
    return std::string(response.body);
  }
  // The error of a request that never reaches the service.
  std::string ErrorOf(const Sent& sent) {
    const int calls = service_.calls;
    const HttpResponse response = Call(sent);
    EXPECT_EQ(response.status, 400U);
    EXPECT_EQ(service_.calls, calls);
    return std::string(response.body);
  }

  void ExpectRoleSession(std::string_view name) {
    const Caller& caller = service_.caller;
    EXPECT_EQ(caller.kind, CallerKind::kAssumedRole);
    EXPECT_EQ(caller.arn, "arn:aws:sts::000000000000:assumed-role/worker/" +
                              std::string(name));
    EXPECT_EQ(caller.principal_id, "AROAWORKER:" + std::string(name));
    EXPECT_EQ(caller.role_arn, kRoleArn);
    EXPECT_EQ(caller.access_key_id, "");
    EXPECT_FALSE(caller.administrator);
    ASSERT_NE(caller.session, nullptr);
    EXPECT_EQ(caller.session->issued, kNoon);
  }
  void ExpectUser() {
    EXPECT_EQ(service_.caller.kind, CallerKind::kUser);
    EXPECT_EQ(service_.caller.arn, kUserArn);
    EXPECT_EQ(service_.caller.access_key_id, "");
    EXPECT_FALSE(service_.caller.administrator);
    EXPECT_EQ(service_.caller.session, nullptr);
  }
};

TEST_F(Principals, AUidMayBeAUser) {
  Answer(OverUnix(2001));
  ExpectUser();
}

TEST_F(Principals, AUidMayBeASessionOfARole) {
  Answer(OverUnix(2002));
  ExpectRoleSession("uid-2002");
}

TEST_F(Principals, AUidOfNobodyIsToldSo) {
  EXPECT_THAT(
      ErrorOf(OverUnix(2003)),
      AllOf(HasSubstr("UnrecognizedClientException"),
            HasSubstr(std::string(kGoneArn)), HasSubstr("[peer_principals]")));
}

TEST_F(Principals, AUidCountsOnTheUnixSocketOnly) {
  EXPECT_THAT(ErrorOf(Sent()), HasSubstr("MissingAuthenticationToken"));
}

TEST_F(Principals, ACertificateMayBeAUser) {
  EXPECT_THAT(Answer(WithCertificate(1)), HasSubstr("|us-east-1|"));
  ExpectUser();
}

TEST_F(Principals, ACertificateMayBeASessionOfARole) {
  Answer(WithCertificate(2));
  ExpectRoleSession("cert-0202020202020202");
}

TEST_F(Principals, ACertificateCountsWithTheQueryProtocol) {
  Sent sent = WithCertificate(1);
  sent.Without("x-amz-target").Without("content-type");
  sent.With("content-type", "application/x-www-form-urlencoded");
  sent.body = "Action=GetCallerIdentity&Version=2011-06-15";
  service_.answer = "{}";
  Answer(sent);
  ExpectUser();
}

TEST_F(Principals, ACertificateOfNobodyIsToldSo) {
  EXPECT_THAT(ErrorOf(WithCertificate(3)),
              AllOf(HasSubstr("UnrecognizedClientException"),
                    HasSubstr(std::string(kGoneArn)),
                    HasSubstr("[certificate_principals]")));
}

TEST_F(Principals, AnUnknownCertificateIsNoCertificate) {
  Sent sent = WithCertificate(2);
  sent.peer.certificate->sha256.back() ^= 1;
  EXPECT_THAT(ErrorOf(sent),
              AllOf(HasSubstr("MissingAuthenticationTokenException"),
                    HasSubstr("02020203 is not in [certificate_principals]")));
}

TEST_F(Principals, ACertificateCountsFromItsFirstSecondToItsLast) {
  Sent sent = WithCertificate(1);
  sent.peer.certificate->not_before = kNoon;
  sent.peer.certificate->not_after = kNoon;
  Answer(sent);
  clock_.Advance(std::chrono::microseconds(999'999));
  Answer(sent);
  clock_.Advance(std::chrono::microseconds(1));
  EXPECT_THAT(ErrorOf(sent),
              AllOf(HasSubstr("UnrecognizedClientException"),
                    HasSubstr(std::string(kUserArn)), HasSubstr("expired")));
  clock_.JumpTo(kNoon - std::chrono::microseconds(1));
  EXPECT_THAT(ErrorOf(sent), AllOf(HasSubstr("UnrecognizedClientException"),
                                   HasSubstr("is not valid yet")));
}

TEST_F(Principals, ACertificateWithoutEndNeverExpires) {
  Sent sent = WithCertificate(1);
  // RFC 5280, 4.1.2.5: 99991231235959Z.
  sent.peer.certificate->not_after =
      base::WallTime(std::chrono::seconds(253402300799));
  Answer(sent);
}

TEST_F(Principals, ACertificateTakesItsRegionFromAHeader) {
  EXPECT_THAT(
      Answer(WithCertificate(1).With("x-claviger-region", "ap-south-1")),
      HasSubstr("|ap-south-1|"));
  EXPECT_THAT(ErrorOf(WithCertificate(1).With("x-claviger-region", "EU")),
              HasSubstr("ValidationException"));
}

TEST_F(Principals, ASignatureCountsInsteadOfACertificate) {
  EXPECT_THAT(Answer(Sign(WithCertificate(1))),
              HasSubstr("|eu-central-1|arn:aws:iam::000000000000:user/admin|"));
  // A certificate does not mend a broken signature.
  EXPECT_THAT(ErrorOf(Sign(WithCertificate(1), {.secret = "no"})),
              HasSubstr("InvalidSignatureException"));
  EXPECT_THAT(ErrorOf(WithCertificate(1).With("authorization", "Basic YTpi")),
              HasSubstr("MissingAuthenticationTokenException"));
}

TEST_F(Principals, ABrowserCannotLendItsCertificateToAPage) {
  for (const char* const origin : {"https://evil.example", "null", ""}) {
    EXPECT_THAT(ErrorOf(WithCertificate(1).With("origin", origin)),
                AllOf(HasSubstr("MissingAuthenticationTokenException"),
                      HasSubstr("Origin")));
  }
  EXPECT_THAT(Answer(Sign(WithCertificate(1).With("origin", "null"))),
              HasSubstr("user/admin"));
}

TEST_F(Principals, AreAsTheDirectoryIsNow) {
  Answer(WithCertificate(2));
  Answer(OverUnix(2002));
  directory_.Replace(DirectoryOf({}));
  EXPECT_THAT(ErrorOf(WithCertificate(2)), HasSubstr("does not exist"));
  EXPECT_THAT(ErrorOf(OverUnix(2002)), HasSubstr("does not exist"));
  directory_.Replace(MakeDirectory(kSecret));
  Answer(WithCertificate(2));
  Answer(OverUnix(2002));
}

}  // namespace
}  // namespace kms::http
