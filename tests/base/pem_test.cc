// SPDX-License-Identifier: Apache-2.0
#include "base/pem.h"

#include <gmock/gmock.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

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
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  const std::string good = CertificatePem(Bytes{7});
  const std::array<std::vector<std::string_view>, 6> cases = {
      {{kBegin},
       {kBegin, "AQID"},
       {kBegin, "?", kEnd},
       {kBegin, kEnd},
       {kBegin, "AQI", kEnd},
       {good, kBegin}}};
  for (const std::vector<std::string_view>& parts : cases) {
    std::string text;
    for (const std::string_view part : parts) {
      text += part;
    }
    EXPECT_THAT(CertificatesInPem(text), StatusIs(ErrorCode::kInvalidArgument))
        << text;
  }
}

}  // namespace
}  // namespace base
