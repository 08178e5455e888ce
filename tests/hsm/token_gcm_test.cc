// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <string>
#include <string_view>

#include "hsm/token/probe_token.h"
#include "hsm/token/vacancy.h"
#include "tests/fakes/fake_token.h"
#include "tests/hsm/token_fixture.h"

// Tokens that have no AES-GCM, and such as have it and do it wrong.
namespace hsm::token {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class TokenGcmTest : public testing::Test {
 protected:
  base::Result<std::unique_ptr<Token>> Open() {
    return Token::Open(place_.Config(), clock_);
  }

  fakes::FakeToken place_;
  base::FakeClock clock_{base::WallTime{}};
};

constexpr const char* kNoGcm = "C_EncryptInit return 0x70";

TEST_F(TokenGcmTest, WithoutGcmItServesAllButKeysThatEncrypt) {
  place_.Tell(kNoGcm);
  const auto report = ProbeToken(place_.Config());
  ASSERT_OK(report);
  EXPECT_EQ(report->refusal, "");
  const auto opened = Open();
  ASSERT_OK(opened);
  Token& token = **opened;
  for (const Algorithm algorithm :
       {Algorithm::kXaes256Gcm, Algorithm::kAes256GcmCounter}) {
    const KeyRef key = NewKey(algorithm);
    const auto made = token.Execute(GenerateKeyRequest{key});
    EXPECT_ERROR(made, kUnsupportedOperation);
    EXPECT_THAT(made.error().message, HasSubstr("no AES-GCM"));
    EXPECT_ERROR(token.Execute(ToEncrypt(key, "x")), kUnsupportedOperation);
    EXPECT_ERROR(token.Execute(CheckKeyRequest{key}), kUnsupportedOperation);
    EXPECT_ERROR(token.Execute(GenerateDataKeyRequest{.key = key, .size = 32}),
                 kUnsupportedOperation);
  }
  const auto listed = token.Execute(ListKeysRequest{});
  ASSERT_OK(listed);
  EXPECT_THAT(listed->keys, IsEmpty());
  const auto found = token.Execute(CapabilitiesRequest{});
  ASSERT_OK(found);
  EXPECT_THAT(found->notes, testing::Contains(HasSubstr("no AES-GCM")));
}

TEST_F(TokenGcmTest, WithoutGcmItGuardsNoStore) {
  place_.Tell(kNoGcm);
  for (const Tenants tenants : {Tenants::kRefuse, Tenants::kAccept}) {
    const auto refused = CheckVacancy(place_.Config(), tenants, clock_);
    EXPECT_ERROR(refused, kUnsupportedOperation);
    EXPECT_THAT(refused.error().message,
                HasSubstr("no place for the keys that guard a store"));
  }
}

TEST_F(TokenGcmTest, WithoutGcmRandomBytesTellWhetherItLives) {
  place_.Tell(kNoGcm);
  const auto token = Open();
  ASSERT_OK(token);
  ASSERT_OK((*token)->Execute(HealthRequest{}));
  for (const char* death :
       {"C_GenerateRandom return 0x5", "C_GetSessionInfo return 0x32"}) {
    place_.Tell(std::string(kNoGcm) + "\n" + death);
    EXPECT_ERROR((*token)->Execute(HealthRequest{}), kHsmUnavailable);
  }
}

// Only a token that says that it has none.
TEST_F(TokenGcmTest, GcmThatIsWrongIsRefused) {
  for (const char* fault :
       {"C_EncryptInit return 0x71", "C_EncryptInit return 0x54",
        "C_EncryptInit return-once 0x70", "C_Encrypt return 0x70",
        "C_Encrypt lie"}) {
    place_.Tell(fault);
    const auto token = Open();
    if (std::string_view(fault).find("once") != std::string_view::npos) {
      ASSERT_OK(token);
      ASSERT_OK((*token)->Execute(GenerateKeyRequest{NewKey()}));
      continue;
    }
    EXPECT_ERROR(token, kUnsupportedOperation);
    EXPECT_THAT(token.error().message, HasSubstr("AES-256-GCM, known answer"))
        << fault;
  }
}

TEST_F(TokenGcmTest, TokenThatMakesNoKeysInASessionIsRefusedWithTheReason) {
  for (const char* rv : {"0x54", "0x70"}) {
    place_.Tell(std::string("C_GenerateKey return ") + rv);
    const auto token = Open();
    EXPECT_ERROR(token, kUnsupportedOperation);
    EXPECT_THAT(token.error().message,
                HasSubstr("makes no AES keys in a session"));
  }
}

}  // namespace
}  // namespace hsm::token
