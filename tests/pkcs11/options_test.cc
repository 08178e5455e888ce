// SPDX-License-Identifier: Apache-2.0
// What the switches of a token's configuration switch.
#include <gmock/gmock.h>

#include <numeric>

#include "tests/pkcs11/cryptoki_test.h"

namespace pkcs11::module {
namespace {

using base::ErrorCode;

class KeepingTest : public CryptokiTest {
 protected:
  KeepingTest() : CryptokiTest({.destroy = false}) {}
};

TEST_F(KeepingTest, NoKeyIsDestroyed) {
  kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", "mac");
  EXPECT_EQ(C_DestroyObject(session_, Find(CKO_SECRET_KEY, "mac")),
            CKR_ACTION_PROHIBITED);
  EXPECT_EQ(kms_->Calls("ScheduleKeyDeletion"), 0);
  Find(CKO_SECRET_KEY, "mac");
}

TEST_F(KeepingTest, KeysSaySo) {
  kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", "mac");
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  EXPECT_FALSE(Flag(Find(CKO_SECRET_KEY, "mac"), CKA_DESTROYABLE));
  EXPECT_FALSE(Flag(Find(CKO_PRIVATE_KEY, "ec"), CKA_DESTROYABLE));
  // It is only put out of sight.
  EXPECT_TRUE(Flag(Find(CKO_PUBLIC_KEY, "ec"), CKA_DESTROYABLE));
}

class SoonDestroyedTest : public CryptokiTest {
 protected:
  SoonDestroyedTest() : CryptokiTest({.destroy_after = std::chrono::days(7)}) {}
};

TEST_F(SoonDestroyedTest, AKeyWaitsAsLongAsTheOptionSays) {
  kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", "mac");
  ASSERT_EQ(C_DestroyObject(session_, Find(CKO_SECRET_KEY, "mac")), CKR_OK);
  EXPECT_EQ(kms_->LastRequest("ScheduleKeyDeletion")["PendingWindowInDays"], 7);
}

class RemoteVerifyTest : public CryptokiTest {
 protected:
  RemoteVerifyTest() : CryptokiTest({.verify = Place::kRemote}) {}
};

TEST_F(RemoteVerifyTest, TheKmsVerifiesSignaturesOfKeyPairs) {
  const struct {
    const char* spec;
    CK_MECHANISM_TYPE mechanism;
  } cases[] = {{"ECC_NIST_P256", CKM_ECDSA_SHA256},
               {"RSA_2048", CKM_SHA256_RSA_PKCS}};
  const std::string message = "message";
  for (const auto& each : cases) {
    kms_->AddKey(each.spec, "SIGN_VERIFY", each.spec);
  }
  for (const auto& each : cases) {
    const CK_OBJECT_HANDLE pub = Find(CKO_PUBLIC_KEY, each.spec);
    const CK_MECHANISM mechanism = {each.mechanism, nullptr, 0};
    base::Bytes signature;
    ASSERT_EQ(Sign(mechanism, Find(CKO_PRIVATE_KEY, each.spec),
                   base::AsBytes(message), &signature),
              CKR_OK);
    const int calls = kms_->Calls("Verify");
    EXPECT_EQ(Verify(mechanism, pub, base::AsBytes(message), signature),
              CKR_OK);
    EXPECT_EQ(kms_->Calls("Verify"), calls + 1);
    kms_->Reply("Verify", {{"SignatureValid", false}});
    EXPECT_EQ(Verify(mechanism, pub, base::AsBytes(message), signature),
              CKR_SIGNATURE_INVALID);
    kms_->Reply("Verify", base::Json::object());
    EXPECT_EQ(Verify(mechanism, pub, base::AsBytes(message), signature),
              CKR_SIGNATURE_INVALID);
    kms_->Fail("Verify", std::nullopt);
    signature[5] ^= 1;
    EXPECT_EQ(Verify(mechanism, pub, base::AsBytes(message), signature),
              CKR_SIGNATURE_INVALID);
    signature.pop_back();
    const int before = kms_->Calls("Verify");
    EXPECT_EQ(Verify(mechanism, pub, base::AsBytes(message), signature),
              CKR_SIGNATURE_LEN_RANGE);
    EXPECT_EQ(kms_->Calls("Verify"), before);
  }
}

class StrictTemplatesTest : public CryptokiTest {
 protected:
  StrictTemplatesTest() : CryptokiTest({.strict_templates = true}) {}

  // A pair on P-256 whose private key is wanted with these attributes, too.
  CK_RV Generate(std::vector<CK_ATTRIBUTE> more,
                 std::vector<CK_ATTRIBUTE> of_public = {}) {
    static CK_BYTE p256[] = {6, 8, 42, 134, 72, 206, 61, 3, 1, 7};
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, nullptr, 0};
    of_public.push_back({CKA_EC_PARAMS, p256, sizeof(p256)});
    more.push_back(Row(CKA_TOKEN, yes_));
    CK_OBJECT_HANDLE pub = 0;
    CK_OBJECT_HANDLE prv = 0;
    return C_GenerateKeyPair(session_, &mechanism, of_public.data(),
                             of_public.size(), more.data(), more.size(), &pub,
                             &prv);
  }

  CK_BBOOL yes_ = CK_TRUE;
  CK_BBOOL no_ = CK_FALSE;
};

TEST_F(StrictTemplatesTest, NoKeyIsMadeThatIsNotWhatWasAskedFor) {
  EXPECT_EQ(Generate({Row(CKA_SIGN, yes_), Row(CKA_DERIVE, yes_)}),
            CKR_TEMPLATE_INCONSISTENT);
  EXPECT_EQ(Generate({Row(CKA_SIGN, yes_)}, {Row(CKA_ENCRYPT, yes_)}),
            CKR_TEMPLATE_INCONSISTENT);
  EXPECT_EQ(Generate({Row(CKA_SIGN, yes_), Row(CKA_EXTRACTABLE, yes_)}),
            CKR_TEMPLATE_INCONSISTENT);
  EXPECT_EQ(Generate({Row(CKA_SIGN, yes_), Row(CKA_SENSITIVE, no_)}),
            CKR_TEMPLATE_INCONSISTENT);
  EXPECT_EQ(kms_->Calls("CreateKey"), 0);
  EXPECT_EQ(Generate({Row(CKA_SIGN, yes_), Row(CKA_DERIVE, no_),
                      Row(CKA_SENSITIVE, yes_), Row(CKA_EXTRACTABLE, no_)},
                     {Row(CKA_VERIFY, yes_)}),
            CKR_OK);
}

TEST_F(StrictTemplatesTest, NothingThatTheKeyWillNotHaveIsPassedOver) {
  CK_BYTE odd = 7;
  CK_MECHANISM_TYPE one[] = {CKM_ECDSA};
  for (const CK_ATTRIBUTE& row :
       {Row(CKA_ALWAYS_AUTHENTICATE, yes_), Row(CKA_PRIVATE, yes_),
        Row(CKA_ALLOWED_MECHANISMS, one), Row(CKA_MODIFIABLE, no_),
        Row(CKA_DESTROYABLE, no_), Row(CKA_COPYABLE, yes_),
        TextRow(CKA_START_DATE, "20200101"), TextRow(CKA_END_DATE, "20400101"),
        TextRow(CKA_SUBJECT, "subject"), Row(CKA_WRAP_TEMPLATE, odd),
        Row(CKA_VENDOR_DEFINED | 7U, odd), Row(CKA_LOCAL, no_)}) {
    EXPECT_EQ(Generate({row}), CKR_TEMPLATE_INCONSISTENT) << row.type;
  }
  EXPECT_EQ(Generate({}, {Row(CKA_PRIVATE, yes_)}), CKR_TEMPLATE_INCONSISTENT);
  EXPECT_EQ(Generate({}, {Row(CKA_TOKEN, no_)}), CKR_TEMPLATE_INCONSISTENT);
  EXPECT_EQ(Generate({Row(CKA_SIGN, yes_)}, {Row(CKA_VERIFY, no_)}),
            CKR_TEMPLATE_INCONSISTENT);
  EXPECT_EQ(Generate({TextRow(CKA_LABEL, "a")}, {TextRow(CKA_LABEL, "b")}),
            CKR_TEMPLATE_INCONSISTENT);
  EXPECT_EQ(Generate({TextRow(CKA_ID, "a")}, {TextRow(CKA_ID, "b")}),
            CKR_TEMPLATE_INCONSISTENT);
  EXPECT_EQ(kms_->Calls("CreateKey"), 0);
  CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
  CK_KEY_TYPE ec = CKK_EC;
  EXPECT_EQ(Generate({Row(CKA_CLASS, private_key), Row(CKA_KEY_TYPE, ec),
                      TextRow(CKA_LABEL, "a"), TextRow(CKA_ID, "b"),
                      Row(CKA_PRIVATE, no_), Row(CKA_MODIFIABLE, yes_),
                      Row(CKA_ALWAYS_AUTHENTICATE, no_)},
                     {TextRow(CKA_LABEL, "a"), TextRow(CKA_ID, "b"),
                      Row(CKA_PRIVATE, no_), Row(CKA_TOKEN, yes_)}),
            CKR_OK);
}

TEST_F(StrictTemplatesTest, NorInASession) {
  static CK_BYTE p256[] = {6, 8, 42, 134, 72, 206, 61, 3, 1, 7};
  CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  CK_ATTRIBUTE curve = {CKA_EC_PARAMS, p256, sizeof(p256)};
  CK_OBJECT_HANDLE pub = 0;
  CK_OBJECT_HANDLE prv = 0;
  for (const CK_ATTRIBUTE& each :
       {Row(CKA_SENSITIVE, no_), Row(CKA_DECRYPT, yes_)}) {
    CK_ATTRIBUTE row = each;
    EXPECT_EQ(
        C_GenerateKeyPair(session_, &mechanism, &curve, 1, &row, 1, &pub, &prv),
        CKR_TEMPLATE_INCONSISTENT);
  }
  CK_ATTRIBUTE row = Row(CKA_SIGN, yes_);
  EXPECT_EQ(
      C_GenerateKeyPair(session_, &mechanism, &curve, 1, &row, 1, &pub, &prv),
      CKR_OK);
  mechanism.mechanism = CKM_AES_KEY_GEN;
  CK_ULONG length = 32;
  std::vector<CK_ATTRIBUTE> rows = {Row(CKA_VALUE_LEN, length),
                                    Row(CKA_SIGN, yes_)};
  EXPECT_EQ(C_GenerateKey(session_, &mechanism, rows.data(), 2, &prv),
            CKR_TEMPLATE_INCONSISTENT);
  rows.back() = Row(CKA_SENSITIVE, no_);
  EXPECT_EQ(C_GenerateKey(session_, &mechanism, rows.data(), 2, &prv), CKR_OK);
}

TEST_F(StrictTemplatesTest, SecretKeysLikewise) {
  CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, nullptr, 0};
  CK_ULONG length = 32;
  std::vector<CK_ATTRIBUTE> rows = {
      Row(CKA_TOKEN, yes_), Row(CKA_VALUE_LEN, length), Row(CKA_SIGN, yes_)};
  CK_OBJECT_HANDLE key = 0;
  EXPECT_EQ(C_GenerateKey(session_, &mechanism, rows.data(), rows.size(), &key),
            CKR_TEMPLATE_INCONSISTENT);
  rows.back() = Row(CKA_ENCRYPT, yes_);
  EXPECT_EQ(C_GenerateKey(session_, &mechanism, rows.data(), rows.size(), &key),
            CKR_OK);
}

class RemoteRandomTest : public CryptokiTest {
 protected:
  RemoteRandomTest() : CryptokiTest({.random = Place::kRemote}) {}
};

base::Json Plaintext(std::size_t size) {
  base::Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), 0);
  return {{"Plaintext", Base64Json(bytes)}};
}

TEST_F(RemoteRandomTest, BytesAreTheKmssUpTo1024AtOnce) {
  kms_->Reply("GenerateRandom", Plaintext(1024));
  base::Bytes out(2048);
  ASSERT_EQ(C_GenerateRandom(session_, out.data(), out.size()), CKR_OK);
  EXPECT_EQ(kms_->Calls("GenerateRandom"), 2);
  EXPECT_EQ(kms_->LastRequest("GenerateRandom")["NumberOfBytes"], 1024);
  EXPECT_EQ(out[1023], 0xFF);
  EXPECT_EQ(out[1024], 0);
  EXPECT_EQ(out[2047], 0xFF);
  kms_->Reply("GenerateRandom", Plaintext(3));
  ASSERT_EQ(C_GenerateRandom(session_, out.data(), 3), CKR_OK);
  EXPECT_EQ(kms_->LastRequest("GenerateRandom")["NumberOfBytes"], 3);
  EXPECT_EQ(C_GenerateRandom(session_, nullptr, 0), CKR_OK);
}

TEST_F(RemoteRandomTest, FewerBytesThanWereAskedForAreNoAnswer) {
  base::Bytes out(16);
  for (const std::size_t size : {0, 15, 17}) {
    kms_->Reply("GenerateRandom", Plaintext(size));
    EXPECT_EQ(C_GenerateRandom(session_, out.data(), out.size()),
              CKR_DEVICE_ERROR);
  }
  kms_->Reply("GenerateRandom", base::Json::object());
  EXPECT_EQ(C_GenerateRandom(session_, out.data(), out.size()),
            CKR_DEVICE_ERROR);
  kms_->Fail("GenerateRandom", base::Error{ErrorCode::kIo, "away"});
  EXPECT_EQ(C_GenerateRandom(session_, out.data(), out.size()),
            CKR_DEVICE_ERROR);
}

}  // namespace
}  // namespace pkcs11::module
