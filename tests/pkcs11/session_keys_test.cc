// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/pkcs11/key_making_test.h"

namespace pkcs11::module {
namespace {

using testing::IsEmpty;

constexpr std::string_view kMessage = "the message";

TokenOptions WithoutPairs() {
  TokenOptions options;
  options.session_keypairs = false;
  return options;
}

// Key pairs of sessions, and HMAC.
class SessionKeysTest : public KeyMakingTest {
 protected:
  explicit SessionKeysTest(TokenOptions options = {})
      : KeyMakingTest(std::move(options)) {}

  CK_RV MakeCurvePair(CK_MECHANISM_TYPE type, std::string_view params,
                      Rows of_private = {}) {
    base::Bytes bytes = *base::HexDecode(params);
    return MakePair(type, {{CKA_EC_PARAMS, bytes.data(), bytes.size()}},
                    std::move(of_private));
  }
  CK_OBJECT_HANDLE MakeSecret(CK_KEY_TYPE type, base::Bytes value) {
    CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
    CK_ATTRIBUTE rows[] = {Row(CKA_CLASS, secret),
                           Row(CKA_KEY_TYPE, type),
                           {CKA_VALUE, value.data(), value.size()}};
    CK_OBJECT_HANDLE key = 0;
    EXPECT_EQ(C_CreateObject(session_, rows, 3, &key), CKR_OK);
    return key;
  }
  void ExpectSigns(CK_MECHANISM mechanism) {
    base::Bytes signature;
    const base::ByteView message = base::AsBytes(kMessage);
    ASSERT_EQ(Sign(mechanism, private_, message, &signature), CKR_OK)
        << mechanism.mechanism;
    EXPECT_EQ(Verify(mechanism, public_, message, signature), CKR_OK)
        << mechanism.mechanism;
    signature.back() ^= 1U;
    EXPECT_EQ(Verify(mechanism, public_, message, signature),
              CKR_SIGNATURE_INVALID);
  }
};

class WithoutSessionPairsTest : public SessionKeysTest {
 protected:
  WithoutSessionPairsTest() : SessionKeysTest(WithoutPairs()) {}
};

// As keytool asks for it: no CKA_TOKEN, and nothing about the private key.
TEST_F(SessionKeysTest, RsaPairsSignAndDecryptWithoutTheKms) {
  ASSERT_EQ(
      MakePair(CKM_RSA_PKCS_KEY_PAIR_GEN, {Row(CKA_MODULUS_BITS, bits_)}, {}),
      CKR_OK);
  EXPECT_EQ(Number(public_, CKA_MODULUS_BITS), 2048U);
  EXPECT_EQ(Value(public_, CKA_MODULUS), Value(private_, CKA_MODULUS));
  for (const CK_MECHANISM_TYPE type :
       {CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS, CKM_SHA512_RSA_PKCS}) {
    ExpectSigns({type, nullptr, 0});
  }
  CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};
  ExpectSigns({CKM_SHA256_RSA_PKCS_PSS, &pss, sizeof(pss)});
  base::Bytes out;
  EXPECT_EQ(Sign({CKM_RSA_PKCS, nullptr, 0}, private_, base::Bytes(246), &out),
            CKR_DATA_LEN_RANGE);
  CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA256, CKG_MGF1_SHA256, 1, nullptr, 0};
  CK_MECHANISM mechanism = {CKM_RSA_PKCS_OAEP, &oaep, sizeof(oaep)};
  std::array<CK_BYTE, 256> text{};
  std::array<CK_BYTE, 256> back{};
  CK_ULONG size = text.size();
  ASSERT_EQ(C_EncryptInit(session_, &mechanism, public_), CKR_OK);
  ASSERT_EQ(C_Encrypt(session_, Unconst(base::AsBytes(kMessage)),
                      kMessage.size(), text.data(), &size),
            CKR_OK);
  CK_ULONG back_size = back.size();
  ASSERT_EQ(C_DecryptInit(session_, &mechanism, private_), CKR_OK);
  ASSERT_EQ(C_Decrypt(session_, text.data(), size, back.data(), &back_size),
            CKR_OK);
  EXPECT_EQ(base::AsText({back.data(), back_size}), kMessage);
  text[9] ^= 1U;
  ASSERT_EQ(C_DecryptInit(session_, &mechanism, private_), CKR_OK);
  back_size = back.size();
  EXPECT_EQ(C_Decrypt(session_, text.data(), size, back.data(), &back_size),
            CKR_ENCRYPTED_DATA_INVALID);
  EXPECT_EQ(kms_->Calls(), 0);
}

TEST_F(SessionKeysTest, PairsOnEveryCurveSign) {
  for (const char* params : {"06082a8648ce3d030107", "06052b81040022",
                             "06052b81040023", "06052b8104000a"}) {
    ASSERT_EQ(MakeCurvePair(CKM_EC_KEY_PAIR_GEN, params), CKR_OK) << params;
    for (const CK_MECHANISM_TYPE type :
         {CKM_ECDSA, CKM_ECDSA_SHA1, CKM_ECDSA_SHA256, CKM_ECDSA_SHA512}) {
      ExpectSigns({type, nullptr, 0});
    }
  }
  for (const char* params : {"06032b6570", "130c656477617264733235353139"}) {
    ASSERT_EQ(MakeCurvePair(CKM_EC_EDWARDS_KEY_PAIR_GEN, params), CKR_OK);
    ExpectSigns({CKM_EDDSA, nullptr, 0});
  }
  EXPECT_EQ(kms_->Calls(), 0);
}

// Whatever is asked: there is no way out for a private key.
TEST_F(SessionKeysTest, APrivateKeyOfASessionIsNeverSeen) {
  ASSERT_EQ(
      MakeCurvePair(CKM_EC_KEY_PAIR_GEN, "06082a8648ce3d030107",
                    {Row(CKA_SENSITIVE, no_), Row(CKA_EXTRACTABLE, yes_)}),
      CKR_OK);
  EXPECT_TRUE(Flag(private_, CKA_SENSITIVE));
  EXPECT_FALSE(Flag(private_, CKA_EXTRACTABLE));
  EXPECT_TRUE(Flag(private_, CKA_NEVER_EXTRACTABLE));
  CK_ATTRIBUTE row = {CKA_VALUE, nullptr, 0};
  EXPECT_EQ(C_GetAttributeValue(session_, private_, &row, 1),
            CKR_ATTRIBUTE_SENSITIVE);
  CK_OBJECT_HANDLE copy = 0;
  row = Row(CKA_TOKEN, yes_);
  EXPECT_EQ(C_CopyObject(session_, private_, &row, 1, &copy),
            CKR_ACTION_PROHIBITED);
  ASSERT_EQ(C_CopyObject(session_, private_, nullptr, 0, &copy), CKR_OK);
  private_ = copy;
  ExpectSigns({CKM_ECDSA_SHA256, nullptr, 0});
  EXPECT_EQ(kms_->Calls(), 0);
}

TEST_F(SessionKeysTest, AKeyDoesWhatItsTemplateAllows) {
  CK_MECHANISM_TYPE allowed[] = {CKM_ECDSA_SHA384};
  ASSERT_EQ(MakeCurvePair(CKM_EC_KEY_PAIR_GEN, "06082a8648ce3d030107",
                          {Row(CKA_ALLOWED_MECHANISMS, allowed)}),
            CKR_OK);
  ExpectSigns({CKM_ECDSA_SHA384, nullptr, 0});
  CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
  EXPECT_EQ(C_SignInit(session_, &mechanism, private_),
            CKR_KEY_FUNCTION_NOT_PERMITTED);
  ASSERT_EQ(MakeCurvePair(CKM_EC_KEY_PAIR_GEN, "06082a8648ce3d030107",
                          {Row(CKA_SIGN, no_), Row(CKA_DECRYPT, yes_)}),
            CKR_OK);
  EXPECT_EQ(C_SignInit(session_, &mechanism, private_),
            CKR_KEY_FUNCTION_NOT_PERMITTED);
  EXPECT_FALSE(Flag(private_, CKA_DECRYPT));  // No such use on a curve.
  EXPECT_TRUE(Flag(private_, CKA_DERIVE));
  mechanism.mechanism = CKM_RSA_PKCS;
  EXPECT_EQ(C_SignInit(session_, &mechanism, private_),
            CKR_KEY_TYPE_INCONSISTENT);
}

TEST_F(SessionKeysTest, OperationsOutliveTheirKeys) {
  ASSERT_EQ(MakeCurvePair(CKM_EC_KEY_PAIR_GEN, "06052b81040022"), CKR_OK);
  CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, nullptr, 0};
  ASSERT_EQ(C_SignInit(session_, &mechanism, private_), CKR_OK);
  ASSERT_EQ(C_DestroyObject(session_, private_), CKR_OK);
  base::Bytes signature(96);
  CK_ULONG size = signature.size();
  ASSERT_EQ(C_Sign(session_, Unconst(base::AsBytes(kMessage)), kMessage.size(),
                   signature.data(), &size),
            CKR_OK);
  EXPECT_EQ(Verify(mechanism, public_, base::AsBytes(kMessage), signature),
            CKR_OK);
}

TEST_F(WithoutSessionPairsTest, TheConfigurationMayForbidThem) {
  EXPECT_EQ(MakeCurvePair(CKM_EC_KEY_PAIR_GEN, "06052b81040022"),
            CKR_TEMPLATE_INCONSISTENT);
  EXPECT_THAT(FindAll({}), IsEmpty());
  EXPECT_EQ(kms_->Calls("CreateKey"), 0);
}

// RFC 4231, test cases 1, 2, 6.
TEST_F(SessionKeysTest, HmacIsThatOfTheRfc) {
  const struct {
    base::Bytes key;
    std::string message;
    CK_MECHANISM_TYPE mechanism;
    const char* mac;
  } cases[] = {
      {base::Bytes(20, 0x0b), "Hi There", CKM_SHA224_HMAC,
       "896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22"},
      {base::Bytes(20, 0x0b), "Hi There", CKM_SHA256_HMAC,
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {*base::HexDecode("4a656665"), "what do ya want for nothing?",
       CKM_SHA384_HMAC,
       "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
       "8e2240ca5e69e2c78b3239ecfab21649"},
      {base::Bytes(131, 0xaa),
       "Test Using Larger Than Block-Size Key - Hash Key First",
       CKM_SHA512_HMAC,
       "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
       "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
  };
  for (const auto& each : cases) {
    const CK_OBJECT_HANDLE key = MakeSecret(CKK_GENERIC_SECRET, each.key);
    const CK_MECHANISM mechanism = {each.mechanism, nullptr, 0};
    const base::ByteView message = base::AsBytes(each.message);
    base::Bytes mac;
    ASSERT_EQ(Sign(mechanism, key, message, &mac), CKR_OK);
    EXPECT_EQ(base::HexEncode(mac), each.mac);
    EXPECT_EQ(Verify(mechanism, key, message, mac), CKR_OK);
    mac.front() ^= 0x80U;
    EXPECT_EQ(Verify(mechanism, key, message, mac), CKR_SIGNATURE_INVALID);
    mac.pop_back();
    EXPECT_EQ(Verify(mechanism, key, message, mac), CKR_SIGNATURE_LEN_RANGE);
  }
  EXPECT_EQ(kms_->Calls(), 0);
}

TEST_F(SessionKeysTest, HmacIsCutToTheLengthInTheParameter) {
  const CK_OBJECT_HANDLE key =
      MakeSecret(CKK_SHA256_HMAC, base::Bytes(20, 0x0b));
  CK_ULONG length = 16;
  const CK_MECHANISM mechanism = {CKM_SHA256_HMAC_GENERAL, &length,
                                  sizeof(length)};
  base::Bytes mac;
  ASSERT_EQ(Sign(mechanism, key, base::AsBytes("Hi There"), &mac), CKR_OK);
  EXPECT_EQ(base::HexEncode(mac), "b0344c61d8db38535ca8afceaf0bf12b");
  EXPECT_EQ(Verify(mechanism, key, base::AsBytes("Hi There"), mac), CKR_OK);
  for (CK_ULONG bad : {0UL, 33UL, ~0UL}) {
    length = bad;
    EXPECT_EQ(Sign(mechanism, key, base::AsBytes("Hi There"), &mac),
              CKR_MECHANISM_PARAM_INVALID);
  }
  EXPECT_EQ(Sign({CKM_SHA256_HMAC_GENERAL, nullptr, 0}, key, {}, &mac),
            CKR_MECHANISM_PARAM_INVALID);
  EXPECT_EQ(Sign({CKM_SHA256_HMAC, &length, sizeof(length)}, key, {}, &mac),
            CKR_MECHANISM_PARAM_INVALID);
  EXPECT_EQ(Sign({CKM_SHA384_HMAC, nullptr, 0}, key, {}, &mac),
            CKR_KEY_TYPE_INCONSISTENT);
  EXPECT_EQ(Sign({CKM_SHA256_HMAC, nullptr, 0}, key, {}, &mac), CKR_OK);
}

TEST_F(SessionKeysTest, MacsStreamAndAreNotLimitedAsTheKmsIs) {
  const CK_OBJECT_HANDLE key = MakeSecret(CKK_GENERIC_SECRET, {1});
  CK_MECHANISM mechanism = {CKM_SHA256_HMAC, nullptr, 0};
  base::Bytes message(10000, 'x');
  base::Bytes whole;
  ASSERT_EQ(Sign(mechanism, key, message, &whole), CKR_OK);
  ASSERT_EQ(C_SignInit(session_, &mechanism, key), CKR_OK);
  ASSERT_EQ(C_SignUpdate(session_, message.data(), 9999), CKR_OK);
  ASSERT_EQ(C_SignUpdate(session_, message.data(), 1), CKR_OK);
  base::Bytes mac(32);
  CK_ULONG size = 31;
  EXPECT_EQ(C_SignFinal(session_, mac.data(), &size), CKR_BUFFER_TOO_SMALL);
  EXPECT_EQ(size, 32U);
  ASSERT_EQ(C_SignFinal(session_, mac.data(), &size), CKR_OK);
  EXPECT_EQ(mac, whole);
}

}  // namespace
}  // namespace pkcs11::module
