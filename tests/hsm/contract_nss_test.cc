// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <string>
#include <utility>

#include "hsm/token/probe_token.h"
#include "tests/fakes/nss_token.h"
#include "tests/hsm/token_fixture.h"

// What is NSS's own: how it is opened, and what it gives away.
namespace hsm::token {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class NssTest : public testing::Test {
 protected:
  base::Result<std::unique_ptr<Token>> Open(TokenConfig config) {
    return Token::Open(std::move(config), clock_);
  }

  fakes::NssToken place_;
  base::FakeClock clock_{base::WallTime{}};
};

TEST_F(NssTest, GivesKeysAwayAndIsRefusedByTheNamesOfTheRisks) {
  TokenConfig config = place_.Config();
  config.accept_risks.clear();
  const auto token = Open(std::move(config));
  EXPECT_ERROR(token, kUnsupportedOperation);
  for (const char* part : {"a copy of a key can be less sensitive",
                           "a non-extractable key can be wrapped",
                           "accept_risks = [\"copies-can-be-extractable\", "
                           "\"keys-can-be-wrapped-out\"]"}) {
    EXPECT_THAT(token.error().message, HasSubstr(part));
  }
  TokenConfig again = place_.Config();
  again.accept_risks.clear();
  const auto report = ProbeToken(again);
  ASSERT_OK(report);
  EXPECT_EQ(report->quirks, "nss");
  EXPECT_THAT(report->risks, ElementsAre("copies-can-be-extractable",
                                         "keys-can-be-wrapped-out"));
  EXPECT_THAT(report->refusal, HasSubstr("keys-can-be-wrapped-out"));
}

TEST_F(NssTest, EachRiskIsAcceptedByItsOwnName) {
  TokenConfig config = place_.Config();
  config.accept_risks = {"keys-can-be-wrapped-out"};
  const auto token = Open(std::move(config));
  EXPECT_ERROR(token, kUnsupportedOperation);
  EXPECT_THAT(token.error().message,
              HasSubstr("accept_risks = [\"copies-can-be-extractable\"]"));
}

TEST_F(NssTest, AcceptedRisksAreNoted) {
  const auto token = Open(place_.Config());
  ASSERT_OK(token);
  const auto found = (*token)->Execute(CapabilitiesRequest{});
  ASSERT_OK(found);
  for (const std::string& risk : place_.Config().accept_risks) {
    EXPECT_THAT(found->notes,
                Contains(HasSubstr("accepted risk \"" + risk + "\": ")));
  }
}

TEST_F(NssTest, UnknownRisksAreRefused) {
  for (const char* risk : {"", "all", "keys-can-be-wrapped"}) {
    TokenConfig config = place_.Config();
    config.accept_risks.emplace_back(risk);
    EXPECT_ERROR(ProbeToken(config), kInvalidArgument);
    const auto token = Open(std::move(config));
    EXPECT_ERROR(token, kInvalidArgument);
    EXPECT_THAT(token.error().message,
                HasSubstr("known are keys-can-be-read, "));
  }
}

TEST_F(NssTest, ParametersAreForThoseThatWantThem) {
  TokenConfig without = place_.Config();
  without.module_parameters.clear();
  const auto token = Open(std::move(without));
  EXPECT_ERROR(token, kInvalidArgument);
  EXPECT_THAT(token.error().message, HasSubstr("needs module_parameters"));
  TokenConfig other = place_.Config();
  other.quirks = "generic";
  const auto generic = Open(std::move(other));
  EXPECT_ERROR(generic, kInvalidArgument);
  EXPECT_THAT(generic.error().message, HasSubstr("takes no module_parameters"));
}

// Initialised as PKCS#11 says, NSS refuses.
TEST_F(NssTest, IsNotOpenedAsAnyOtherToken) {
  TokenConfig config = place_.Config();
  config.quirks = "generic";
  config.module_parameters.clear();
  EXPECT_FALSE(Open(std::move(config)).has_value());
  ASSERT_OK(Open(place_.Config()));
}

}  // namespace
}  // namespace hsm::token
