// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/hash.h"
#include "hsm/algorithms.h"
#include "hsm/token/attributes.h"
#include "hsm/token/connection.h"
#include "tests/hsm/pair_fixture.h"

// Key pairs as objects on SoftHSM: made, kept, checked, destroyed.
namespace hsm::token {
namespace {

std::vector<Algorithm> PairAlgorithms() {
  std::vector<Algorithm> algorithms;
  for (const AlgorithmRow& row : kAlgorithmRows) {
    if (IsKeyPair(row.kind)) {
      algorithms.push_back(row.algorithm);
    }
  }
  return algorithms;
}

// A request that the key is made for.
base::Status Use(Token& token, const KeyRef& key) {
  const AlgorithmRow& row = *FindAlgorithm(key.algorithm);
  if (row.use == KeyUse::kSign) {
    SignRequest request;
    request.key = key;
    request.scheme = row.kind == KeyKind::kRsa  ? SignatureScheme::kPss
                     : row.kind == KeyKind::kEc ? SignatureScheme::kEcdsa
                                                : SignatureScheme::kEd25519;
    request.message = base::Secret(32);
    RETURN_IF_ERROR(token.Execute(request));
  } else if (row.use == KeyUse::kAgree) {
    const PkeyOwner peer(EVP_EC_gen(row.bits == 256   ? "P-256"
                                    : row.bits == 384 ? "P-384"
                                                      : "P-521"));
    RETURN_IF_ERROR(
        token.Execute(AgreeRequest{.key = key, .public_key = DerOf(peer)}));
  } else if (row.use == KeyUse::kUnwrap) {
    ImportKeyRequest request;
    request.wrapping_key = key;
    request.wrapped = base::Bytes(static_cast<std::size_t>(row.bits) / 8);
    const auto imported = token.Execute(request);
    // As below.
    if (imported.has_value() ||
        imported.error().code != base::ErrorCode::kInvalidCiphertext) {
      return imported.has_value() ? base::Error{base::ErrorCode::kCorrupt, ""}
                                  : imported.error();
    }
  } else {
    RsaDecryptRequest request;
    request.key = key;
    request.ciphertext = base::Bytes(static_cast<std::size_t>(row.bits) / 8);
    const auto opened = token.Execute(request);
    // Of zeros there is no plaintext; that is an answer too.
    if (opened.has_value() ||
        opened.error().code != base::ErrorCode::kInvalidCiphertext) {
      return opened.has_value() ? base::Error{base::ErrorCode::kCorrupt, ""}
                                : opened.error();
    }
  }
  return {};
}

class EveryPairTest : public PairTest,
                      public testing::WithParamInterface<Algorithm> {};

INSTANTIATE_TEST_SUITE_P(All, EveryPairTest,
                         testing::ValuesIn(PairAlgorithms()));

TEST_P(EveryPairTest, LivesInTheNextProcessUntilItIsDestroyed) {
  const auto [key, public_key] = MadeOf(GetParam());
  const AlgorithmRow& row = *FindAlgorithm(GetParam());
  const PkeyOwner parsed = ParsePublic(public_key);
  if (row.kind == KeyKind::kRsa) {
    EXPECT_EQ(EVP_PKEY_get_bits(parsed.get()), row.bits);
  }
  EXPECT_EQ(DerOf(parsed), public_key);

  ASSERT_OK(Use(*token_, key));
  EXPECT_ERROR(token_->Execute(GenerateKeyPairRequest{key}), kAlreadyExists);
  Reopen();
  ASSERT_OK(Use(*token_, key));
  const auto checked = token_->Execute(CheckKeyRequest{key});
  ASSERT_OK(checked);
  EXPECT_EQ(checked->check_value, row.kind == KeyKind::kRsa
                                      ? base::ThreadHasher().Sha256(public_key)
                                      : CheckValue{});
  ASSERT_OK(token_->Execute(EvictKeyRequest{key.locator}));
  ASSERT_OK(Use(*token_, key));

  const auto listed = token_->Execute(ListKeysRequest{});
  ASSERT_OK(listed);
  ASSERT_EQ(listed->keys.size(), 1U) << "nothing but the private key";
  EXPECT_TRUE(std::ranges::equal(listed->keys[0].id, key.locator.bytes));
  ASSERT_OK(token_->Execute(DestroyKeyRequest{key.locator}));
  EXPECT_ERROR(Use(*token_, key), kNotFound);
  EXPECT_ERROR(token_->Execute(CheckKeyRequest{key}), kNotFound);
  EXPECT_ERROR(token_->Execute(DestroyKeyRequest{key.locator}), kNotFound);
}

class PairObjectsTest : public testing::Test {
 protected:
  std::set<CK_MECHANISM_TYPE> MechanismsOf(Session& session,
                                           ObjectHandle object) {
    const base::Bytes bytes =
        session.ReadAttribute(object, CKA_ALLOWED_MECHANISMS).value;
    std::set<CK_MECHANISM_TYPE> mechanisms;
    for (std::size_t at = 0; at + sizeof(CK_MECHANISM_TYPE) <= bytes.size();
         at += sizeof(CK_MECHANISM_TYPE)) {
      CK_MECHANISM_TYPE mechanism = 0;
      std::memcpy(&mechanism, &bytes[at], sizeof(mechanism));
      mechanisms.insert(mechanism);
    }
    return mechanisms;
  }

  fakes::SoftHsmToken place_;
  base::FakeClock clock_{base::WallTime{}};
};

TEST_F(PairObjectsTest, PrivateKeysHaveTheFewestPowers) {
  const struct {
    KeyRef key;
    CK_ATTRIBUTE_TYPE usage;
    std::set<CK_MECHANISM_TYPE> mechanisms;
  } cases[] = {
      {NewKey(Algorithm::kRsa2048Sign),
       CKA_SIGN,
       {CKM_RSA_PKCS, CKM_RSA_PKCS_PSS}},
      {NewKey(Algorithm::kRsa2048Decrypt),
       CKA_DECRYPT,
       {CKM_RSA_PKCS_OAEP, CKM_RSA_X_509}},
      {NewKey(Algorithm::kP256Sign), CKA_SIGN, {CKM_ECDSA}},
      {NewKey(Algorithm::kEd25519Sign), CKA_SIGN, {CKM_EDDSA}},
      {NewKey(Algorithm::kP256Agree), CKA_DERIVE, {CKM_ECDH1_DERIVE}},
  };
  {
    const auto token = Token::Open(place_.Config(), clock_);
    ASSERT_OK(token);
    for (const auto& test : cases) {
      ASSERT_OK((*token)->Execute(GenerateKeyPairRequest{test.key}));
    }
  }
  const auto connection = Connection::Open(place_.Config());
  ASSERT_OK(connection);
  Session& session = (*connection)->sessions().anchor();
  EXPECT_EQ(session.FindObjects(AllObjects()).value.size(), std::size(cases))
      << "public keys are not kept";
  for (const auto& test : cases) {
    const auto found = session.FindObjects(ObjectsWithId(test.key.locator));
    ASSERT_EQ(found.value.size(), 1U);
    std::map<CK_ATTRIBUTE_TYPE, bool> expected = {
        {CKA_TOKEN, true},
        {CKA_PRIVATE, true},
        {CKA_SENSITIVE, true},
        {CKA_EXTRACTABLE, false},
        {CKA_MODIFIABLE, false},
        {CKA_DECRYPT, false},
        {CKA_SIGN, false},
        {CKA_DERIVE, false},
        {CKA_SIGN_RECOVER, false},
        {CKA_UNWRAP, false},
        {CKA_ALWAYS_SENSITIVE, true},
        {CKA_LOCAL, true},
        {CKA_NEVER_EXTRACTABLE, true}};
    expected[test.usage] = true;
    // SoftHSM does not let a copy be less copyable.
    expected[CKA_COPYABLE] =
        FindAlgorithm(test.key.algorithm)->kind == KeyKind::kRsa;
    for (const auto& [type, value] : expected) {
      EXPECT_EQ(session.ReadAttribute(found.value[0], type).value,
                base::Bytes{value})
          << std::hex << type;
    }
    EXPECT_EQ(MechanismsOf(session, found.value[0]), test.mechanisms);
    EXPECT_EQ(session.ReadAttribute(found.value[0], CKA_LABEL).value,
              base::Bytes({'c', 'l', 'a', 'v', 'i', 'g', 'e', 'r'}));
    const bool is_rsa =
        FindAlgorithm(test.key.algorithm)->kind == KeyKind::kRsa;
    EXPECT_EQ(session
                  .ReadAttribute(found.value[0],
                                 is_rsa ? CKA_PRIVATE_EXPONENT : CKA_VALUE)
                  .rv,
              CKR_ATTRIBUTE_SENSITIVE);
  }
}

// Somebody's public key or certificate may bear our CKA_ID.
TEST_F(PairObjectsTest, PublicObjectsWithTheSameIdDoNotMatter) {
  const KeyRef key = NewKey(Algorithm::kP256Sign);
  {
    const auto token = Token::Open(place_.Config(), clock_);
    ASSERT_OK(token);
    ASSERT_OK((*token)->Execute(GenerateKeyPairRequest{key}));
  }
  {
    const auto connection = Connection::Open(place_.Config());
    ASSERT_OK(connection);
    Template theirs = PublicTemplate(key);
    theirs.Set(CKA_TOKEN, true).Set(CKA_ID, key.locator.bytes);
    ASSERT_OK(
        (*connection)
            ->sessions()
            .anchor()
            .GenerateKeyPair(CKM_EC_KEY_PAIR_GEN, theirs,
                             SessionPrivateTemplate(key, AttributeSupport{}))
            .Take());
  }
  const auto token = Token::Open(place_.Config(), clock_);
  ASSERT_OK(token);
  ASSERT_OK(Use(**token, key));
  ASSERT_OK((*token)->Execute(EvictKeyRequest{key.locator}));
  ASSERT_OK(Use(**token, key));
}

TEST_F(PairTest, OnlyPairsAreMadeAsPairs) {
  for (const Algorithm algorithm :
       {Algorithm::kXaes256Gcm, Algorithm::kAes256GcmCounter,
        Algorithm::kHmacSha256, static_cast<Algorithm>(99)}) {
    EXPECT_ERROR(token_->Execute(GenerateKeyPairRequest{NewKey(algorithm)}),
                 kInvalidArgument);
  }
  for (const Algorithm algorithm :
       {Algorithm::kRsa2048Sign, Algorithm::kP256Agree,
        static_cast<Algorithm>(99)}) {
    EXPECT_ERROR(token_->Execute(GenerateKeyRequest{NewKey(algorithm)}),
                 kInvalidArgument);
  }
  const auto listed = token_->Execute(ListKeysRequest{});
  ASSERT_OK(listed);
  EXPECT_THAT(listed->keys, testing::IsEmpty());
}

TEST_F(PairTest, AKeyServesOnlyWhatItIsFor) {
  const KeyRef signs = MadeOf(Algorithm::kP256Sign).key;
  const KeyRef agrees = MadeOf(Algorithm::kP256Agree).key;
  const KeyRef encrypts = Made();
  const PkeyOwner peer(EVP_EC_gen("P-256"));
  for (const KeyRef& key : {signs, encrypts}) {
    EXPECT_ERROR(
        token_->Execute(AgreeRequest{.key = key, .public_key = DerOf(peer)}),
        kInvalidArgument);
  }
  for (const KeyRef& key : {agrees, encrypts}) {
    EXPECT_ERROR(token_->Execute(ToSign(key, SignatureScheme::kEcdsa,
                                        Hash::kSha256, "message")),
                 kInvalidArgument);
  }
  for (const KeyRef& key : {agrees, signs, encrypts}) {
    RsaDecryptRequest decrypt;
    decrypt.key = key;
    decrypt.ciphertext = base::Bytes(256);
    EXPECT_ERROR(token_->Execute(decrypt), kInvalidArgument);
    EXPECT_ERROR(token_->Execute(MacRequest{.key = key, .message = {}}),
                 kInvalidArgument);
  }
  for (const KeyRef& key : {agrees, signs}) {
    EXPECT_ERROR(token_->Execute(ToEncrypt(key, "secret")), kInvalidArgument);
    EXPECT_ERROR(token_->Execute(ToDecrypt(key, Sealed())), kInvalidArgument);
  }
}

// The token itself refuses what a request is wrong about.
TEST_F(PairTest, AKeyOfAnotherUseThanSaidIsCorrupt) {
  KeyRef signs = MadeOf(Algorithm::kP256Sign).key;
  KeyRef agrees = MadeOf(Algorithm::kP256Agree).key;
  std::swap(signs.algorithm, agrees.algorithm);
  const PkeyOwner peer(EVP_EC_gen("P-256"));
  EXPECT_ERROR(
      token_->Execute(AgreeRequest{.key = signs, .public_key = DerOf(peer)}),
      kCorrupt);
  EXPECT_ERROR(token_->Execute(ToSign(agrees, SignatureScheme::kEcdsa,
                                      Hash::kSha256, "message")),
               kCorrupt);
  EXPECT_ERROR(token_->Execute(CheckKeyRequest{signs}), kCorrupt);
  ASSERT_OK(token_->Execute(HealthRequest{}));
}

}  // namespace
}  // namespace hsm::token
