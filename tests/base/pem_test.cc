// SPDX-License-Identifier: Apache-2.0
#include "base/pem.h"

#include <gmock/gmock.h>

#include <array>

#include "tests/testlib/status.h"

namespace base {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testlib::StatusIs;
using testlib::Take;

TEST(PemTest, ReadsWhatItWrites) {
  const Bytes longer(100, 0xA5);
  const std::string text = CertificatePem(longer) + CertificatePem(Bytes{1});
  EXPECT_THAT(Take(CertificatesInPem(text)), ElementsAre(longer, Bytes{1}));
  EXPECT_EQ(CertificatePem(Bytes{1, 2, 3}),
            "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n");
}

TEST(PemTest, PassesOverWhatIsNoCertificate) {
  const std::string text =
      "words\n-----BEGIN PRIVATE KEY-----\nAQID\n"
      "-----END PRIVATE KEY-----\r\n" +
      CertificatePem(Bytes{7}) + "more words";
  EXPECT_THAT(Take(CertificatesInPem(text)), ElementsAre(Bytes{7}));
  EXPECT_THAT(Take(CertificatesInPem("")), IsEmpty());
  EXPECT_THAT(Take(CertificatesInPem("-----BEGIN CERTIFICATE----")), IsEmpty());
}

TEST(PemTest, RefusesWhatIsBroken) {
  const std::string begin = "-----BEGIN CERTIFICATE-----";
  const std::string end = "-----END CERTIFICATE-----";
  for (const std::string& text :
       {begin, begin + "AQID", begin + "?" + end, begin + end,
        begin + "AQI" + end, CertificatePem(Bytes{7}) + begin}) {
    EXPECT_THAT(CertificatesInPem(text), StatusIs(ErrorCode::kInvalidArgument))
        << text;
  }
}

}  // namespace
}  // namespace base
