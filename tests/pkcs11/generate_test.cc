// SPDX-License-Identifier: Apache-2.0
// What the templates of C_GenerateKey and C_GenerateKeyPair may say.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/pkcs11/key_making_test.h"

namespace pkcs11::module {
namespace {

class GenerateTest : public KeyMakingTest {
 protected:
  explicit GenerateTest(TokenOptions options = {})
      : KeyMakingTest(std::move(options)) {}

  CK_RV MakeRsa(Rows of_public, Rows of_private) {
    of_public.push_back(Row(CKA_MODULUS_BITS, bits_));
    of_private.push_back(Row(CKA_TOKEN, yes_));
    return MakePair(CKM_RSA_PKCS_KEY_PAIR_GEN, std::move(of_public),
                    std::move(of_private));
  }
  CK_RV MakeOnCurve(base::Bytes& params, Rows of_public, Rows of_private) {
    of_public.push_back({CKA_EC_PARAMS, params.data(), params.size()});
    of_private.push_back(Row(CKA_TOKEN, yes_));
    return MakePair(CKM_EC_KEY_PAIR_GEN, std::move(of_public),
                    std::move(of_private));
  }
  // What the templates get: a usage, or the CK_RV of the refusal.
  std::string RsaUsage(Rows of_public, Rows of_private) {
    return UsageAfter(MakeRsa(std::move(of_public), std::move(of_private)));
  }
  std::string EcUsage(Rows of_public, Rows of_private) {
    return UsageAfter(
        MakeOnCurve(p256_, std::move(of_public), std::move(of_private)));
  }

  CK_ULONG length_ = 32;
  base::Bytes p256_ = *base::HexDecode("06082a8648ce3d030107");
  base::Bytes p256k1_ = *base::HexDecode("06052b8104000a");

 private:
  std::string UsageAfter(CK_RV rv) const {
    return rv == CKR_OK                      ? UsageOf(private_)
           : rv == CKR_TEMPLATE_INCONSISTENT ? "inconsistent"
                                             : "another error";
  }
};

// `p11tool --generate-privkey=rsa --mark-decrypt` is the first.
TEST_F(GenerateTest, ThePrivateKeysUsesWinOverThePublicKeys) {
  const CK_ATTRIBUTE encrypts = Row(CKA_ENCRYPT, yes_);
  const CK_ATTRIBUTE verifies = Row(CKA_VERIFY, yes_);
  const CK_ATTRIBUTE decrypts = Row(CKA_DECRYPT, yes_);
  const CK_ATTRIBUTE signs_not = Row(CKA_SIGN, no_);
  const CK_ATTRIBUTE derives = Row(CKA_DERIVE, yes_);
  EXPECT_EQ(RsaUsage({encrypts, verifies}, {decrypts, signs_not}),
            "ENCRYPT_DECRYPT");
  EXPECT_EQ(RsaUsage({encrypts, verifies}, {decrypts}), "ENCRYPT_DECRYPT");
  EXPECT_EQ(RsaUsage({encrypts, verifies}, {decrypts, Row(CKA_SIGN, yes_)}),
            "SIGN_VERIFY");
  EXPECT_EQ(RsaUsage({encrypts}, {signs_not}), "ENCRYPT_DECRYPT");
  EXPECT_EQ(RsaUsage({Row(CKA_WRAP, yes_)}, {}), "ENCRYPT_DECRYPT");
  EXPECT_EQ(RsaUsage({}, {signs_not}), "ENCRYPT_DECRYPT");
  EXPECT_EQ(EcUsage({verifies}, {derives, signs_not}), "KEY_AGREEMENT");
  EXPECT_EQ(EcUsage({verifies}, {derives}), "KEY_AGREEMENT");
  EXPECT_EQ(EcUsage({derives}, {signs_not}), "KEY_AGREEMENT");
  EXPECT_EQ(EcUsage({derives}, {}), "KEY_AGREEMENT");
  // OpenSSL's provider.
  EXPECT_EQ(EcUsage({derives, verifies, Row(CKA_WRAP, yes_)},
                    {derives, Row(CKA_SIGN, yes_), Row(CKA_UNWRAP, yes_)}),
            "SIGN_VERIFY");
}

TEST_F(GenerateTest, WithoutAWordAboutUsesAPairSigns) {
  EXPECT_EQ(RsaUsage({}, {}), "SIGN_VERIFY");
  EXPECT_EQ(EcUsage({}, {Row(CKA_DERIVE, no_)}), "SIGN_VERIFY");
}

TEST_F(GenerateTest, NoKeyIsMadeForAUseThatIsNotWanted) {
  const CK_ATTRIBUTE signs_not = Row(CKA_SIGN, no_);
  EXPECT_EQ(RsaUsage({}, {signs_not, Row(CKA_DECRYPT, no_)}), "inconsistent");
  EXPECT_EQ(RsaUsage({Row(CKA_ENCRYPT, yes_), Row(CKA_VERIFY, no_)},
                     {signs_not, Row(CKA_DECRYPT, no_)}),
            "inconsistent");
  EXPECT_EQ(RsaUsage({Row(CKA_VERIFY, yes_)}, {signs_not}), "inconsistent");
  EXPECT_EQ(EcUsage({}, {signs_not, Row(CKA_DERIVE, no_)}), "inconsistent");
  EXPECT_EQ(EcUsage({}, {Row(CKA_DECRYPT, yes_)}), "inconsistent");
  EXPECT_EQ(MakeOnCurve(p256k1_, {}, {Row(CKA_DERIVE, yes_)}),
            CKR_TEMPLATE_INCONSISTENT);
  EXPECT_EQ(kms_->Calls("CreateKey"), 0);
}

// On the token and in a session.
TEST_F(GenerateTest, TemplatesThatContradictTheMechanismAreRefused) {
  CK_OBJECT_CLASS certificate = CKO_CERTIFICATE;
  CK_KEY_TYPE rsa = CKK_RSA;
  CK_BYTE part[4] = {1, 2, 3, 4};
  const CK_ATTRIBUTE curve = {CKA_EC_PARAMS, p256_.data(), p256_.size()};
  for (CK_BBOOL on_token : {yes_, no_}) {
    const CK_ATTRIBUTE place = Row(CKA_TOKEN, on_token);
    for (const CK_ATTRIBUTE& row :
         {Row(CKA_CLASS, certificate), Row(CKA_KEY_TYPE, rsa),
          Row(CKA_VALUE, part), Row(CKA_PRIVATE_EXPONENT, part),
          Row(CKA_PRIME_1, part), Row(CKA_MODULUS_BITS, bits_),
          Row(CKA_MODULUS, part), Row(CKA_EC_POINT, part)}) {
      EXPECT_EQ(MakePair(CKM_EC_KEY_PAIR_GEN, {curve, row}, {place}),
                CKR_TEMPLATE_INCONSISTENT)
          << row.type;
      EXPECT_EQ(MakePair(CKM_EC_KEY_PAIR_GEN, {curve}, {place, row}),
                CKR_TEMPLATE_INCONSISTENT)
          << row.type;
    }
    const CK_ATTRIBUTE length = Row(CKA_VALUE_LEN, length_);
    for (const CK_ATTRIBUTE& row :
         {Row(CKA_CLASS, certificate), Row(CKA_KEY_TYPE, rsa),
          Row(CKA_VALUE, part), Row(CKA_MODULUS_BITS, bits_), curve}) {
      for (const CK_MECHANISM_TYPE type :
           {CKM_AES_KEY_GEN, CKM_GENERIC_SECRET_KEY_GEN}) {
        EXPECT_EQ(GenerateSecret(type, {place, length, row}),
                  CKR_TEMPLATE_INCONSISTENT)
            << row.type;
      }
    }
  }
  EXPECT_EQ(kms_->Calls("CreateKey"), 0);
}

TEST_F(GenerateTest, ValuesThatAreNoneOfTheirAttributeAreRefused) {
  CK_BYTE four[4] = {1, 0, 0, 0};
  for (CK_BBOOL on_token : {yes_, no_}) {
    const CK_ATTRIBUTE place = Row(CKA_TOKEN, on_token);
    const CK_ATTRIBUTE bits = Row(CKA_MODULUS_BITS, bits_);
    for (const CK_ATTRIBUTE& row :
         {Row(CKA_SIGN, four), Row(CKA_SENSITIVE, four), Row(CKA_CLASS, four),
          Row(CKA_KEY_TYPE, four)}) {
      EXPECT_EQ(MakePair(CKM_RSA_PKCS_KEY_PAIR_GEN, {bits}, {place, row}),
                CKR_ATTRIBUTE_VALUE_INVALID)
          << row.type;
    }
    EXPECT_EQ(MakePair(CKM_RSA_PKCS_KEY_PAIR_GEN, {Row(CKA_MODULUS_BITS, four)},
                       {place}),
              CKR_ATTRIBUTE_VALUE_INVALID);
    EXPECT_EQ(
        GenerateSecret(CKM_AES_KEY_GEN, {place, Row(CKA_VALUE_LEN, four)}),
        CKR_ATTRIBUTE_VALUE_INVALID);
  }
  EXPECT_EQ(kms_->Calls("CreateKey"), 0);
}

// No key of the KMS asks for a PIN each time.
TEST_F(GenerateTest, WithoutALoginNoKeyAlwaysAuthenticates) {
  EXPECT_EQ(MakeRsa({}, {Row(CKA_ALWAYS_AUTHENTICATE, yes_)}),
            CKR_TEMPLATE_INCONSISTENT);
  EXPECT_EQ(kms_->Calls("CreateKey"), 0);
  EXPECT_EQ(MakeRsa({}, {Row(CKA_ALWAYS_AUTHENTICATE, no_)}), CKR_OK);
}

}  // namespace
}  // namespace pkcs11::module
