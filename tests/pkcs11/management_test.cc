// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tests/pkcs11/key_making_test.h"

namespace pkcs11::module {
namespace {

using base::Error;
using base::ErrorCode;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// The templates are those that the programs named were seen to send.
class ManagementTest : public KeyMakingTest {
 protected:
  CK_BYTE exponent_[3] = {1, 0, 1};
  CK_BYTE id_[20] = {7};
  base::Bytes p384_ = *base::HexDecode("06052b81040022");
};

TEST_F(ManagementTest, RsaAsPkcs11ToolAsksForIt) {
  CK_KEY_TYPE type = CKK_RSA;
  ASSERT_EQ(
      MakePair(CKM_RSA_PKCS_KEY_PAIR_GEN,
               {Row(CKA_TOKEN, yes_), Row(CKA_MODULUS_BITS, bits_),
                Row(CKA_PUBLIC_EXPONENT, exponent_), Row(CKA_VERIFY, yes_),
                Row(CKA_KEY_TYPE, type), TextRow(CKA_LABEL, "web server"),
                Row(CKA_PRIVATE, no_)},
               {Row(CKA_TOKEN, yes_), Row(CKA_PRIVATE, yes_),
                Row(CKA_SENSITIVE, yes_), Row(CKA_SIGN, yes_),
                Row(CKA_KEY_TYPE, type), TextRow(CKA_LABEL, "web server")}),
      CKR_OK);
  EXPECT_EQ(SpecOf(private_), "RSA_2048");
  EXPECT_EQ(UsageOf(public_), "SIGN_VERIFY");
  EXPECT_EQ(Find(CKO_PRIVATE_KEY, "web server"), private_);
  EXPECT_EQ(kms_->Calls("CreateAlias"), 0);  // Not with a space.
}

TEST_F(ManagementTest, SigningWinsOverEveryOtherUse) {
  // p11tool, for RSA; pkcs11-tool, for curves.
  ASSERT_EQ(MakePair(CKM_RSA_PKCS_KEY_PAIR_GEN,
                     {Row(CKA_MODULUS_BITS, bits_), Row(CKA_ID, id_),
                      Row(CKA_ENCRYPT, yes_), Row(CKA_VERIFY, yes_)},
                     {Row(CKA_TOKEN, yes_), Row(CKA_ID, id_),
                      Row(CKA_DECRYPT, yes_), Row(CKA_SIGN, yes_)}),
            CKR_OK);
  EXPECT_EQ(UsageOf(private_), "SIGN_VERIFY");
  EXPECT_THAT(Value(private_, CKA_ID), SizeIs(20));
  const CK_ATTRIBUTE curve = {CKA_EC_PARAMS, p384_.data(), p384_.size()};
  ASSERT_EQ(MakePair(CKM_EC_KEY_PAIR_GEN,
                     {curve, Row(CKA_VERIFY, yes_), Row(CKA_DERIVE, yes_)},
                     {Row(CKA_TOKEN, yes_), Row(CKA_SIGN, yes_),
                      Row(CKA_DERIVE, yes_)}),
            CKR_OK);
  EXPECT_EQ(SpecOf(private_), "ECC_NIST_P384");
  EXPECT_EQ(UsageOf(private_), "SIGN_VERIFY");
  ASSERT_EQ(MakePair(CKM_EC_KEY_PAIR_GEN, {curve},
                     {Row(CKA_TOKEN, yes_), Row(CKA_DERIVE, yes_)}),
            CKR_OK);
  EXPECT_EQ(UsageOf(private_), "KEY_AGREEMENT");
  ASSERT_EQ(MakePair(CKM_RSA_PKCS_KEY_PAIR_GEN, {Row(CKA_MODULUS_BITS, bits_)},
                     {Row(CKA_TOKEN, yes_), Row(CKA_UNWRAP, yes_)}),
            CKR_OK);
  EXPECT_EQ(UsageOf(private_), "ENCRYPT_DECRYPT");
}

TEST_F(ManagementTest, SecretKeysByTheirLength) {
  CK_ULONG length = 32;
  ASSERT_EQ(GenerateSecret(CKM_AES_KEY_GEN,
                           {Row(CKA_TOKEN, yes_), Row(CKA_VALUE_LEN, length),
                            Row(CKA_SENSITIVE, no_), Row(CKA_ENCRYPT, yes_)}),
            CKR_OK);
  EXPECT_EQ(SpecOf(private_), "SYMMETRIC_DEFAULT");
  ASSERT_EQ(
      GenerateSecret(CKM_GENERIC_SECRET_KEY_GEN,
                     {Row(CKA_TOKEN, yes_), Row(CKA_VALUE_LEN, length),
                      Row(CKA_ENCRYPT, yes_), TextRow(CKA_LABEL, "a-mac")}),
      CKR_OK);
  EXPECT_EQ(SpecOf(private_), "HMAC_256");
  EXPECT_EQ(kms_->Calls("CreateAlias"), 1);
  length = 16;
  for (const CK_MECHANISM_TYPE type :
       {CKM_AES_KEY_GEN, CKM_GENERIC_SECRET_KEY_GEN}) {
    EXPECT_EQ(GenerateSecret(
                  type, {Row(CKA_TOKEN, yes_), Row(CKA_VALUE_LEN, length)}),
              CKR_KEY_SIZE_RANGE);
  }
  length = ~0UL;
  EXPECT_EQ(GenerateSecret(CKM_AES_KEY_GEN,
                           {Row(CKA_TOKEN, yes_), Row(CKA_VALUE_LEN, length)}),
            CKR_KEY_SIZE_RANGE);
}

TEST_F(ManagementTest, WhatKmsCannotMakeIsRefusedBeforeItIsAsked) {
  CK_ULONG small = 1024;
  CK_BYTE three[1] = {3};
  CK_BYTE brainpool[4] = {6, 2, 1, 2};
  const Rows stays = {Row(CKA_TOKEN, yes_)};
  EXPECT_EQ(MakePair(CKM_RSA_PKCS_KEY_PAIR_GEN, {Row(CKA_MODULUS_BITS, small)},
                     stays),
            CKR_KEY_SIZE_RANGE);
  EXPECT_EQ(MakePair(CKM_RSA_PKCS_KEY_PAIR_GEN, {}, stays),
            CKR_TEMPLATE_INCOMPLETE);
  EXPECT_EQ(
      MakePair(CKM_RSA_PKCS_KEY_PAIR_GEN,
               {Row(CKA_MODULUS_BITS, bits_), Row(CKA_PUBLIC_EXPONENT, three)},
               stays),
      CKR_ATTRIBUTE_VALUE_INVALID);
  EXPECT_EQ(MakePair(CKM_EC_KEY_PAIR_GEN, {}, stays), CKR_TEMPLATE_INCOMPLETE);
  EXPECT_EQ(
      MakePair(CKM_EC_KEY_PAIR_GEN, {Row(CKA_EC_PARAMS, brainpool)}, stays),
      CKR_CURVE_NOT_SUPPORTED);
  EXPECT_EQ(MakePair(CKM_RSA_PKCS, {}, stays), CKR_MECHANISM_INVALID);
  // A session pair is never a key of the KMS.
  EXPECT_EQ(
      MakePair(CKM_RSA_PKCS_KEY_PAIR_GEN, {Row(CKA_MODULUS_BITS, bits_)}, {}),
      CKR_OK);
  EXPECT_EQ(kms_->Calls("CreateKey"), 0);
}

TEST_F(ManagementTest, LabelAndIdAreIndependentAndSettable) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "old");
  const CK_OBJECT_HANDLE key = Find(CKO_PRIVATE_KEY, "old");
  CK_BYTE id[2] = {0x00, 0xFF};
  CK_ATTRIBUTE row = Row(CKA_ID, id);
  ASSERT_EQ(C_SetAttributeValue(session_, key, &row, 1), CKR_OK);
  EXPECT_THAT(Value(key, CKA_ID), ElementsAre(0x00, 0xFF));
  EXPECT_EQ(base::AsText(Value(key, CKA_LABEL)), "old");
  row = TextRow(CKA_LABEL, "new label");
  ASSERT_EQ(C_SetAttributeValue(session_, key, &row, 1), CKR_OK);
  EXPECT_EQ(Find(CKO_PRIVATE_KEY, "new label"), key);
  EXPECT_THAT(Value(key, CKA_ID), ElementsAre(0x00, 0xFF));
  row = Row(CKA_SIGN, no_);
  EXPECT_EQ(C_SetAttributeValue(session_, key, &row, 1),
            CKR_ATTRIBUTE_READ_ONLY);
  EXPECT_EQ(kms_->Calls("TagResource"), 2);
}

TEST_F(ManagementTest, ADestroyedKeyIsGoneAtOnceAndDeletedLater) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  const CK_OBJECT_HANDLE key = Find(CKO_PRIVATE_KEY, "ec");
  const CK_OBJECT_HANDLE pub = Find(CKO_PUBLIC_KEY, "ec");
  ASSERT_EQ(C_DestroyObject(session_, key), CKR_OK);
  CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
  EXPECT_EQ(C_SignInit(session_, &mechanism, key), CKR_KEY_HANDLE_INVALID);
  EXPECT_EQ(C_VerifyInit(session_, &mechanism, pub), CKR_KEY_HANDLE_INVALID);
  EXPECT_EQ(kms_->LastRequest("ScheduleKeyDeletion")["PendingWindowInDays"],
            30);
  EXPECT_THAT(FindAll({}), IsEmpty());
  EXPECT_EQ(C_DestroyObject(session_, key), CKR_OBJECT_HANDLE_INVALID);
}

// keytool -changealias does so: to it, the old alias is another entry.
TEST_F(ManagementTest, WhoRenamesAKeyCannotDestroyIt) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  const CK_OBJECT_HANDLE key = Find(CKO_PRIVATE_KEY, "ec");
  CK_BYTE other[2] = {0x01, 0x02};
  CK_ATTRIBUTE row = Row(CKA_ID, other);
  ASSERT_EQ(C_SetAttributeValue(session_, key, &row, 1), CKR_OK);
  EXPECT_EQ(C_DestroyObject(session_, key), CKR_ACTION_PROHIBITED);
  EXPECT_EQ(kms_->Calls("ScheduleKeyDeletion"), 0);
  EXPECT_EQ(Find(CKO_PRIVATE_KEY, "ec"), key);
}

TEST_F(ManagementTest, WhoGivesAKeyTheIdItHasMayDestroyIt) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  const CK_OBJECT_HANDLE key = Find(CKO_PRIVATE_KEY, "ec");
  base::Bytes same = Value(key, CKA_ID);
  CK_ATTRIBUTE row = {CKA_ID, same.data(), same.size()};
  ASSERT_EQ(C_SetAttributeValue(session_, key, &row, 1), CKR_OK);
  EXPECT_EQ(C_DestroyObject(session_, key), CKR_OK);
}

// The standard's way to tidy up, which must not cost the private key.
TEST_F(ManagementTest, ADestroyedPublicKeyIsOnlyOutOfSight) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  const CK_OBJECT_HANDLE key = Find(CKO_PRIVATE_KEY, "ec");
  const CK_OBJECT_HANDLE pub = Find(CKO_PUBLIC_KEY, "ec");
  ASSERT_EQ(C_DestroyObject(session_, pub), CKR_OK);
  EXPECT_THAT(FindAll({}), ElementsAre(key));
  EXPECT_EQ(C_DestroyObject(session_, pub), CKR_OBJECT_HANDLE_INVALID);
  clock_->Advance(std::chrono::minutes(2));
  EXPECT_THAT(FindAll({}), ElementsAre(key));
  EXPECT_EQ(kms_->Calls("ScheduleKeyDeletion"), 0);
}

TEST_F(ManagementTest, ANewNameCostsTheUseOfKeysNoCall) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  const CK_OBJECT_HANDLE key = Find(CKO_PRIVATE_KEY, "ec");
  CK_ATTRIBUTE row = TextRow(CKA_LABEL, "new");
  ASSERT_EQ(C_SetAttributeValue(session_, key, &row, 1), CKR_OK);
  const int before = kms_->Calls();
  CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
  EXPECT_EQ(C_SignInit(session_, &mechanism, key), CKR_OK);
  EXPECT_EQ(kms_->Calls(), before);
  EXPECT_EQ(base::AsText(Value(key, CKA_LABEL)), "new");
}

TEST_F(ManagementTest, ANewKeyIsItsMakersWhateverTheListingDoes) {
  for (const char* operation :
       {"ListKeys", "ListAliases", "Claviger.ListPkcs11Objects"}) {
    kms_->Fail(operation, Error{ErrorCode::kThrottled, "later"});
  }
  CK_ULONG length = 32;
  ASSERT_EQ(GenerateSecret(CKM_AES_KEY_GEN,
                           {Row(CKA_TOKEN, yes_), Row(CKA_VALUE_LEN, length),
                            TextRow(CKA_LABEL, "mine")}),
            CKR_OK);
  for (const char* operation :
       {"ListKeys", "ListAliases", "Claviger.ListPkcs11Objects"}) {
    kms_->Fail(operation, std::nullopt);
  }
  EXPECT_EQ(Find(CKO_SECRET_KEY, "mine"), private_);
}

TEST_F(ManagementTest, AttributesThatAreNotSetAreToldApart) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  const CK_OBJECT_HANDLE key = Find(CKO_PRIVATE_KEY, "ec");
  CK_ATTRIBUTE row = Row(CKA_SIGN, yes_);
  EXPECT_EQ(C_SetAttributeValue(session_, key, &row, 1), CKR_OK);  // It is so.
  row = Row(CKA_MODULUS_BITS, bits_);
  EXPECT_EQ(C_SetAttributeValue(session_, key, &row, 1),
            CKR_ATTRIBUTE_TYPE_INVALID);
  row = TextRow(CKA_VALUE, "x");
  EXPECT_EQ(C_SetAttributeValue(session_, key, &row, 1),
            CKR_ATTRIBUTE_READ_ONLY);
  row = TextRow(CKA_LABEL, "M\xFCller");
  EXPECT_EQ(C_SetAttributeValue(session_, key, &row, 1),
            CKR_ATTRIBUTE_VALUE_INVALID);
  EXPECT_EQ(kms_->Calls("TagResource"), 0);
}

// Both are kept in tags.
TEST_F(ManagementTest, NamesThatKmsCannotKeepAreRefused) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  const CK_OBJECT_HANDLE key = Find(CKO_PRIVATE_KEY, "ec");
  std::string label;
  for (int i = 0; i < 256; ++i) {
    label.append("\xC3\xBC");
  }
  const auto set = [&](CK_ATTRIBUTE row) {
    return C_SetAttributeValue(session_, key, &row, 1);
  };
  EXPECT_EQ(set({CKA_LABEL, label.data(), label.size()}), CKR_OK);
  label.push_back('x');
  EXPECT_EQ(set({CKA_LABEL, label.data(), label.size()}),
            CKR_ATTRIBUTE_VALUE_INVALID);
  base::Bytes id(128, 1);
  EXPECT_EQ(set({CKA_ID, id.data(), id.size()}), CKR_OK);
  id.push_back(1);
  EXPECT_EQ(set({CKA_ID, id.data(), id.size()}), CKR_ATTRIBUTE_VALUE_INVALID);
  EXPECT_EQ(kms_->Calls("TagResource"), 2);
  for (const CK_ATTRIBUTE& name :
       {CK_ATTRIBUTE{CKA_LABEL, label.data(), label.size()},
        CK_ATTRIBUTE{CKA_ID, id.data(), id.size()}}) {
    EXPECT_EQ(MakePair(CKM_EC_KEY_PAIR_GEN,
                       {{CKA_EC_PARAMS, p384_.data(), p384_.size()}},
                       {Row(CKA_TOKEN, yes_), name}),
              CKR_ATTRIBUTE_VALUE_INVALID);
  }
  EXPECT_EQ(kms_->Calls("CreateKey"), 0);
}

TEST_F(ManagementTest, TypesThatContradictTheMechanismAreRefused) {
  CK_KEY_TYPE rsa = CKK_RSA;
  CK_KEY_TYPE sha256 = CKK_SHA256_HMAC;
  CK_ULONG length = 64;
  EXPECT_EQ(GenerateSecret(CKM_GENERIC_SECRET_KEY_GEN,
                           {Row(CKA_TOKEN, yes_), Row(CKA_KEY_TYPE, sha256),
                            Row(CKA_VALUE_LEN, length)}),
            CKR_TEMPLATE_INCONSISTENT);
  length = (1UL << 61U) + 32;
  EXPECT_EQ(GenerateSecret(CKM_AES_KEY_GEN,
                           {Row(CKA_TOKEN, yes_), Row(CKA_VALUE_LEN, length)}),
            CKR_KEY_SIZE_RANGE);
  EXPECT_EQ(MakePair(CKM_EC_KEY_PAIR_GEN,
                     {Row(CKA_KEY_TYPE, rsa),
                      {CKA_EC_PARAMS, p384_.data(), p384_.size()}},
                     {Row(CKA_TOKEN, yes_)}),
            CKR_TEMPLATE_INCONSISTENT);
  EXPECT_EQ(kms_->Calls("CreateKey"), 0);
}

TEST_F(ManagementTest, APolicyThatDeniesProhibitsTheAction) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  const CK_OBJECT_HANDLE key = Find(CKO_PRIVATE_KEY, "ec");
  const Error denied = {ErrorCode::kAccessDenied, "denied"};
  for (const char* operation :
       {"CreateKey", "TagResource", "ScheduleKeyDeletion"}) {
    kms_->Fail(operation, denied);
  }
  CK_ATTRIBUTE row = TextRow(CKA_LABEL, "x");
  EXPECT_EQ(C_SetAttributeValue(session_, key, &row, 1), CKR_ACTION_PROHIBITED);
  EXPECT_EQ(C_DestroyObject(session_, key), CKR_ACTION_PROHIBITED);
  EXPECT_EQ(MakePair(CKM_RSA_PKCS_KEY_PAIR_GEN, {Row(CKA_MODULUS_BITS, bits_)},
                     {Row(CKA_TOKEN, yes_)}),
            CKR_ACTION_PROHIBITED);
}

TEST_F(ManagementTest, ReadOnlySessionsChangeNothing) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  const CK_OBJECT_HANDLE key = Find(CKO_PRIVATE_KEY, "ec");
  session_ = Open(0);
  CK_ATTRIBUTE row = TextRow(CKA_LABEL, "x");
  EXPECT_EQ(C_SetAttributeValue(session_, key, &row, 1), CKR_SESSION_READ_ONLY);
  EXPECT_EQ(C_DestroyObject(session_, key), CKR_SESSION_READ_ONLY);
  EXPECT_EQ(MakePair(CKM_RSA_PKCS_KEY_PAIR_GEN, {Row(CKA_MODULUS_BITS, bits_)},
                     {Row(CKA_TOKEN, yes_)}),
            CKR_SESSION_READ_ONLY);
}

}  // namespace
}  // namespace pkcs11::module
