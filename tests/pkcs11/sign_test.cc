// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/pkcs11/cryptoki_test.h"

namespace pkcs11::module {
namespace {

constexpr std::string_view kMessage = "the message";

// What each kind of hash is called by OpenSSL.
struct HashCase {
  CK_MECHANISM_TYPE mechanism;
  const char* hash;
};

class SignTest : public CryptokiTest {
 protected:
  void Add(const std::string& spec, const std::string& usage = "SIGN_VERIFY") {
    kms_->AddKey(spec, usage, spec);
    clock_->Advance(std::chrono::seconds(2));  // Or it would not be looked for.
  }
  CK_OBJECT_HANDLE Private(const std::string& spec) const {
    return Find(CKO_PRIVATE_KEY, spec);
  }
  CK_OBJECT_HANDLE Public(const std::string& spec) const {
    return Find(CKO_PUBLIC_KEY, spec);
  }

  // Signs, and verifies also what was changed.
  void RoundTrip(CK_MECHANISM mechanism, const std::string& spec,
                 base::ByteView message) const {
    base::Bytes signature;
    ASSERT_EQ(Sign(mechanism, Private(spec), message, &signature), CKR_OK);
    const CK_OBJECT_HANDLE key = Public(spec);
    EXPECT_EQ(Verify(mechanism, key, message, signature), CKR_OK);
    base::Bytes changed = signature;
    changed.back() ^= 1U;
    EXPECT_EQ(Verify(mechanism, key, message, changed), CKR_SIGNATURE_INVALID);
    changed.pop_back();
    EXPECT_EQ(Verify(mechanism, key, message, changed),
              CKR_SIGNATURE_LEN_RANGE);
    base::Bytes other(message.begin(), message.end());
    other.front() ^= 1U;
    EXPECT_EQ(Verify(mechanism, key, other, signature), CKR_SIGNATURE_INVALID);
  }
};

CK_RSA_PKCS_PSS_PARAMS PssOf(CK_MECHANISM_TYPE hash, CK_ULONG mgf,
                             CK_ULONG salt) {
  return {hash, mgf, salt};
}

base::Bytes DigestInfo(std::string_view prefix, const base::Bytes& digest) {
  base::Bytes info = *base::HexDecode(prefix);
  info.insert(info.end(), digest.begin(), digest.end());
  return info;
}

TEST_F(SignTest, RsaSignaturesOfHashedMessages) {
  Add("RSA_2048");
  for (const CK_MECHANISM_TYPE type :
       {CKM_SHA256_RSA_PKCS, CKM_SHA384_RSA_PKCS, CKM_SHA512_RSA_PKCS}) {
    RoundTrip({type, nullptr, 0}, "RSA_2048", base::AsBytes(kMessage));
  }
}

TEST_F(SignTest, RsaSignsTheDigestThatADigestInfoHolds) {
  Add("RSA_2048");
  const base::Bytes digest = Hashed("SHA256", base::AsBytes(kMessage));
  const base::Bytes info =
      DigestInfo("3031300d060960864801650304020105000420", digest);
  RoundTrip({CKM_RSA_PKCS, nullptr, 0}, "RSA_2048", info);
  base::Bytes signature;
  ASSERT_EQ(
      Sign({CKM_RSA_PKCS, nullptr, 0}, Private("RSA_2048"), info, &signature),
      CKR_OK);
  EXPECT_EQ(Verify({CKM_SHA256_RSA_PKCS, nullptr, 0}, Public("RSA_2048"),
                   base::AsBytes(kMessage), signature),
            CKR_OK);
}

TEST_F(SignTest, RsaRefusesWhatIsNoDigestInfoOfAGoodHash) {
  Add("RSA_2048");
  const base::Bytes sha1 = DigestInfo("3021300906052b0e03021a05000414",
                                      Hashed("SHA1", base::AsBytes(kMessage)));
  base::Bytes cut = DigestInfo("3031300d060960864801650304020105000420",
                               Hashed("SHA256", base::AsBytes(kMessage)));
  cut.pop_back();
  base::Bytes longer = cut;
  longer.resize(cut.size() + 2);
  const base::Bytes bare = Hashed("SHA256", base::AsBytes(kMessage));
  for (const base::Bytes& bytes : {sha1, cut, longer, bare, base::Bytes()}) {
    base::Bytes signature;
    EXPECT_EQ(Sign({CKM_RSA_PKCS, nullptr, 0}, Private("RSA_2048"), bytes,
                   &signature),
              CKR_DATA_INVALID);
  }
  EXPECT_EQ(kms_->Calls("Sign"), 0);
}

TEST_F(SignTest, PssOfDigestsAndOfMessages) {
  Add("RSA_2048");
  auto pss = PssOf(CKM_SHA384, CKG_MGF1_SHA384, 48);
  RoundTrip({CKM_RSA_PKCS_PSS, &pss, sizeof(pss)}, "RSA_2048",
            Hashed("SHA384", base::AsBytes(kMessage)));
  RoundTrip({CKM_SHA384_RSA_PKCS_PSS, &pss, sizeof(pss)}, "RSA_2048",
            base::AsBytes(kMessage));
  base::Bytes signature;
  EXPECT_EQ(Sign({CKM_RSA_PKCS_PSS, &pss, sizeof(pss)}, Private("RSA_2048"),
                 base::AsBytes(kMessage), &signature),
            CKR_DATA_LEN_RANGE);
}

TEST_F(SignTest, PssParametersThatKmsCannotDoAreRefused) {
  Add("RSA_2048");
  const CK_OBJECT_HANDLE key = Private("RSA_2048");
  for (CK_RSA_PKCS_PSS_PARAMS pss :
       {PssOf(CKM_SHA256, CKG_MGF1_SHA1, 32),
        PssOf(CKM_SHA256, CKG_MGF1_SHA256, 20),
        PssOf(CKM_SHA256, CKG_MGF1_SHA256, ~0UL),
        PssOf(CKM_SHA_1, CKG_MGF1_SHA1, 20),
        PssOf(CKM_SHA224, CKG_MGF1_SHA224, 28), PssOf(0, 0, 0)}) {
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_PSS, &pss, sizeof(pss)};
    EXPECT_EQ(C_SignInit(session_, &mechanism, key),
              CKR_MECHANISM_PARAM_INVALID);
  }
  auto good = PssOf(CKM_SHA256, CKG_MGF1_SHA256, 32);
  for (CK_MECHANISM mechanism :
       {CK_MECHANISM{CKM_RSA_PKCS_PSS, nullptr, 0},
        CK_MECHANISM{CKM_RSA_PKCS_PSS, nullptr, sizeof(good)},
        CK_MECHANISM{CKM_RSA_PKCS_PSS, &good, sizeof(good) - 1},
        CK_MECHANISM{CKM_SHA512_RSA_PKCS_PSS, &good, sizeof(good)},
        CK_MECHANISM{CKM_SHA256_RSA_PKCS, &good, sizeof(good)}}) {
    EXPECT_EQ(C_SignInit(session_, &mechanism, key),
              CKR_MECHANISM_PARAM_INVALID);
  }
}

TEST_F(SignTest, EcdsaOfEveryHashOnEveryCurve) {
  for (const std::string spec :
       {"ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1"}) {
    Add(spec);
    for (const HashCase& each : {HashCase{CKM_ECDSA_SHA1, "SHA1"},
                                 HashCase{CKM_ECDSA_SHA224, "SHA224"},
                                 HashCase{CKM_ECDSA_SHA256, "SHA256"},
                                 HashCase{CKM_ECDSA_SHA384, "SHA384"},
                                 HashCase{CKM_ECDSA_SHA512, "SHA512"}}) {
      SCOPED_TRACE(spec + " " + each.hash);
      RoundTrip({each.mechanism, nullptr, 0}, spec, base::AsBytes(kMessage));
      RoundTrip({CKM_ECDSA, nullptr, 0}, spec,
                Hashed(each.hash, base::AsBytes(kMessage)));
    }
  }
}

TEST_F(SignTest, EcdsaOfLongInputIsThatOfItsFirstBits) {
  Add("ECC_NIST_P256");
  Add("ECC_NIST_P521");
  const base::Bytes longer(100, 0x5A);
  RoundTrip({CKM_ECDSA, nullptr, 0}, "ECC_NIST_P256",
            base::ByteView(longer).first(32));
  base::Bytes signature;
  ASSERT_EQ(Sign({CKM_ECDSA, nullptr, 0}, Private("ECC_NIST_P256"), longer,
                 &signature),
            CKR_OK);
  EXPECT_EQ(Verify({CKM_ECDSA, nullptr, 0}, Public("ECC_NIST_P256"),
                   base::ByteView(longer).first(32), signature),
            CKR_OK);
  // 521 bits are more than KMS takes.
  EXPECT_EQ(Sign({CKM_ECDSA, nullptr, 0}, Private("ECC_NIST_P521"),
                 base::ByteView(longer).first(65), &signature),
            CKR_DATA_LEN_RANGE);
  EXPECT_EQ(
      Sign({CKM_ECDSA, nullptr, 0}, Private("ECC_NIST_P521"), {}, &signature),
      CKR_DATA_LEN_RANGE);
  EXPECT_EQ(Verify({CKM_ECDSA, nullptr, 0}, Public("ECC_NIST_P521"), {},
                   base::Bytes(132, 1)),
            CKR_DATA_LEN_RANGE);
}

// One signature in 128 has an r or s with a leading zero byte.
TEST_F(SignTest, TwoThousandEcdsaSignaturesHaveOneWidthAndVerify) {
  Add("ECC_NIST_P256");
  const CK_OBJECT_HANDLE key = Private("ECC_NIST_P256");
  const CK_OBJECT_HANDLE pub = Public("ECC_NIST_P256");
  const base::Bytes digest = Hashed("SHA256", base::AsBytes(kMessage));
  int padded = 0;
  for (int i = 0; i < 2000; ++i) {
    base::Bytes signature;
    ASSERT_EQ(Sign({CKM_ECDSA, nullptr, 0}, key, digest, &signature), CKR_OK);
    ASSERT_EQ(signature.size(), 64U);
    padded += signature[0] == 0 || signature[32] == 0 ? 1 : 0;
    ASSERT_EQ(Verify({CKM_ECDSA, nullptr, 0}, pub, digest, signature), CKR_OK);
  }
  EXPECT_GT(padded, 0);
}

TEST_F(SignTest, EddsaOfTheMessageItself) {
  Add("ECC_NIST_EDWARDS25519");
  RoundTrip({CKM_EDDSA, nullptr, 0}, "ECC_NIST_EDWARDS25519",
            base::AsBytes(kMessage));
  CK_EDDSA_PARAMS plain = {CK_FALSE, 0, nullptr};
  RoundTrip({CKM_EDDSA, &plain, sizeof(plain)}, "ECC_NIST_EDWARDS25519",
            base::AsBytes(kMessage));
  CK_EDDSA_PARAMS hashed = {CK_TRUE, 0, nullptr};
  base::Bytes signature;
  EXPECT_EQ(Sign({CKM_EDDSA, &hashed, sizeof(hashed)},
                 Private("ECC_NIST_EDWARDS25519"), base::AsBytes(kMessage),
                 &signature),
            CKR_MECHANISM_PARAM_INVALID);
  EXPECT_EQ(Sign({CKM_EDDSA, nullptr, 0}, Private("ECC_NIST_EDWARDS25519"),
                 base::Bytes(4097), &signature),
            CKR_DATA_LEN_RANGE);
}

TEST_F(SignTest, MacsAreMadeAndVerifiedByTheKms) {
  Add("HMAC_256", "GENERATE_VERIFY_MAC");
  const CK_OBJECT_HANDLE key = Find(CKO_SECRET_KEY, "HMAC_256");
  const CK_MECHANISM mechanism = {CKM_SHA256_HMAC, nullptr, 0};
  base::Bytes mac;
  ASSERT_EQ(Sign(mechanism, key, base::AsBytes(kMessage), &mac), CKR_OK);
  EXPECT_EQ(mac.size(), 32U);
  EXPECT_EQ(Verify(mechanism, key, base::AsBytes(kMessage), mac), CKR_OK);
  EXPECT_EQ(kms_->Calls("VerifyMac"), 1);
  mac[0] ^= 1U;
  EXPECT_EQ(Verify(mechanism, key, base::AsBytes(kMessage), mac),
            CKR_SIGNATURE_INVALID);
  mac.pop_back();
  EXPECT_EQ(Verify(mechanism, key, base::AsBytes(kMessage), mac),
            CKR_SIGNATURE_LEN_RANGE);
  EXPECT_EQ(kms_->Calls("VerifyMac"), 2);
  mac.push_back(0);
  for (const base::Json& reply :
       {base::Json::object(), base::Json{{"MacValid", false}}}) {
    kms_->Reply("VerifyMac", reply);
    EXPECT_EQ(Verify(mechanism, key, base::AsBytes(kMessage), mac),
              CKR_SIGNATURE_INVALID);
  }
  EXPECT_EQ(Sign(mechanism, key, {}, &mac), CKR_DATA_LEN_RANGE);
  EXPECT_EQ(
      Sign({CKM_SHA384_HMAC, nullptr, 0}, key, base::AsBytes(kMessage), &mac),
      CKR_KEY_TYPE_INCONSISTENT);
}

TEST_F(SignTest, InPartsIsAsAtOnce) {
  Add("RSA_2048");
  CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, nullptr, 0};
  const CK_OBJECT_HANDLE key = Private("RSA_2048");
  base::Bytes whole;
  ASSERT_EQ(Sign(mechanism, key, base::AsBytes(kMessage), &whole), CKR_OK);
  ASSERT_EQ(C_SignInit(session_, &mechanism, key), CKR_OK);
  for (const char c : kMessage) {
    CK_BYTE byte = static_cast<CK_BYTE>(c);
    ASSERT_EQ(C_SignUpdate(session_, &byte, 1), CKR_OK);
  }
  base::Bytes parts(256);
  CK_ULONG size = parts.size();
  ASSERT_EQ(C_SignFinal(session_, parts.data(), &size), CKR_OK);
  EXPECT_EQ(parts, whole);
  ASSERT_EQ(C_VerifyInit(session_, &mechanism, Public("RSA_2048")), CKR_OK);
  ASSERT_EQ(C_VerifyUpdate(session_, Unconst(base::AsBytes(kMessage)),
                           kMessage.size()),
            CKR_OK);
  EXPECT_EQ(C_VerifyFinal(session_, parts.data(), size), CKR_OK);
}

TEST_F(SignTest, AskingForTheLengthNeitherCallsTheKmsNorEndsTheOperation) {
  Add("ECC_NIST_P521");
  CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
  ASSERT_EQ(C_SignInit(session_, &mechanism, Private("ECC_NIST_P521")), CKR_OK);
  CK_BYTE digest[32] = {1};
  base::Bytes signature(132);
  CK_ULONG size = 0;
  const int before = kms_->Calls();
  EXPECT_EQ(C_Sign(session_, digest, 32, nullptr, &size), CKR_OK);
  EXPECT_EQ(size, 132U);
  size = 131;
  EXPECT_EQ(C_Sign(session_, digest, 32, signature.data(), &size),
            CKR_BUFFER_TOO_SMALL);
  EXPECT_EQ(size, 132U);
  EXPECT_EQ(kms_->Calls(), before);
  EXPECT_EQ(C_Sign(session_, digest, 32, signature.data(), &size), CKR_OK);
  EXPECT_EQ(kms_->Calls(), before + 1);
  EXPECT_EQ(C_Sign(session_, digest, 32, signature.data(), &size),
            CKR_OPERATION_NOT_INITIALIZED);
}

TEST_F(SignTest, EveryFailureEndsTheOperation) {
  Add("ECC_NIST_P256");
  const CK_OBJECT_HANDLE key = Private("ECC_NIST_P256");
  CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
  CK_BYTE digest[32] = {1};
  base::Bytes signature(64);
  CK_ULONG size = signature.size();
  kms_->Fail("Sign", base::Error{base::ErrorCode::kAccessDenied, "denied"});
  ASSERT_EQ(C_SignInit(session_, &mechanism, key), CKR_OK);
  EXPECT_EQ(C_Sign(session_, digest, 32, signature.data(), &size),
            CKR_FUNCTION_REJECTED);
  EXPECT_EQ(C_Sign(session_, digest, 32, signature.data(), &size),
            CKR_OPERATION_NOT_INITIALIZED);
  kms_->Fail("Sign", std::nullopt);
  // C_Sign after C_SignUpdate.
  ASSERT_EQ(C_SignInit(session_, &mechanism, key), CKR_OK);
  ASSERT_EQ(C_SignUpdate(session_, digest, 32), CKR_OK);
  EXPECT_EQ(C_Sign(session_, digest, 32, signature.data(), &size),
            CKR_OPERATION_ACTIVE);
  EXPECT_EQ(C_SignFinal(session_, signature.data(), &size),
            CKR_OPERATION_NOT_INITIALIZED);
  // A message that is too long.
  ASSERT_EQ(C_SignInit(session_, &mechanism, key), CKR_OK);
  base::Bytes longer(5000);
  EXPECT_EQ(C_SignUpdate(session_, longer.data(), longer.size()),
            CKR_DATA_LEN_RANGE);
  EXPECT_EQ(C_SignUpdate(session_, digest, 1), CKR_OPERATION_NOT_INITIALIZED);
}

TEST_F(SignTest, ArgumentsThatCannotBeEndTheOperation) {
  Add("ECC_NIST_P256");
  CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
  CK_BYTE digest[32] = {1};
  base::Bytes signature(64);
  CK_ULONG size = signature.size();
  ASSERT_EQ(C_SignInit(session_, &mechanism, Private("ECC_NIST_P256")), CKR_OK);
  EXPECT_EQ(C_Sign(session_, digest, 32, signature.data(), nullptr),
            CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_Sign(session_, digest, 32, signature.data(), &size),
            CKR_OPERATION_NOT_INITIALIZED);
  ASSERT_EQ(C_VerifyInit(session_, &mechanism, Public("ECC_NIST_P256")),
            CKR_OK);
  EXPECT_EQ(C_VerifyUpdate(session_, nullptr, 7), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_VerifyUpdate(session_, digest, 32),
            CKR_OPERATION_NOT_INITIALIZED);
}

TEST_F(SignTest, NoMechanismEndsTheOperation) {
  Add("ECC_NIST_P256");
  const CK_OBJECT_HANDLE key = Private("ECC_NIST_P256");
  CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
  ASSERT_EQ(C_SignInit(session_, &mechanism, key), CKR_OK);
  EXPECT_EQ(C_VerifyInit(session_, nullptr, 0), CKR_OK);
  EXPECT_EQ(C_SignInit(session_, &mechanism, key), CKR_OPERATION_ACTIVE);
  EXPECT_EQ(C_SignInit(session_, nullptr, 0), CKR_OK);
  EXPECT_EQ(C_SignInit(session_, &mechanism, key), CKR_OK);
  EXPECT_EQ(C_SignInit(0, nullptr, 0), CKR_SESSION_HANDLE_INVALID);
}

TEST_F(SignTest, AnActiveOperationIsNotReplaced) {
  Add("ECC_NIST_P256");
  CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
  const CK_OBJECT_HANDLE key = Private("ECC_NIST_P256");
  ASSERT_EQ(C_SignInit(session_, &mechanism, key), CKR_OK);
  EXPECT_EQ(C_SignInit(session_, &mechanism, key), CKR_OPERATION_ACTIVE);
  EXPECT_EQ(C_VerifyInit(session_, &mechanism, Public("ECC_NIST_P256")),
            CKR_OK);
  EXPECT_EQ(C_SessionCancel(session_, CKF_SIGN), CKR_OK);
  EXPECT_EQ(C_SignInit(session_, &mechanism, key), CKR_OK);
  EXPECT_EQ(C_VerifyInit(session_, &mechanism, Public("ECC_NIST_P256")),
            CKR_OPERATION_ACTIVE);
}

TEST_F(SignTest, KeysDoOnlyWhatTheyAreFor) {
  Add("ECC_NIST_P256");
  kms_->AddKey("ECC_NIST_P256", "KEY_AGREEMENT", "agree");
  Add("RSA_2048");
  CK_MECHANISM ecdsa = {CKM_ECDSA, nullptr, 0};
  CK_MECHANISM unknown = {0x7FFFFFFF, nullptr, 0};
  EXPECT_EQ(C_SignInit(session_, &ecdsa, Public("ECC_NIST_P256")),
            CKR_KEY_FUNCTION_NOT_PERMITTED);
  EXPECT_EQ(C_VerifyInit(session_, &ecdsa, Private("ECC_NIST_P256")),
            CKR_KEY_FUNCTION_NOT_PERMITTED);
  EXPECT_EQ(C_SignInit(session_, &ecdsa, Private("agree")),
            CKR_KEY_FUNCTION_NOT_PERMITTED);
  EXPECT_EQ(C_SignInit(session_, &ecdsa, Private("RSA_2048")),
            CKR_KEY_TYPE_INCONSISTENT);
  EXPECT_EQ(C_SignInit(session_, &unknown, Private("RSA_2048")),
            CKR_MECHANISM_INVALID);
  EXPECT_EQ(C_SignInit(session_, &ecdsa, 0), CKR_KEY_HANDLE_INVALID);
  EXPECT_EQ(C_SignInit(session_, &ecdsa, ~0UL), CKR_KEY_HANDLE_INVALID);
  EXPECT_EQ(C_SignInit(session_ + 1, &ecdsa, Private("ECC_NIST_P256")),
            CKR_SESSION_HANDLE_INVALID);
}

TEST_F(SignTest, AReplyThatCannotBeIsTheDevicesError) {
  Add("ECC_NIST_P256");
  const CK_MECHANISM ecdsa = {CKM_ECDSA, nullptr, 0};
  base::Bytes signature;
  for (const char* reply : {"{}", R"({"Signature":7})", R"({"Signature":"!"})",
                            R"({"Signature":"AAAA"})"}) {
    kms_->Reply("Sign", *base::ParseJson(reply));
    EXPECT_EQ(
        Sign(ecdsa, Private("ECC_NIST_P256"), base::Bytes(32, 1), &signature),
        CKR_DEVICE_ERROR)
        << reply;
  }
}

TEST_F(SignTest, ThreadsSignEachInTheirSession) {
  Add("ECC_NIST_P256");
  const CK_OBJECT_HANDLE key = Private("ECC_NIST_P256");
  std::array<int, 8> good{};
  std::vector<std::thread> threads;
  threads.reserve(good.size());
  for (int& count : good) {
    threads.emplace_back([&count, key] {
      const CK_SESSION_HANDLE session = Open();
      CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
      for (int i = 0; i < 100; ++i) {
        CK_BYTE digest[32] = {1};
        CK_BYTE signature[64];
        CK_ULONG size = sizeof(signature);
        if (C_SignInit(session, &mechanism, key) == CKR_OK &&
            C_Sign(session, digest, 32, signature, &size) == CKR_OK) {
          ++count;
        }
      }
      C_CloseSession(session);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_THAT(good, testing::Each(100));
}

}  // namespace
}  // namespace pkcs11::module
