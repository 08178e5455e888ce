// SPDX-License-Identifier: Apache-2.0
#define OPENSSL_SUPPRESS_DEPRECATED  // Hosts still use engines.
#include <gmock/gmock.h>
#include <openssl/engine.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "base/json.h"
#include "pkcs11/module/object.h"
#include "tests/pkcs11/cryptoki_test.h"

namespace pkcs11::module {
namespace {

using base::Error;
using base::ErrorCode;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using ObjectsTest = CryptokiTest;

std::string Text(const base::Bytes& bytes) {
  return std::string(base::AsText(bytes));
}

TEST_F(ObjectsTest, AKeyPairIsTwoObjectsAndASecretKeyIsOne) {
  kms_->AddKey("RSA_2048", "SIGN_VERIFY", "web");
  kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC");
  kms_->AddKey("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
  EXPECT_THAT(FindAll({}), SizeIs(4));
  const CK_OBJECT_HANDLE key = Find(CKO_PRIVATE_KEY, "web");
  EXPECT_EQ(Number(key, CKA_KEY_TYPE), CKK_RSA);
  EXPECT_TRUE(Flag(key, CKA_TOKEN));
  EXPECT_FALSE(Flag(key, CKA_PRIVATE));
  EXPECT_TRUE(Flag(key, CKA_SENSITIVE));
  EXPECT_FALSE(Flag(key, CKA_EXTRACTABLE));
  EXPECT_TRUE(Flag(key, CKA_NEVER_EXTRACTABLE));
  EXPECT_TRUE(Flag(key, CKA_SIGN));
  EXPECT_FALSE(Flag(key, CKA_DECRYPT));
  EXPECT_FALSE(Flag(key, CKA_ALWAYS_AUTHENTICATE));
  EXPECT_FALSE(Flag(key, CKA_COPYABLE));
  EXPECT_THAT(Value(key, CKA_MODULUS), SizeIs(256));
  EXPECT_THAT(Value(key, CKA_PUBLIC_EXPONENT), ElementsAre(1, 0, 1));
  EXPECT_EQ(Text(Value(key, CKA_KMS_KEY_SPEC)), "RSA_2048");
  const CK_OBJECT_HANDLE pub = Find(CKO_PUBLIC_KEY, "web");
  EXPECT_EQ(Number(pub, CKA_MODULUS_BITS), 2048U);
  EXPECT_TRUE(Flag(pub, CKA_VERIFY));
  EXPECT_EQ(Value(pub, CKA_ID), Value(key, CKA_ID));
  EXPECT_EQ(Value(pub, CKA_PUBLIC_KEY_INFO), Value(key, CKA_PUBLIC_KEY_INFO));
  EXPECT_NE(Value(pub, CKA_UNIQUE_ID), Value(key, CKA_UNIQUE_ID));
}

TEST_F(ObjectsTest, KeysThatTheKmsMadeSayHow) {
  const struct {
    const char* spec;
    CK_MECHANISM_TYPE generator;
  } cases[] = {
      {"RSA_2048", CKM_RSA_PKCS_KEY_PAIR_GEN},
      {"ECC_NIST_P384", CKM_EC_KEY_PAIR_GEN},
      {"ECC_NIST_EDWARDS25519", CKM_EC_EDWARDS_KEY_PAIR_GEN},
      {"SYMMETRIC_DEFAULT", CKM_AES_KEY_GEN},
      {"HMAC_384", CKM_GENERIC_SECRET_KEY_GEN},
  };
  for (const auto& each : cases) {
    for (const bool is_local : {true, false}) {
      const auto key = std::make_shared<Key>();
      key->spec = FindKeySpec(each.spec);
      key->origin = is_local ? "AWS_KMS" : "EXTERNAL";
      AttributeSet wanted;
      wanted.SetBool(CKA_LOCAL, is_local);
      wanted.SetNumber(CKA_KEY_GEN_MECHANISM,
                       is_local ? each.generator : CK_UNAVAILABLE_INFORMATION);
      for (const auto& object : ObjectsOf(key)) {
        EXPECT_TRUE(object->attributes.Matches(wanted)) << each.spec;
      }
    }
  }
}

// Says of itself that it can do everything with keys on curves.
// The types are OpenSSL's.
int MethodsOfEngine(ENGINE* /*engine*/, EVP_PKEY_METHOD** method,
                    const int** types, int /*type*/) {
  static constexpr int kTypes[] = {EVP_PKEY_EC};
  if (method == nullptr) {
    *types = kTypes;
    return 1;
  }
  *method = nullptr;
  return 0;
}

// As `openssl -engine` does: then OpenSSL's older functions give every key to
// it, and tell points of such keys in another form.
TEST_F(ObjectsTest, AnEngineOfTheHostHasNoPartInKeys) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  ENGINE* const engine = ENGINE_new();
  ENGINE_set_pkey_meths(engine, MethodsOfEngine);
  ENGINE_register_pkey_meths(engine);
  const base::Bytes point = Value(Find(CKO_PUBLIC_KEY, "ec"), CKA_EC_POINT);
  ENGINE_unregister_pkey_meths(engine);
  ENGINE_free(engine);
  ASSERT_THAT(point, SizeIs(67));
  EXPECT_EQ(base::HexEncode(base::ByteView(point).first(3)), "044104");
}

TEST_F(ObjectsTest, CurvesAreTold) {
  kms_->AddKey("ECC_NIST_P384", "SIGN_VERIFY", "ec");
  const CK_OBJECT_HANDLE key = Find(CKO_PUBLIC_KEY, "ec");
  EXPECT_EQ(base::HexEncode(Value(key, CKA_EC_PARAMS)), "06052b81040022");
  const base::Bytes point = Value(key, CKA_EC_POINT);
  ASSERT_THAT(point, SizeIs(99));
  EXPECT_EQ(base::HexEncode(base::ByteView(point).first(3)), "046104");
}

TEST_F(ObjectsTest, APointOfManyBytesHasALongLength) {
  kms_->AddKey("ECC_NIST_P521", "KEY_AGREEMENT", "agree");
  EXPECT_THAT(Value(Find(CKO_PRIVATE_KEY, "agree"), CKA_EC_POINT), SizeIs(136));
  EXPECT_TRUE(Flag(Find(CKO_PRIVATE_KEY, "agree"), CKA_DERIVE));
}

TEST_F(ObjectsTest, LabelAndIdComeFromTagsThenAliasThenKeyId) {
  const std::string id = kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC");
  const CK_OBJECT_HANDLE bare = Find(CKO_SECRET_KEY, id);
  EXPECT_EQ(base::HexEncode(Value(bare, CKA_ID)),
            "00000000000040008000000000000001");
  const std::string named =
      kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", "the-alias");
  clock_->Advance(std::chrono::seconds(2));
  EXPECT_NE(Find(CKO_SECRET_KEY, "the-alias"), CK_INVALID_HANDLE);
  kms_->SetTag(named, "pkcs11:label", "of the tag");
  kms_->SetTag(named, "pkcs11:id", "00ff");
  clock_->Advance(std::chrono::seconds(61));
  const CK_OBJECT_HANDLE tagged = Find(CKO_SECRET_KEY, "of the tag");
  EXPECT_THAT(Value(tagged, CKA_ID), ElementsAre(0x00, 0xFF));
}

TEST_F(ObjectsTest, KeysThatCannotBeUsedAreHidden) {
  for (const char* state : {"Disabled", "PendingDeletion", "PendingImport"}) {
    kms_->SetState(kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC"), state);
  }
  kms_->AddKey("SM2", "SIGN_VERIFY");
  kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC");
  EXPECT_THAT(FindAll({}), SizeIs(1));
}

TEST_F(ObjectsTest, EveryAttributeIsAnsweredWhateverAnothersFate) {
  kms_->AddKey("RSA_2048", "SIGN_VERIFY", "web");
  const CK_OBJECT_HANDLE key = Find(CKO_PRIVATE_KEY, "web");
  CK_BYTE small[1];
  char label[16];
  CK_KEY_TYPE type = 0;
  std::array<CK_ATTRIBUTE, 5> rows = {{
      {CKA_MODULUS, small, sizeof(small)},
      {CKA_VALUE, label, sizeof(label)},
      {CKA_PRIME_1, label, sizeof(label)},
      {CKA_LABEL, label, sizeof(label)},
      Row(CKA_KEY_TYPE, type),
  }};
  EXPECT_EQ(C_GetAttributeValue(session_, key, rows.data(), rows.size()),
            CKR_BUFFER_TOO_SMALL);
  EXPECT_EQ(rows[0].ulValueLen, CK_UNAVAILABLE_INFORMATION);
  EXPECT_EQ(rows[1].ulValueLen, CK_UNAVAILABLE_INFORMATION);
  EXPECT_EQ(rows[2].ulValueLen, CK_UNAVAILABLE_INFORMATION);
  EXPECT_EQ(std::string(label, rows[3].ulValueLen), "web");
  EXPECT_EQ(type, CKK_RSA);
  EXPECT_EQ(C_GetAttributeValue(session_, key, &rows[1], 1),
            CKR_ATTRIBUTE_TYPE_INVALID);
  EXPECT_EQ(C_GetAttributeValue(session_, key, &rows[2], 1),
            CKR_ATTRIBUTE_SENSITIVE);
  EXPECT_EQ(C_GetAttributeValue(session_, key + 1, rows.data(), 1),
            CKR_OBJECT_HANDLE_INVALID);
}

TEST_F(ObjectsTest, SearchesEndAndAreNotMixed) {
  kms_->AddKey("RSA_2048", "SIGN_VERIFY", "web");
  CK_OBJECT_HANDLE found[4];
  CK_ULONG count = 9;
  EXPECT_EQ(C_FindObjects(session_, found, 4, &count),
            CKR_OPERATION_NOT_INITIALIZED);
  EXPECT_EQ(C_FindObjectsFinal(session_), CKR_OPERATION_NOT_INITIALIZED);
  ASSERT_EQ(C_FindObjectsInit(session_, nullptr, 0), CKR_OK);
  EXPECT_EQ(C_FindObjectsInit(session_, nullptr, 0), CKR_OPERATION_ACTIVE);
  EXPECT_EQ(C_FindObjects(session_, found, 0, &count), CKR_OK);
  EXPECT_EQ(count, 0U);
  EXPECT_EQ(C_FindObjects(session_, found, 4, &count), CKR_OK);
  EXPECT_EQ(count, 2U);
  EXPECT_EQ(C_FindObjects(session_, found, 4, &count), CKR_OK);
  EXPECT_EQ(count, 0U);
  EXPECT_EQ(C_FindObjectsFinal(session_), CKR_OK);
}

TEST_F(ObjectsTest, HandlesOutliveAServerThatIsDown) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  const CK_OBJECT_HANDLE key = Find(CKO_PRIVATE_KEY, "ec");
  kms_->Fail("ListKeys", Error{ErrorCode::kIo, "no server"});
  clock_->Advance(std::chrono::seconds(61));
  EXPECT_EQ(Find(CKO_PRIVATE_KEY, "ec"), key);
  kms_->Fail("ListKeys", std::nullopt);
  // A server that goes while it is asked costs no key either.
  kms_->Fail("DescribeKey", Error{ErrorCode::kIo, "no server"});
  EXPECT_EQ(Find(CKO_PRIVATE_KEY, "ec"), key);
  kms_->Fail("DescribeKey", std::nullopt);
  EXPECT_EQ(Find(CKO_PRIVATE_KEY, "ec"), key);
}

TEST_F(ObjectsTest, AServerThatIsDownFromTheStartIsTheDevicesError) {
  kms_->Fail("ListKeys", Error{ErrorCode::kIo, "no server"});
  EXPECT_EQ(C_FindObjectsInit(session_, nullptr, 0), CKR_DEVICE_ERROR);
  CK_ATTRIBUTE row = {CKA_LABEL, nullptr, 0};
  EXPECT_EQ(C_GetAttributeValue(session_, 1, &row, 1), CKR_DEVICE_ERROR);
  kms_->Fail("ListKeys", std::nullopt);
  EXPECT_EQ(C_FindObjectsInit(session_, nullptr, 0), CKR_OK);
}

TEST_F(ObjectsTest, WhatACallerMayNotSeeCostsOnlyThat) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", "mac");
  const Error denied = {ErrorCode::kAccessDenied, "denied"};
  kms_->Fail("GetPublicKey", denied);
  kms_->Fail("ListResourceTags", denied);
  EXPECT_THAT(FindAll({}), SizeIs(1));
  EXPECT_NE(Find(CKO_SECRET_KEY, "mac"), CK_INVALID_HANDLE);
}

TEST_F(ObjectsTest, APublicKeyOfAnotherKindIsNotShown) {
  FakeKms other;
  const std::string id = other.AddKey("ECC_NIST_P384", "SIGN_VERIFY");
  const base::Json request = {{"KeyId", base::WipingString(id)}};
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  kms_->AddKey("RSA_2048", "SIGN_VERIFY", "rsa");
  kms_->Reply("GetPublicKey", *other.Call("GetPublicKey", request));
  EXPECT_THAT(FindAll({}), IsEmpty());
}

TEST_F(ObjectsTest, NewKeysAreSeenBySearchesThatMissThem) {
  EXPECT_THAT(FindAll({TextRow(CKA_LABEL, "new")}), IsEmpty());
  kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", "new");
  // Not at once: callers repeat searches that find nothing.
  const int before = kms_->Calls();
  EXPECT_THAT(FindAll({TextRow(CKA_LABEL, "new")}), IsEmpty());
  EXPECT_EQ(kms_->Calls(), before);
  clock_->Advance(std::chrono::seconds(2));
  EXPECT_THAT(FindAll({TextRow(CKA_LABEL, "new")}), SizeIs(1));
  EXPECT_EQ(kms_->Calls("GetPublicKey"), 0);
}

TEST_F(ObjectsTest, PublicKeysAreAskedForOnce) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  EXPECT_THAT(FindAll({}), SizeIs(2));
  clock_->Advance(std::chrono::seconds(61));
  EXPECT_THAT(FindAll({}), SizeIs(2));
  EXPECT_EQ(kms_->Calls("DescribeKey"), 2);
  EXPECT_EQ(kms_->Calls("GetPublicKey"), 1);
}

TEST_F(ObjectsTest, AServerThatPagesForEverIsLeft) {
  kms_->Reply("ListKeys",
              *base::ParseJson(R"({"Keys":[],"NextMarker":"again"})"));
  EXPECT_EQ(C_FindObjectsInit(session_, nullptr, 0), CKR_DEVICE_ERROR);
  EXPECT_EQ(kms_->Calls("ListKeys"), 2);
}

}  // namespace
}  // namespace pkcs11::module
