// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/session_objects.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/pkcs11/cryptoki_test.h"

namespace pkcs11::module {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::UnorderedElementsAre;

using Rows = std::vector<CK_ATTRIBUTE>;

class SessionObjectsTest : public CryptokiTest {
 protected:
  CK_RV Create(Rows rows, CK_SESSION_HANDLE session = 0) {
    return C_CreateObject(session == 0 ? session_ : session, rows.data(),
                          rows.size(), &made_);
  }
  // The template of an AES key, and more.
  Rows Aes(Rows more = {}) {
    Rows rows = {Row(CKA_CLASS, secret_), Row(CKA_KEY_TYPE, aes_),
                 Row(CKA_VALUE, value_)};
    rows.insert(rows.end(), more.begin(), more.end());
    return rows;
  }
  CK_RV Copy(CK_OBJECT_HANDLE object, Rows rows, CK_OBJECT_HANDLE* copy) {
    return C_CopyObject(session_, object, rows.data(), rows.size(), copy);
  }
  CK_RV Set(CK_OBJECT_HANDLE object, CK_ATTRIBUTE row) {
    return C_SetAttributeValue(session_, object, &row, 1);
  }
  CK_RV Get(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
    CK_ATTRIBUTE row = {type, nullptr, 0};
    return C_GetAttributeValue(session_, object, &row, 1);
  }

  CK_BBOOL yes_ = CK_TRUE;
  CK_BBOOL no_ = CK_FALSE;
  CK_OBJECT_CLASS secret_ = CKO_SECRET_KEY;
  CK_OBJECT_CLASS data_ = CKO_DATA;
  CK_OBJECT_CLASS public_ = CKO_PUBLIC_KEY;
  CK_OBJECT_CLASS private_ = CKO_PRIVATE_KEY;
  CK_KEY_TYPE aes_ = CKK_AES;
  CK_KEY_TYPE generic_ = CKK_GENERIC_SECRET;
  CK_KEY_TYPE rsa_ = CKK_RSA;
  CK_KEY_TYPE ec_ = CKK_EC;
  CK_BYTE value_[16] = {1, 2, 3};
  CK_OBJECT_HANDLE made_ = 0;
};

TEST_F(SessionObjectsTest, TheKmsIsNotAskedForThem) {
  ASSERT_EQ(Create(Aes({TextRow(CKA_LABEL, "mine")})), CKR_OK);
  EXPECT_TRUE(IsSessionObject(made_));
  EXPECT_THAT(FindAll({Row(CKA_TOKEN, no_)}), ElementsAre(made_));
  EXPECT_EQ(Number(made_, CKA_CLASS), CKO_SECRET_KEY);
  EXPECT_EQ(Number(made_, CKA_VALUE_LEN), 16U);
  EXPECT_THAT(Value(made_, CKA_VALUE), testing::ElementsAreArray(value_));
  EXPECT_FALSE(Flag(made_, CKA_TOKEN));
  EXPECT_FALSE(Flag(made_, CKA_LOCAL));
  EXPECT_FALSE(Flag(made_, CKA_ALWAYS_SENSITIVE));
  EXPECT_FALSE(Flag(made_, CKA_NEVER_EXTRACTABLE));
  CK_ULONG size = 0;
  EXPECT_EQ(C_GetObjectSize(session_, made_, &size), CKR_OK);
  EXPECT_EQ(kms_->Calls(), 0);
  // Nor is it asked for one that is not there.
  EXPECT_EQ(Get(made_ ^ 1U, CKA_CLASS), CKR_OBJECT_HANDLE_INVALID);
  EXPECT_EQ(kms_->Calls(), 0);
}

TEST_F(SessionObjectsTest, HandlesOfTheTokenNeverHaveTheirBit) {
  for (int i = 0; i < 20; ++i) {
    kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "key" + std::to_string(i));
  }
  const auto all = FindAll({});
  EXPECT_THAT(all, SizeIs(40));
  EXPECT_THAT(all, testing::Each(testing::ResultOf(IsSessionObject, false)));
}

TEST_F(SessionObjectsTest, EverySessionSeesThemUntilTheirsIsClosed) {
  const CK_SESSION_HANDLE maker = Open(0);  // May only read the token.
  ASSERT_EQ(Create(Aes(), maker), CKR_OK);
  const CK_OBJECT_HANDLE first = made_;
  ASSERT_EQ(Create(Aes()), CKR_OK);
  EXPECT_THAT(FindAll({Row(CKA_KEY_TYPE, aes_)}),
              UnorderedElementsAre(first, made_));
  EXPECT_EQ(C_CloseSession(maker), CKR_OK);
  EXPECT_THAT(FindAll({Row(CKA_KEY_TYPE, aes_)}), ElementsAre(made_));
  EXPECT_EQ(Get(first, CKA_CLASS), CKR_OBJECT_HANDLE_INVALID);
  EXPECT_EQ(C_CloseAllSessions(0), CKR_OK);
  session_ = Open();
  EXPECT_THAT(FindAll({}), IsEmpty());
  EXPECT_EQ(Create(Aes(), maker), CKR_SESSION_HANDLE_INVALID);
}

TEST_F(SessionObjectsTest, DataIsKeptAsItIs) {
  ASSERT_EQ(Create({Row(CKA_CLASS, data_), TextRow(CKA_LABEL, "note"),
                    TextRow(CKA_APPLICATION, "test"), Row(CKA_VALUE, value_)}),
            CKR_OK);
  EXPECT_EQ(base::AsText(Value(made_, CKA_APPLICATION)), "test");
  EXPECT_THAT(Value(made_, CKA_OBJECT_ID), IsEmpty());
  EXPECT_EQ(Set(made_, TextRow(CKA_VALUE, "other")), CKR_OK);
  EXPECT_EQ(base::AsText(Value(made_, CKA_VALUE)), "other");
  EXPECT_EQ(FindAll({TextRow(CKA_VALUE, "other")}).size(), 1U);
  CK_MECHANISM mechanism = {CKM_SHA256_HMAC, nullptr, 0};
  EXPECT_EQ(C_SignInit(session_, &mechanism, made_), CKR_KEY_HANDLE_INVALID);
  EXPECT_EQ(C_DestroyObject(session_, made_), CKR_OK);
  EXPECT_EQ(C_DestroyObject(session_, made_), CKR_OBJECT_HANDLE_INVALID);
}

TEST_F(SessionObjectsTest, NothingIsPutOnTheToken) {
  EXPECT_EQ(Create(Aes({Row(CKA_TOKEN, yes_)})), CKR_ACTION_PROHIBITED);
  EXPECT_EQ(Create({Row(CKA_CLASS, data_), Row(CKA_TOKEN, yes_)}),
            CKR_ACTION_PROHIBITED);
  EXPECT_EQ(Create({Row(CKA_CLASS, private_), Row(CKA_KEY_TYPE, rsa_)}),
            CKR_ACTION_PROHIBITED);
  ASSERT_EQ(Create(Aes()), CKR_OK);
  CK_OBJECT_HANDLE copy = 0;
  EXPECT_EQ(Copy(made_, {Row(CKA_TOKEN, yes_)}, &copy), CKR_ACTION_PROHIBITED);
  EXPECT_EQ(Set(made_, Row(CKA_TOKEN, yes_)), CKR_ACTION_PROHIBITED);
  EXPECT_EQ(kms_->Calls(), 0);
}

TEST_F(SessionObjectsTest, TemplatesThatMakeNoSenseAreRefused) {
  CK_ULONG length = 17;
  CK_BYTE short_flag[2] = {1, 1};
  CK_BYTE two = 2;
  CK_BYTE odd[3] = {};
  CK_KEY_TYPE des = CKK_DES3;
  const struct {
    Rows rows;
    CK_RV rv;
  } cases[] = {
      {{}, CKR_TEMPLATE_INCOMPLETE},
      {{Row(CKA_CLASS, secret_)}, CKR_TEMPLATE_INCOMPLETE},
      {{Row(CKA_CLASS, secret_), Row(CKA_KEY_TYPE, aes_)},
       CKR_TEMPLATE_INCOMPLETE},
      {{Row(CKA_CLASS, secret_), Row(CKA_VALUE, value_),
        Row(CKA_KEY_TYPE, des)},
       CKR_ATTRIBUTE_VALUE_INVALID},
      {{Row(CKA_CLASS, secret_), Row(CKA_KEY_TYPE, aes_), Row(CKA_VALUE, odd)},
       CKR_KEY_SIZE_RANGE},
      {Aes({Row(CKA_VALUE_LEN, length)}), CKR_TEMPLATE_INCONSISTENT},
      {Aes({Row(CKA_MODULUS, odd)}), CKR_ATTRIBUTE_TYPE_INVALID},
      {Aes({Row(CKA_WRAP_TEMPLATE, odd)}), CKR_ATTRIBUTE_TYPE_INVALID},
      {Aes({Row(CKA_SIGN, short_flag)}), CKR_ATTRIBUTE_VALUE_INVALID},
      {Aes({Row(CKA_SIGN, two)}), CKR_ATTRIBUTE_VALUE_INVALID},
      {Aes({Row(CKA_START_DATE, odd)}), CKR_ATTRIBUTE_VALUE_INVALID},
      {Aes({Row(CKA_ALLOWED_MECHANISMS, odd)}), CKR_ATTRIBUTE_VALUE_INVALID},
      {Aes({Row(CKA_LOCAL, yes_)}), CKR_ATTRIBUTE_READ_ONLY},
      {Aes({Row(CKA_TRUSTED, yes_)}), CKR_ATTRIBUTE_READ_ONLY},
      {Aes({Row(CKA_ALWAYS_SENSITIVE, yes_)}), CKR_ATTRIBUTE_READ_ONLY},
      {Aes({Row(CKA_SIGN, yes_), Row(CKA_SIGN, no_)}), CKR_ARGUMENTS_BAD},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(Create(each.rows), each.rv) << (&each - cases);
  }
  CK_OBJECT_CLASS none = 0x7FFF;
  EXPECT_EQ(Create({Row(CKA_CLASS, none)}), CKR_ATTRIBUTE_VALUE_INVALID);
  EXPECT_EQ(C_CreateObject(session_, nullptr, 1, &made_), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_CreateObject(session_, nullptr, 0, nullptr), CKR_ARGUMENTS_BAD);
  EXPECT_THAT(FindAll({}), IsEmpty());
}

TEST_F(SessionObjectsTest, AttributesGetSaferAndNeverLessSafe) {
  ASSERT_EQ(Create(Aes()), CKR_OK);
  EXPECT_TRUE(Flag(made_, CKA_EXTRACTABLE));
  ASSERT_EQ(Set(made_, Row(CKA_SENSITIVE, yes_)), CKR_OK);
  EXPECT_EQ(Get(made_, CKA_VALUE), CKR_ATTRIBUTE_SENSITIVE);
  EXPECT_THAT(FindAll({Row(CKA_VALUE, value_)}), IsEmpty());
  EXPECT_EQ(Set(made_, Row(CKA_SENSITIVE, no_)), CKR_ATTRIBUTE_READ_ONLY);
  for (const CK_ATTRIBUTE_TYPE type :
       {CKA_EXTRACTABLE, CKA_ENCRYPT, CKA_WRAP}) {
    EXPECT_EQ(Set(made_, Row(type, no_)), CKR_OK);
    EXPECT_FALSE(Flag(made_, type));
    EXPECT_EQ(Set(made_, Row(type, yes_)), CKR_ATTRIBUTE_READ_ONLY);
    CK_OBJECT_HANDLE copy = 0;
    EXPECT_EQ(Copy(made_, {Row(type, yes_)}, &copy), CKR_ATTRIBUTE_READ_ONLY);
  }
  EXPECT_EQ(Set(made_, Row(CKA_VALUE, value_)), CKR_ATTRIBUTE_READ_ONLY);
  EXPECT_EQ(Set(made_, Row(CKA_KEY_TYPE, generic_)), CKR_ATTRIBUTE_READ_ONLY);
  EXPECT_EQ(Set(made_, TextRow(CKA_LABEL, "renamed")), CKR_OK);
  EXPECT_EQ(Find(CKO_SECRET_KEY, "renamed"), made_);
}

TEST_F(SessionObjectsTest, CopiesAreObjectsOfTheirOwn) {
  ASSERT_EQ(Create(Aes()), CKR_OK);
  CK_OBJECT_HANDLE copy = 0;
  ASSERT_EQ(
      Copy(made_, {Row(CKA_SENSITIVE, yes_), Row(CKA_MODIFIABLE, no_)}, &copy),
      CKR_OK);
  EXPECT_NE(copy, made_);
  EXPECT_THAT(Value(copy, CKA_UNIQUE_ID), Not(Value(made_, CKA_UNIQUE_ID)));
  EXPECT_EQ(Get(copy, CKA_VALUE), CKR_ATTRIBUTE_SENSITIVE);
  EXPECT_EQ(Get(made_, CKA_VALUE), CKR_OK);
  EXPECT_EQ(Set(copy, TextRow(CKA_LABEL, "x")), CKR_ACTION_PROHIBITED);
  ASSERT_EQ(Set(made_, Row(CKA_COPYABLE, no_)), CKR_OK);
  EXPECT_EQ(Copy(made_, {}, &copy), CKR_ACTION_PROHIBITED);
  ASSERT_EQ(Create(Aes({Row(CKA_DESTROYABLE, no_)})), CKR_OK);
  EXPECT_EQ(C_DestroyObject(session_, made_), CKR_ACTION_PROHIBITED);
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  EXPECT_EQ(Copy(Find(CKO_PRIVATE_KEY, "ec"), {}, &copy),
            CKR_ACTION_PROHIBITED);
  EXPECT_EQ(Copy(made_ ^ 1U, {}, &copy), CKR_OBJECT_HANDLE_INVALID);
}

TEST_F(SessionObjectsTest, SecretKeysAreGenerated) {
  CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, nullptr, 0};
  for (CK_ULONG length : {16UL, 24UL, 32UL}) {
    CK_ATTRIBUTE rows[] = {Row(CKA_VALUE_LEN, length), Row(CKA_SENSITIVE, yes_),
                           Row(CKA_EXTRACTABLE, no_)};
    ASSERT_EQ(C_GenerateKey(session_, &mechanism, rows, 3, &made_), CKR_OK);
    EXPECT_EQ(Number(made_, CKA_VALUE_LEN), length);
    EXPECT_EQ(Number(made_, CKA_KEY_GEN_MECHANISM), CKM_AES_KEY_GEN);
    EXPECT_TRUE(Flag(made_, CKA_LOCAL));
    EXPECT_TRUE(Flag(made_, CKA_ALWAYS_SENSITIVE));
    EXPECT_TRUE(Flag(made_, CKA_NEVER_EXTRACTABLE));
  }
  CK_ULONG length = 15;
  CK_ATTRIBUTE row = Row(CKA_VALUE_LEN, length);
  EXPECT_EQ(C_GenerateKey(session_, &mechanism, &row, 1, &made_),
            CKR_KEY_SIZE_RANGE);
  EXPECT_EQ(C_GenerateKey(session_, &mechanism, nullptr, 0, &made_),
            CKR_TEMPLATE_INCOMPLETE);
  mechanism.mechanism = CKM_GENERIC_SECRET_KEY_GEN;
  ASSERT_EQ(C_GenerateKey(session_, &mechanism, &row, 1, &made_), CKR_OK);
  EXPECT_EQ(Number(made_, CKA_KEY_TYPE), CKK_GENERIC_SECRET);
  const base::Bytes one = Value(made_, CKA_VALUE);
  ASSERT_EQ(C_GenerateKey(session_, &mechanism, &row, 1, &made_), CKR_OK);
  EXPECT_NE(Value(made_, CKA_VALUE), one);
  mechanism.mechanism = CKM_SHA256_HMAC;
  EXPECT_EQ(C_GenerateKey(session_, &mechanism, &row, 1, &made_),
            CKR_MECHANISM_INVALID);
  EXPECT_EQ(kms_->Calls(), 0);
}

TEST_F(SessionObjectsTest, APublicKeyIsImportedAndVerifies) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  kms_->AddKey("RSA_2048", "SIGN_VERIFY", "rsa");
  kms_->AddKey("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "ed");
  CK_KEY_TYPE ed = CKK_EC_EDWARDS;
  const struct {
    const char* label;
    CK_KEY_TYPE* type;
    CK_MECHANISM_TYPE mechanism;
    std::vector<CK_ATTRIBUTE_TYPE> parts;
  } cases[] = {
      {"ec", &ec_, CKM_ECDSA_SHA256, {CKA_EC_PARAMS, CKA_EC_POINT}},
      {"rsa", &rsa_, CKM_SHA256_RSA_PKCS, {CKA_MODULUS, CKA_PUBLIC_EXPONENT}},
      {"ed", &ed, CKM_EDDSA, {CKA_EC_PARAMS, CKA_EC_POINT}},
  };
  for (const auto& each : cases) {
    const CK_OBJECT_HANDLE token = Find(CKO_PUBLIC_KEY, each.label);
    std::vector<base::Bytes> values;
    for (const CK_ATTRIBUTE_TYPE type : each.parts) {
      values.push_back(Value(token, type));
    }
    Rows rows = {Row(CKA_CLASS, public_), Row(CKA_KEY_TYPE, *each.type)};
    for (std::size_t i = 0; i < values.size(); ++i) {
      rows.push_back({each.parts[i], values[i].data(), values[i].size()});
    }
    ASSERT_EQ(Create(rows), CKR_OK) << each.label;
    EXPECT_EQ(Value(made_, CKA_PUBLIC_KEY_INFO),
              Value(token, CKA_PUBLIC_KEY_INFO));
    base::Bytes signature;
    const base::ByteView message = base::AsBytes("message");
    ASSERT_EQ(Sign({each.mechanism, nullptr, 0},
                   Find(CKO_PRIVATE_KEY, each.label), message, &signature),
              CKR_OK);
    EXPECT_EQ(Verify({each.mechanism, nullptr, 0}, made_, message, signature),
              CKR_OK);
    signature[7] ^= 1U;
    EXPECT_EQ(Verify({each.mechanism, nullptr, 0}, made_, message, signature),
              CKR_SIGNATURE_INVALID);
    values.back().pop_back();
    rows.back().ulValueLen -= 1;
    if (*each.type != CKK_RSA) {
      EXPECT_EQ(Create(rows), CKR_ATTRIBUTE_VALUE_INVALID) << each.label;
    }
    rows.pop_back();
    EXPECT_EQ(Create(rows), CKR_TEMPLATE_INCOMPLETE) << each.label;
  }
}

TEST_F(SessionObjectsTest, WhatIsNoPublicKeyIsNotImported) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  const CK_OBJECT_HANDLE token = Find(CKO_PUBLIC_KEY, "ec");
  base::Bytes params = Value(token, CKA_EC_PARAMS);
  base::Bytes point = Value(token, CKA_EC_POINT);
  point.back() ^= 1U;  // Not on the curve.
  const CK_ATTRIBUTE of_params = {CKA_EC_PARAMS, params.data(), params.size()};
  EXPECT_EQ(Create({Row(CKA_CLASS, public_),
                    Row(CKA_KEY_TYPE, ec_),
                    of_params,
                    {CKA_EC_POINT, point.data(), point.size()}}),
            CKR_ATTRIBUTE_VALUE_INVALID);
  base::Bytes infinity = {0};
  EXPECT_EQ(Create({Row(CKA_CLASS, public_),
                    Row(CKA_KEY_TYPE, ec_),
                    of_params,
                    {CKA_EC_POINT, infinity.data(), infinity.size()}}),
            CKR_ATTRIBUTE_VALUE_INVALID);
  base::Bytes modulus(256, 0xFF);
  CK_BYTE one[1] = {1};
  CK_BYTE three[1] = {3};
  const auto rsa = [&](CK_ATTRIBUTE exponent) {
    return Rows{Row(CKA_CLASS, public_),
                Row(CKA_KEY_TYPE, rsa_),
                exponent,
                {CKA_MODULUS, modulus.data(), modulus.size()}};
  };
  EXPECT_EQ(Create(rsa(Row(CKA_PUBLIC_EXPONENT, one))),
            CKR_ATTRIBUTE_VALUE_INVALID);
  EXPECT_EQ(Create(rsa(Row(CKA_PUBLIC_EXPONENT, three))), CKR_OK);
  modulus.resize(128, 0xFF);
  EXPECT_EQ(Create(rsa(Row(CKA_PUBLIC_EXPONENT, three))), CKR_KEY_SIZE_RANGE);
  modulus.assign(100000, 0xFF);
  EXPECT_EQ(Create(rsa(Row(CKA_PUBLIC_EXPONENT, three))), CKR_KEY_SIZE_RANGE);
}

}  // namespace
}  // namespace pkcs11::module
