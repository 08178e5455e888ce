// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <string_view>

#include "base/bytes.h"
#include "tests/fakes/fake_token.h"
#include "tests/hsm/token_fixture.h"

// What is sealed for somebody outside (hsm/token/external_cipher.h), on a token
// that encrypts or decrypts wrongly.
namespace hsm::token {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class TokenExternalTest : public OpenTokenTest<fakes::FakeToken>,
                          public testing::WithParamInterface<Algorithm> {
 protected:
  base::Result<SealExternalReply> Seal(const KeyRef& key, bool want_integrity) {
    return token_->Execute(
        SealExternalRequest{.key = key,
                            .version = 1,
                            .aad = aad_,
                            .plaintext = base::Secret::CopyOf("secret"),
                            .want_integrity = want_integrity});
  }

  const base::Bytes aad_ = {'a', 'a', 'd'};
};

INSTANTIATE_TEST_SUITE_P(Keys, TokenExternalTest,
                         testing::Values(Algorithm::kXaes256Gcm,
                                         Algorithm::kAes256GcmCounter));

// XKS proxy API v1.0.3, Encrypt: before the reply the token decrypts what it
// will say, so that nobody gives up a plaintext for a ciphertext that is none.
TEST_P(TokenExternalTest, GivesNoIntegrityValueForWhatDoesNotOpen) {
  const KeyRef key = Made(GetParam());
  for (const char* const fault : {"C_Decrypt return 0x40", "C_Decrypt lie"}) {
    place_.Tell(fault);
    EXPECT_ERROR(Seal(key, true), kCorrupt);
  }
  // Of a token that does nothing right it is not the key's fault.
  for (const char* const fault : {"C_Encrypt lie", "C_Decrypt return 0x30"}) {
    place_.Tell(fault);
    EXPECT_ERROR(Seal(key, true), kHsmUnavailable);
  }
}

TEST_P(TokenExternalTest, EncryptsAgainWhatDoesNotOpen) {
  const KeyRef key = Made(GetParam());
  ASSERT_OK(Seal(key, true));
  place_.Tell("C_Encrypt lie-once");
  const auto sealed = Seal(key, true);
  ASSERT_OK(sealed);
  EXPECT_THAT(sealed->integrity, SizeIs(32));
  const auto opened = token_->Execute(
      OpenExternalRequest{.key = key, .aad = aad_, .sealed = sealed->sealed});
  ASSERT_OK(opened);
  EXPECT_EQ(opened->plaintext.RevealText(), "secret");
}

TEST_P(TokenExternalTest, DecryptsOnlyForWhomeverWantsAnIntegrityValue) {
  const KeyRef key = Made(GetParam());
  ASSERT_OK(Seal(key, false));
  place_.TakeCalls();
  const auto sealed = Seal(key, false);
  ASSERT_OK(sealed);
  EXPECT_THAT(sealed->integrity, IsEmpty());
  EXPECT_THAT(place_.TakeCalls(), ElementsAre("C_EncryptInit", "C_Encrypt"));
  ASSERT_OK(Seal(key, true));
  EXPECT_THAT(place_.TakeCalls(), ElementsAre("C_EncryptInit", "C_Encrypt",
                                              "C_DecryptInit", "C_Decrypt"));
}

}  // namespace
}  // namespace hsm::token
