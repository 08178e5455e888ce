// SPDX-License-Identifier: Apache-2.0
// How many calls it takes to know the keys.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <tuple>

#include "tests/pkcs11/cryptoki_test.h"
#include "tests/testlib/certificate.h"

namespace pkcs11::module {
namespace {

using base::ErrorCode;
using testing::SizeIs;

using ListingTest = CryptokiTest;

constexpr const char* kListing = "Claviger.ListPkcs11Objects";

TEST_F(ListingTest, AClavigerTellsAThousandKeysInThreePages) {
  kms_->BeClaviger();
  for (int i = 0; i < 1000; ++i) {
    kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY");
  }
  EXPECT_THAT(FindAll({}), SizeIs(2000));
  EXPECT_EQ(kms_->Calls(), 3);
  EXPECT_EQ(kms_->Calls(kListing), 3);
}

// Labels, ids, classes and handles of all objects.
using Shown = std::vector<
    std::tuple<CK_OBJECT_HANDLE, CK_ULONG, base::Bytes, base::Bytes>>;

class BothWaysTest : public CryptokiTest {
 protected:
  BothWaysTest() {
    kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "by-alias");
    const std::string tagged =
        kms_->AddKey("RSA_2048", "SIGN_VERIFY", "hidden");
    kms_->SetTag(tagged, "pkcs11:label", "by tag");
    kms_->SetTag(tagged, "pkcs11:id", "c0ffee");
    kms_->AddKey("HMAC_256", "GENERATE_VERIFY_MAC");
    kms_->SetState(kms_->AddKey("RSA_2048", "SIGN_VERIFY"), "Disabled");
  }
  Shown Look() const {
    Shown all;
    for (const CK_OBJECT_HANDLE object : FindAll({})) {
      all.emplace_back(object, Number(object, CKA_CLASS),
                       Value(object, CKA_LABEL), Value(object, CKA_ID));
    }
    return all;
  }
};

TEST_F(BothWaysTest, ShowTheSameObjects) {
  kms_->BeClaviger();
  const Shown at_once = Look();
  EXPECT_EQ(kms_->Calls("ListKeys"), 0);
  EXPECT_THAT(at_once, SizeIs(5));
  kms_->Fail(kListing, base::Error{ErrorCode::kUnknownOperation, ""});
  clock_->Advance(std::chrono::minutes(2));
  EXPECT_EQ(Look(), at_once);
  EXPECT_EQ(kms_->Calls("ListKeys"), 2);
}

TEST_F(ListingTest, ARefusalIsRemembered) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "a");
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(FindAll({}), SizeIs(2));
    clock_->Advance(std::chrono::minutes(2));
  }
  EXPECT_EQ(kms_->Calls(kListing), 1);
  EXPECT_EQ(kms_->Calls("ListKeys"), 3);
}

TEST_F(ListingTest, WhoMayNotListAtOnceMayListOneByOne) {
  kms_->BeClaviger();
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "a");
  kms_->Fail(kListing, base::Error{ErrorCode::kAccessDenied, "AccessDenied"});
  EXPECT_THAT(FindAll({}), SizeIs(2));
  EXPECT_EQ(kms_->Calls("ListKeys"), 1);
}

class PrefixedTest : public CryptokiTest {
 protected:
  PrefixedTest() : CryptokiTest({.filter = {.alias_prefix = "web"}}) {
    kms_->BeClaviger();
    kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "web");
  }
  int AskedForCertificates() const {
    return kms_->Calls("Claviger.GetCertificates");
  }
};

TEST_F(PrefixedTest, WhoMayNotListAsksForCertificatesOneByOne) {
  kms_->Fail(kListing, base::Error{ErrorCode::kAccessDenied, "AccessDenied"});
  EXPECT_THAT(FindAll({}), SizeIs(2));
  EXPECT_EQ(AskedForCertificates(), 1);
  clock_->Advance(std::chrono::minutes(2));
  EXPECT_THAT(FindAll({}), SizeIs(2));
  EXPECT_EQ(AskedForCertificates(), 2);
  EXPECT_EQ(kms_->Calls(kListing), 1);
}

TEST_F(PrefixedTest, WhoDoesNotKnowTheListingIsAskedForNoCertificates) {
  kms_->Fail(kListing, base::Error{ErrorCode::kUnknownOperation, ""});
  EXPECT_THAT(FindAll({}), SizeIs(2));
  EXPECT_EQ(AskedForCertificates(), 0);
}

TEST_F(ListingTest, AServerThatIsAwayIsNotTakenForAnother) {
  kms_->BeClaviger();
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "a");
  kms_->Fail(kListing, base::Error{ErrorCode::kIo, "connection refused"});
  EXPECT_EQ(C_FindObjectsInit(session_, nullptr, 0), CKR_DEVICE_ERROR);
  kms_->Fail(kListing, std::nullopt);
  EXPECT_THAT(FindAll({}), SizeIs(2));
  EXPECT_EQ(kms_->Calls("ListKeys"), 0);
}

TEST_F(ListingTest, AKeyWithoutItsPublicKeyIsLeftOut) {
  kms_->Reply(kListing, *base::ParseJson(R"({"Keys":[
      {"KeyMetadata":{"KeyId":"1","Arn":"a","KeySpec":"RSA_2048",
       "KeyUsage":"SIGN_VERIFY","KeyState":"Enabled"}},
      {"KeyMetadata":[]}, 1, "text",
      {"KeyMetadata":{"KeyId":"2","Arn":"b","KeySpec":"HMAC_256",
       "KeyUsage":"GENERATE_VERIFY_MAC","KeyState":"Enabled"}, "Tags":[1],
       "Aliases":[1,"no alias"]}]})"));
  EXPECT_THAT(FindAll({}), SizeIs(1));
  kms_->Reply(kListing, *base::ParseJson(R"({"Keys":1})"));
  clock_->Advance(std::chrono::minutes(2));
  EXPECT_THAT(FindAll({}), SizeIs(1));  // What was known before.
}

class AwsTest : public CryptokiTest {
 protected:
  AwsTest() : CryptokiTest({.backend = Backend::kAws}) {}
};

TEST_F(AwsTest, HearsOfStandardOperationsOnly) {
  kms_->BeClaviger();
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "ec");
  EXPECT_THAT(FindAll({}), SizeIs(2));
  int standard = 0;
  for (const char* operation : {"ListKeys", "ListAliases", "DescribeKey",
                                "GetPublicKey", "ListResourceTags"}) {
    standard += kms_->Calls(operation);
  }
  EXPECT_EQ(standard, kms_->Calls());
}

// Makes, certifies, uses, renames and destroys a key.
TEST_F(AwsTest, HearsOfStandardOperationsOnlyInAWholeSession) {
  kms_->BeClaviger();  // It would answer.
  CK_BBOOL yes = CK_TRUE;
  base::Bytes p256 = *base::HexDecode("06082a8648ce3d030107");
  CK_ATTRIBUTE of_public = {CKA_EC_PARAMS, p256.data(), p256.size()};
  CK_ATTRIBUTE of_private[] = {Row(CKA_TOKEN, yes), TextRow(CKA_LABEL, "new")};
  CK_MECHANISM generate = {CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  CK_OBJECT_HANDLE of_pair[2] = {};
  ASSERT_EQ(C_GenerateKeyPair(session_, &generate, &of_public, 1, of_private, 2,
                              &of_pair[0], &of_pair[1]),
            CKR_OK);
  base::Bytes signature;
  EXPECT_EQ(Sign({CKM_ECDSA, nullptr, 0}, Find(CKO_PRIVATE_KEY, "new"),
                 base::Bytes(32, 1), &signature),
            CKR_OK);
  CK_OBJECT_CLASS certificates = CKO_CERTIFICATE;
  EXPECT_THAT(FindAll({Row(CKA_CLASS, certificates)}), SizeIs(0));
  const base::Bytes der = testlib::MakeCertificate(
      {.spki = kms_->SpkiOf("00000000-0000-4000-8000-000000000001")});
  CK_ATTRIBUTE certificate[] = {Row(CKA_CLASS, certificates),
                                Row(CKA_TOKEN, yes),
                                {CKA_VALUE, Unconst(der), der.size()}};
  CK_OBJECT_HANDLE kept = 0;
  EXPECT_EQ(C_CreateObject(session_, certificate, 3, &kept),
            CKR_ACTION_PROHIBITED);  // Without a folder for it.
  CK_ATTRIBUTE renamed = TextRow(CKA_LABEL, "renamed");
  EXPECT_EQ(C_SetAttributeValue(session_, of_pair[1], &renamed, 1), CKR_OK);
  EXPECT_EQ(C_DestroyObject(session_, of_pair[1]), CKR_OK);
  clock_->Advance(std::chrono::minutes(2));
  EXPECT_THAT(FindAll({}), SizeIs(0));
  int standard = 0;
  for (const char* operation :
       {"ListKeys", "ListAliases", "DescribeKey", "GetPublicKey",
        "ListResourceTags", "CreateKey", "CreateAlias", "Sign", "TagResource",
        "ScheduleKeyDeletion"}) {
    standard += kms_->Calls(operation);
  }
  EXPECT_EQ(standard, kms_->Calls());
}

// Keys that are named are not listed, by no operation.
class NamedKeyTest : public CryptokiTest {
 protected:
  NamedKeyTest()
      : CryptokiTest(
            {.filter = {.key_ids = {"00000000-0000-4000-8000-000000000001"}}}) {
    kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "a");
  }
};

TEST_F(NamedKeyTest, HaveTheirCertificates) {
  kms_->BeClaviger();
  EXPECT_THAT(FindAll({}), SizeIs(2));
  EXPECT_EQ(kms_->Calls(kListing), 0);
  EXPECT_EQ(kms_->Calls("Claviger.GetCertificates"), 1);
}

TEST_F(NamedKeyTest, NeedNoCertificates) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(FindAll({}), SizeIs(2));
    clock_->Advance(std::chrono::minutes(2));
  }
  EXPECT_EQ(kms_->Calls("Claviger.GetCertificates"), 1);
}

}  // namespace
}  // namespace pkcs11::module
