// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <utility>

#include "hsm/token/probe_token.h"
#include "hsm/token/vacancy.h"
#include "tests/fakes/opencryptoki_token.h"
#include "tests/hsm/token_fixture.h"

// What is opencryptoki's own: a token without AES-GCM.
namespace hsm::token {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class OpenCryptokiTest : public testing::Test {
 protected:
  fakes::OpenCryptokiToken place_;
  base::FakeClock clock_{base::WallTime{}};
};

std::string OutcomeOf(const ProbeReport& report, std::string_view tried) {
  const auto it = std::ranges::find(report.findings, tried, &Finding::tried);
  return it == report.findings.end() ? "not tried" : it->outcome;
}

TEST_F(OpenCryptokiTest, ProbeSaysWhatItHasAndThatItIsFit) {
  const auto report = ProbeToken(place_.Config());
  ASSERT_OK(report);
  EXPECT_EQ(report->quirks, "opencryptoki");
  EXPECT_EQ(report->refusal, "");
  EXPECT_THAT(report->risks, IsEmpty());
  for (const auto& [tried, outcome] :
       {std::pair{"AES-256-GCM, known answer", "the token has no AES-GCM"},
        std::pair{"HMAC of 28 bytes", "CKR_MECHANISM_INVALID"},
        std::pair{"HMAC of 32 bytes", "right"},
        std::pair{"HMAC of 64 bytes", "right"},
        std::pair{"ECDSA with P-256", "CKR_MECHANISM_INVALID"},
        std::pair{"RSAES-OAEP with SHA-1", "right"},
        std::pair{"RSAES-OAEP with SHA-256", "right"},
        std::pair{"theft: wrap a non-extractable key", "refused by the token"},
        std::pair{"theft: copy a key to be readable",
                  "refused by the token"}}) {
    EXPECT_THAT(OutcomeOf(*report, tried), HasSubstr(outcome)) << tried;
  }
}

TEST_F(OpenCryptokiTest, GuardsNoStore) {
  const auto refused = CheckVacancy(place_.Config(), Tenants::kRefuse, clock_);
  EXPECT_ERROR(refused, kUnsupportedOperation);
  EXPECT_THAT(refused.error().message, HasSubstr("no AES-GCM"));
}

}  // namespace
}  // namespace hsm::token
