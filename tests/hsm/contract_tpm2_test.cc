// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "hsm/token/attributes.h"
#include "hsm/token/connection.h"
#include "hsm/token/probe_token.h"
#include "tests/fakes/tpm2_token.h"
#include "tests/hsm/token_fixture.h"

// Why tpm2-pkcs11 1.9 is refused: what it does by itself. A test that fails
// here means that there is a better release, and something to gain.
namespace hsm::token {
namespace {

using testing::HasSubstr;

class Tpm2Test : public testing::Test {
 protected:
  void SetUp() override { LogIn(); }

  void LogIn() {
    connection_.reset();
    auto connection = Connection::Open(place_.Config());
    ASSERT_OK(connection);
    connection_ = *std::move(connection);
  }

  Session& session() { return connection_->sessions().anchor(); }

  Answer<PairHandles> MakePair(std::uint8_t id, bool on_token = true) {
    Template public_half;
    public_half.Set(CKA_TOKEN, on_token)
        .Set(CKA_VERIFY, true)
        .Set(CKA_EC_PARAMS,
             base::HexDecode("06082a8648ce3d030107").value_or(base::Bytes()));
    Template private_half;
    private_half.Set(CKA_TOKEN, on_token)
        .Set(CKA_PRIVATE, true)
        .Set(CKA_SENSITIVE, true)
        .Set(CKA_EXTRACTABLE, false)
        .Set(CKA_MODIFIABLE, false)
        .Set(CKA_SIGN, true)
        .Set(CKA_ID, std::array{id});
    return session().GenerateKeyPair(CKM_EC_KEY_PAIR_GEN, public_half,
                                     private_half);
  }

  std::size_t PrivateKeysWith(std::uint8_t id) {
    Template wanted;
    wanted.Set(CKA_CLASS, CK_ULONG{CKO_PRIVATE_KEY})
        .Set(CKA_ID, std::array{id});
    const auto found = session().FindObjects(wanted);
    EXPECT_TRUE(found.ok());
    return found.value.size();
  }

  fakes::Tpm2Token place_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(Tpm2Test, ProbeSaysWhyItIsRefused) {
  connection_.reset();
  const auto report = ProbeToken(place_.Config());
  ASSERT_OK(report);
  EXPECT_EQ(report->quirks, "tpm2");
  EXPECT_THAT(report->refusal,
              HasSubstr("the token makes no AES keys in a session "
                        "(C_GenerateKey: CKR_FUNCTION_NOT_SUPPORTED (0x54))"));
}

// So the probe, which leaves nothing behind, could not try them.
TEST_F(Tpm2Test, MakesNoKeyPairsInASession) {
  EXPECT_EQ(MakePair(1, /*on_token=*/false).rv, CKR_ATTRIBUTE_VALUE_INVALID);
  EXPECT_EQ(MakePair(1).rv, CKR_OK);
}

// A key made after another was destroyed gets the handle of a third one, which
// goes in its place: handles count what there is.
TEST_F(Tpm2Test, DestroysAnotherKeyThanTheOneItIsTold) {
  const auto first = MakePair(1);
  ASSERT_EQ(first.rv, CKR_OK);
  const auto second = MakePair(2);
  ASSERT_EQ(second.rv, CKR_OK);
  ASSERT_EQ(PrivateKeysWith(1), 1U);
  ASSERT_EQ(PrivateKeysWith(2), 1U);
  ASSERT_EQ(session().DestroyObject(first.value.public_key).rv, CKR_OK);
  const auto third = MakePair(3);
  ASSERT_EQ(third.rv, CKR_OK);
  EXPECT_EQ(third.value.public_key, second.value.private_key);
  ASSERT_EQ(session().DestroyObject(third.value.public_key).rv, CKR_OK);
  EXPECT_EQ(PrivateKeysWith(2), 0U) << "nobody has destroyed it";
}

TEST_F(Tpm2Test, ChangesWhatMustNotChange) {
  const auto made = MakePair(1);
  ASSERT_EQ(made.rv, CKR_OK);
  const ObjectHandle key = made.value.private_key;
  for (const auto& [type, value] :
       {std::pair{CKA_SENSITIVE, false}, std::pair{CKA_EXTRACTABLE, true}}) {
    EXPECT_EQ(session().SetAttributes(key, Template().Set(type, value)).rv,
              CKR_OK);
    EXPECT_EQ(session().ReadAttribute(key, type).value,
              base::Bytes{static_cast<std::uint8_t>(value)});
  }
}

// The resource manager has some 27 places for each program. A pair takes two,
// and keeps them when it is destroyed: tpm2-pkcs11, issue 900.
TEST_F(Tpm2Test, TpmIsFullAfterAFewKeys) {
  int made = 0;
  for (; made < 27; ++made) {
    const auto pair = MakePair(1);
    if (!pair.ok()) {
      EXPECT_EQ(pair.rv, CKR_GENERAL_ERROR);
      break;
    }
    ASSERT_EQ(session().DestroyObject(pair.value.private_key).rv, CKR_OK);
    ASSERT_EQ(session().DestroyObject(pair.value.public_key).rv, CKR_OK);
  }
  EXPECT_LE(made, 14);
  LogIn();
  EXPECT_EQ(MakePair(1).rv, CKR_OK);
}

}  // namespace
}  // namespace hsm::token
