// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <string>

#include "kms/client/tls.h"
#include "pkcs11/module/soft/ecdh.h"
#include "tests/pkcs11/session_key_test.h"
#include "tests/testlib/status.h"

namespace pkcs11::module {
namespace {

using testing::SizeIs;

constexpr const char* kP256 = "06082a8648ce3d030107";

class DeriveTest : public SessionKeyTest {
 protected:
  DeriveTest() {
    kms_->AddKey("ECC_NIST_P256", "KEY_AGREEMENT", "agree");
    base::Bytes params = *base::HexDecode(kP256);
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, nullptr, 0};
    CK_ATTRIBUTE row = {CKA_EC_PARAMS, params.data(), params.size()};
    EXPECT_EQ(C_GenerateKeyPair(session_, &mechanism, &row, 1, nullptr, 0,
                                &public_, &private_),
              CKR_OK);
  }
  CK_RV Derive(CK_OBJECT_HANDLE own, base::ByteView point,
               const Rows& rows = {}, CK_ULONG kdf = CKD_NULL,
               base::ByteView shared = {},
               CK_MECHANISM_TYPE type = CKM_ECDH1_DERIVE) {
    CK_ECDH1_DERIVE_PARAMS parameter = {
        kdf, shared.size(), shared.empty() ? nullptr : Unconst(shared),
        point.size(), Unconst(point)};
    CK_MECHANISM mechanism = {type, &parameter, sizeof(parameter)};
    Rows copy = rows;
    return C_DeriveKey(session_, &mechanism, own, copy.data(), copy.size(),
                       &key_);
  }

  CK_OBJECT_HANDLE public_ = 0;
  CK_OBJECT_HANDLE private_ = 0;
  CK_OBJECT_HANDLE key_ = 0;
};

TEST_F(DeriveTest, TheKmsAndASessionAgree) {
  const CK_OBJECT_HANDLE kms = Find(CKO_PRIVATE_KEY, "agree");
  const base::Bytes theirs = Value(Find(CKO_PUBLIC_KEY, "agree"), CKA_EC_POINT);
  const base::Bytes ours = Value(public_, CKA_EC_POINT);
  ASSERT_EQ(Derive(private_, theirs), CKR_OK);
  EXPECT_EQ(kms_->Calls("DeriveSharedSecret"), 0);
  const base::Bytes secret = Value(key_, CKA_VALUE);
  EXPECT_THAT(secret, SizeIs(32));
  EXPECT_EQ(Number(key_, CKA_KEY_TYPE), CKK_GENERIC_SECRET);
  EXPECT_FALSE(Flag(key_, CKA_LOCAL));
  EXPECT_EQ(Number(key_, CKA_KEY_GEN_MECHANISM), CK_UNAVAILABLE_INFORMATION);
  ASSERT_EQ(Derive(kms, ours), CKR_OK);
  EXPECT_EQ(Value(key_, CKA_VALUE), secret);
  EXPECT_EQ(kms_->Calls("DeriveSharedSecret"), 1);
  // The point without the OCTET STRING, and with a cofactor of 1.
  ASSERT_EQ(Derive(kms, base::ByteView(ours).subspan(2), {}, CKD_NULL, {},
                   CKM_ECDH1_COFACTOR_DERIVE),
            CKR_OK);
  EXPECT_EQ(Value(key_, CKA_VALUE), secret);
  // What is too long is cut in front.
  CK_KEY_TYPE aes = CKK_AES;
  CK_ULONG length = 16;
  ASSERT_EQ(
      Derive(kms, ours, {Row(CKA_KEY_TYPE, aes), Row(CKA_VALUE_LEN, length)}),
      CKR_OK);
  EXPECT_EQ(Value(key_, CKA_VALUE),
            base::Bytes(secret.begin() + 16, secret.end()));
  length = 33;
  EXPECT_EQ(Derive(kms, ours, {Row(CKA_VALUE_LEN, length)}),
            CKR_KEY_SIZE_RANGE);
}

TEST_F(DeriveTest, WithAKdfBothHaveTheSameKeyToo) {
  const CK_OBJECT_HANDLE kms = Find(CKO_PRIVATE_KEY, "agree");
  const base::Bytes theirs = Value(Find(CKO_PUBLIC_KEY, "agree"), CKA_EC_POINT);
  const base::Bytes ours = Value(public_, CKA_EC_POINT);
  CK_ULONG length = 100;
  for (const CK_ULONG kdf : {CKD_SHA1_KDF, CKD_SHA224_KDF, CKD_SHA256_KDF,
                             CKD_SHA384_KDF, CKD_SHA512_KDF}) {
    ASSERT_EQ(Derive(kms, ours, {Row(CKA_VALUE_LEN, length)}, kdf,
                     base::AsBytes("shared")),
              CKR_OK);
    const base::Bytes key = Value(key_, CKA_VALUE);
    EXPECT_THAT(key, SizeIs(100));
    ASSERT_EQ(Derive(private_, theirs, {Row(CKA_VALUE_LEN, length)}, kdf,
                     base::AsBytes("shared")),
              CKR_OK);
    EXPECT_EQ(Value(key_, CKA_VALUE), key);
    ASSERT_EQ(Derive(private_, theirs, {Row(CKA_VALUE_LEN, length)}, kdf),
              CKR_OK);
    EXPECT_NE(Value(key_, CKA_VALUE), key);
  }
}

// NIST CAVP, "ANSI X9.63-2001 KDF", ansx963_2001.rsp, SHA-256: the first of 192
// bits without shared information, and the first with 128 bits of it.
TEST_F(DeriveTest, TheKdfIsThatOfX963) {
  const struct {
    const char* secret;
    const char* data;
    const char* key;
  } cases[] = {
      {"96c05619d56c328ab95fe84b18264b08725b85e33fd34f08", "",
       "443024c3dae66b95e6f5670601558f71"},
      {"22518b10e70f2a3f243810ae3254139efbee04aa57c7af7d",
       "75eef81aa3041e33b80971203d2c0c52",
       "c498af77161cc59f2962b9a713e2b215152d139766ce34a776df11866a69bf2e"
       "52a13d9c7c6fc878c50c5ea0bc7b00e0da2447cfd874f6cf92f30d0097111485"
       "500c90c3af8b487872d04685d14c8d1dc8d7fa08beb0ce0ababc11f0bd496269"
       "142d43525a78e5bc79a17f59676a5706dc54d54d4d1f0bd7e386128ec26afc21"},
  };
  const auto library = testlib::Take(kms::client::LibraryContext::Create());
  for (const auto& each : cases) {
    AgreementParameter parameter;
    parameter.kdf_hash = &kSha256;
    parameter.shared_data = *base::HexDecode(each.data);
    const base::Bytes secret = *base::HexDecode(each.secret);
    const std::size_t size = std::string(each.key).size() / 2;
    const auto key = KeyOfSharedSecret(
        parameter, {secret.begin(), secret.end()}, size, library.get());
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(base::HexEncode(*key), each.key);
  }
}

TEST_F(DeriveTest, WhatIsNoPointOnTheCurveIsRefused) {
  const CK_OBJECT_HANDLE kms = Find(CKO_PRIVATE_KEY, "agree");
  base::Bytes point = Value(public_, CKA_EC_POINT);
  EXPECT_EQ(Derive(kms, {}), CKR_MECHANISM_PARAM_INVALID);
  EXPECT_EQ(Derive(kms, base::Bytes(65, 4)), CKR_MECHANISM_PARAM_INVALID);
  EXPECT_EQ(Derive(kms, base::Bytes(2000, 4)), CKR_MECHANISM_PARAM_INVALID);
  point.back() ^= 1U;
  EXPECT_EQ(Derive(kms, point), CKR_MECHANISM_PARAM_INVALID);
  EXPECT_EQ(Derive(private_, point), CKR_MECHANISM_PARAM_INVALID);
  point.back() ^= 1U;
  EXPECT_EQ(Derive(kms, point, {}, CKD_NULL, base::AsBytes("data")),
            CKR_MECHANISM_PARAM_INVALID);
  EXPECT_EQ(Derive(kms, point, {}, CKD_SHA1_KDF_ASN1),
            CKR_MECHANISM_PARAM_INVALID);
  CK_ECDH1_DERIVE_PARAMS parameter = {CKD_NULL, 0, nullptr, 65, nullptr};
  CK_MECHANISM mechanism = {CKM_ECDH1_DERIVE, &parameter, sizeof(parameter)};
  EXPECT_EQ(C_DeriveKey(session_, &mechanism, kms, nullptr, 0, &key_),
            CKR_MECHANISM_PARAM_INVALID);
  mechanism.ulParameterLen = 0;
  EXPECT_EQ(C_DeriveKey(session_, &mechanism, kms, nullptr, 0, &key_),
            CKR_MECHANISM_PARAM_INVALID);
  EXPECT_EQ(kms_->Calls("DeriveSharedSecret"), 0);
}

TEST_F(DeriveTest, AKeyMustBeForIt) {
  kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "sign");
  const base::Bytes point = Value(public_, CKA_EC_POINT);
  EXPECT_EQ(Derive(Find(CKO_PRIVATE_KEY, "sign"), point),
            CKR_KEY_FUNCTION_NOT_PERMITTED);
  EXPECT_EQ(Derive(Find(CKO_PUBLIC_KEY, "agree"), point),
            CKR_KEY_FUNCTION_NOT_PERMITTED);
  EXPECT_EQ(Derive(public_, point), CKR_KEY_FUNCTION_NOT_PERMITTED);
  EXPECT_EQ(Derive(MakeSecret(CKK_GENERIC_SECRET, {1}), point),
            CKR_KEY_TYPE_INCONSISTENT);
  EXPECT_EQ(Derive(1, point), CKR_KEY_HANDLE_INVALID);
  EXPECT_EQ(Derive(private_, point, {Row(CKA_TOKEN, yes_)}),
            CKR_ACTION_PROHIBITED);
  EXPECT_EQ(Derive(private_, point, {Row(CKA_VALUE, yes_)}),
            CKR_TEMPLATE_INCONSISTENT);
}

}  // namespace
}  // namespace pkcs11::module
