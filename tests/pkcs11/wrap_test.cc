// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <string>

#include "tests/pkcs11/session_key_test.h"

namespace pkcs11::module {
namespace {

class WrapTest : public SessionKeyTest {
 protected:
  CK_RV Wrap(CK_MECHANISM mechanism, CK_OBJECT_HANDLE with,
             CK_OBJECT_HANDLE key, base::Bytes* out) const {
    CK_ULONG size = 0;
    if (const CK_RV rv =
            C_WrapKey(session_, &mechanism, with, key, nullptr, &size);
        rv != CKR_OK) {
      return rv;
    }
    out->assign(size, 0);
    const CK_RV rv =
        C_WrapKey(session_, &mechanism, with, key, out->data(), &size);
    out->resize(rv == CKR_OK ? size : 0);
    return rv;
  }
  CK_RV Unwrap(CK_MECHANISM mechanism, CK_OBJECT_HANDLE with,
               base::ByteView wrapped, const Rows& more = {}) {
    Rows rows = {Row(CKA_CLASS, secret_), Row(CKA_KEY_TYPE, type_)};
    rows.insert(rows.end(), more.begin(), more.end());
    return C_UnwrapKey(session_, &mechanism, with, Unconst(wrapped),
                       wrapped.size(), rows.data(), rows.size(), &key_);
  }

  CK_OBJECT_CLASS secret_ = CKO_SECRET_KEY;
  CK_KEY_TYPE type_ = CKK_AES;
  CK_OBJECT_HANDLE key_ = 0;
};

// RFC 3394, 4.1, 4.6; RFC 5649, 6.
TEST_F(WrapTest, KeyWrapIsThatOfTheRfcs) {
  const struct {
    CK_MECHANISM_TYPE mechanism;
    const char* with;
    const char* key;
    const char* wrapped;
  } cases[] = {
      {CKM_AES_KEY_WRAP, "000102030405060708090A0B0C0D0E0F",
       "00112233445566778899aabbccddeeff",
       "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"},
      {CKM_AES_KEY_WRAP,
       "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
       "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
       "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43b"
       "fb988b9b7a02dd21"},
      {CKM_AES_KEY_WRAP_PAD, "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8",
       "c37b7e6492584340bed12207808941155068f738",
       "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a"},
      {CKM_AES_KEY_WRAP_PAD, "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8",
       "466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"},
  };
  type_ = CKK_GENERIC_SECRET;
  for (const auto& each : cases) {
    const CK_OBJECT_HANDLE with = MakeAes(each.with);
    const CK_OBJECT_HANDLE key =
        MakeSecret(CKK_GENERIC_SECRET, *base::HexDecode(each.key));
    const CK_MECHANISM mechanism = {each.mechanism, nullptr, 0};
    base::Bytes wrapped;
    ASSERT_EQ(Wrap(mechanism, with, key, &wrapped), CKR_OK);
    EXPECT_EQ(base::HexEncode(wrapped), each.wrapped);
    ASSERT_EQ(Unwrap(mechanism, with, wrapped), CKR_OK);
    EXPECT_EQ(base::HexEncode(Value(key_, CKA_VALUE)), each.key);
    for (std::uint8_t& byte : wrapped) {
      byte ^= 1U;
      EXPECT_EQ(Unwrap(mechanism, with, wrapped), CKR_WRAPPED_KEY_INVALID);
      byte ^= 1U;
    }
    wrapped.pop_back();
    EXPECT_EQ(Unwrap(mechanism, with, wrapped), CKR_WRAPPED_KEY_LEN_RANGE);
    EXPECT_EQ(Unwrap(mechanism, with, {}), CKR_WRAPPED_KEY_LEN_RANGE);
  }
  EXPECT_EQ(kms_->Calls(), 0);
}

TEST_F(WrapTest, KeyWrapTakesTheInitialValueThatItHasAnyway) {
  const CK_OBJECT_HANDLE with = MakeAes("000102030405060708090A0B0C0D0E0F");
  CK_BYTE wrap[] = {0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6};
  CK_BYTE pad[] = {0xA6, 0x59, 0x59, 0xA6};
  for (CK_MECHANISM mechanism :
       {CK_MECHANISM{CKM_AES_KEY_WRAP, wrap, sizeof(wrap)},
        CK_MECHANISM{CKM_AES_KEY_WRAP_PAD, pad, sizeof(pad)}}) {
    base::Bytes with_value;
    base::Bytes without;
    ASSERT_EQ(Wrap(mechanism, with, with, &with_value), CKR_OK);
    ASSERT_EQ(Wrap({mechanism.mechanism, nullptr, 0}, with, with, &without),
              CKR_OK);
    EXPECT_EQ(with_value, without);
    --mechanism.ulParameterLen;
    EXPECT_EQ(Wrap(mechanism, with, with, &without),
              CKR_MECHANISM_PARAM_INVALID);
    ++mechanism.ulParameterLen;
    static_cast<CK_BYTE*>(mechanism.pParameter)[0] ^= 1U;
    EXPECT_EQ(Wrap(mechanism, with, with, &without),
              CKR_MECHANISM_PARAM_INVALID);
  }
}

TEST_F(WrapTest, KeysThatKeyWrapCannotTakeAreRefused) {
  const CK_OBJECT_HANDLE with = MakeAes("000102030405060708090A0B0C0D0E0F");
  base::Bytes wrapped;
  for (const std::size_t size : {1U, 8U, 17U}) {
    EXPECT_EQ(
        Wrap({CKM_AES_KEY_WRAP, nullptr, 0}, with,
             MakeSecret(CKK_GENERIC_SECRET, base::Bytes(size, 1)), &wrapped),
        CKR_KEY_SIZE_RANGE);
  }
}

TEST_F(WrapTest, TheKmsWrapsAndUnwrapsInAnEnvelope) {
  kms_->AddKey("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "kms");
  const CK_OBJECT_HANDLE with = Find(CKO_SECRET_KEY, "kms");
  EXPECT_TRUE(Flag(with, CKA_WRAP));
  EXPECT_TRUE(Flag(with, CKA_UNWRAP));
  std::string context = R"({"app":"test"})";
  const CK_MECHANISM mechanism = {CKM_KMS_ENVELOPE, context.data(),
                                  context.size()};
  const CK_OBJECT_HANDLE key =
      MakeAes("000102030405060708090a0b0c0d0e0f", {Row(CKA_SENSITIVE, yes_)});
  base::Bytes wrapped;
  ASSERT_EQ(Wrap(mechanism, with, key, &wrapped), CKR_OK);
  EXPECT_EQ(kms_->Calls("Encrypt"), 1);  // None for the length.
  EXPECT_EQ(kms_->LastRequest("Encrypt")["EncryptionContext"]["app"], "test");
  ASSERT_EQ(Unwrap(mechanism, with, wrapped), CKR_OK);
  EXPECT_EQ(base::HexEncode(Value(key_, CKA_VALUE)),
            "000102030405060708090a0b0c0d0e0f");
  EXPECT_FALSE(Flag(key_, CKA_ALWAYS_SENSITIVE));
  EXPECT_FALSE(Flag(key_, CKA_LOCAL));
  EXPECT_EQ(Number(key_, CKA_KEY_GEN_MECHANISM), CK_UNAVAILABLE_INFORMATION);
  EXPECT_EQ(Unwrap({CKM_KMS_ENVELOPE, nullptr, 0}, with, wrapped),
            CKR_WRAPPED_KEY_INVALID);
  // A template that cannot be costs no call.
  const int before = kms_->Calls("Decrypt");
  EXPECT_EQ(Unwrap(mechanism, with, wrapped, {Row(CKA_TOKEN, yes_)}),
            CKR_ACTION_PROHIBITED);
  EXPECT_EQ(Unwrap(mechanism, with, wrapped, {Row(CKA_VALUE, secret_)}),
            CKR_TEMPLATE_INCONSISTENT);
  secret_ = CKO_PRIVATE_KEY;
  EXPECT_EQ(Unwrap(mechanism, with, wrapped), CKR_TEMPLATE_INCONSISTENT);
  EXPECT_EQ(kms_->Calls("Decrypt"), before);
}

TEST_F(WrapTest, OaepWrapsHereAndIsUnwrappedByTheKms) {
  kms_->AddKey("RSA_2048", "ENCRYPT_DECRYPT", "rsa");
  CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA256, CKG_MGF1_SHA256, 1, nullptr, 0};
  const CK_MECHANISM mechanism = {CKM_RSA_PKCS_OAEP, &oaep, sizeof(oaep)};
  const CK_OBJECT_HANDLE key = MakeAes("000102030405060708090a0b0c0d0e0f");
  const CK_OBJECT_HANDLE pub = Find(CKO_PUBLIC_KEY, "rsa");
  const CK_OBJECT_HANDLE priv = Find(CKO_PRIVATE_KEY, "rsa");
  const int before = kms_->Calls();
  base::Bytes wrapped;
  ASSERT_EQ(Wrap(mechanism, pub, key, &wrapped), CKR_OK);
  EXPECT_EQ(kms_->Calls(), before);
  EXPECT_EQ(wrapped.size(), 256U);
  ASSERT_EQ(Unwrap(mechanism, priv, wrapped, {Row(CKA_EXTRACTABLE, no_)}),
            CKR_OK);
  EXPECT_EQ(kms_->Calls("Decrypt"), 1);
  EXPECT_FALSE(Flag(key_, CKA_EXTRACTABLE));
  EXPECT_EQ(Wrap(mechanism, pub, key_, &wrapped), CKR_KEY_UNEXTRACTABLE);
  wrapped.assign(256, 1);
  EXPECT_EQ(Unwrap(mechanism, priv, wrapped), CKR_WRAPPED_KEY_INVALID);
  EXPECT_EQ(Unwrap(mechanism, pub, wrapped), CKR_KEY_FUNCTION_NOT_PERMITTED);
}

TEST_F(WrapTest, OnlyWhatMayLeaveIsWrapped) {
  kms_->AddKey("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "kms");
  kms_->AddKey("RSA_2048", "SIGN_VERIFY", "rsa");
  const CK_OBJECT_HANDLE kms = Find(CKO_SECRET_KEY, "kms");
  const CK_OBJECT_HANDLE with = MakeAes("000102030405060708090a0b0c0d0e0f");
  const CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP, nullptr, 0};
  base::Bytes out;
  EXPECT_EQ(Wrap(mechanism, with, kms, &out), CKR_KEY_UNEXTRACTABLE);
  EXPECT_EQ(Wrap(mechanism, with, Find(CKO_PRIVATE_KEY, "rsa"), &out),
            CKR_KEY_UNEXTRACTABLE);
  EXPECT_EQ(Wrap(mechanism, with, Find(CKO_PUBLIC_KEY, "rsa"), &out),
            CKR_KEY_NOT_WRAPPABLE);
  EXPECT_EQ(Wrap(mechanism, with,
                 MakeAes("000102030405060708090a0b0c0d0e0f",
                         {Row(CKA_WRAP_WITH_TRUSTED, yes_)}),
                 &out),
            CKR_KEY_NOT_WRAPPABLE);
  EXPECT_EQ(Wrap(mechanism, 1, with, &out), CKR_WRAPPING_KEY_HANDLE_INVALID);
  EXPECT_EQ(Wrap(mechanism, with, 1, &out), CKR_KEY_HANDLE_INVALID);
  EXPECT_EQ(Wrap(mechanism, MakeSecret(CKK_GENERIC_SECRET, base::Bytes(16, 1)),
                 with, &out),
            CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
  EXPECT_EQ(Unwrap(mechanism, 1, {}), CKR_UNWRAPPING_KEY_HANDLE_INVALID);
  EXPECT_EQ(Wrap({CKM_AES_ECB, nullptr, 0}, with, with, &out),
            CKR_MECHANISM_INVALID);
}

TEST_F(WrapTest, DataKeysComeWithTheirCiphertext) {
  kms_->AddKey("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "kms");
  const CK_OBJECT_HANDLE with = Find(CKO_SECRET_KEY, "kms");
  std::string context = R"({"app":"test"})";
  CK_KMS_DATA_KEY_PARAMS parameter = {
      with, reinterpret_cast<CK_BYTE*>(context.data()), context.size()};
  CK_MECHANISM mechanism = {CKM_KMS_DATA_KEY_GEN, &parameter,
                            sizeof(parameter)};
  CK_ULONG length = 16;
  CK_ATTRIBUTE rows[] = {Row(CKA_VALUE_LEN, length), Row(CKA_SENSITIVE, yes_)};
  ASSERT_EQ(C_GenerateKey(session_, &mechanism, rows, 2, &key_), CKR_OK);
  EXPECT_EQ(Number(key_, CKA_KEY_TYPE), CKK_AES);
  EXPECT_EQ(Number(key_, CKA_VALUE_LEN), 16U);
  EXPECT_TRUE(Flag(key_, CKA_LOCAL));
  EXPECT_FALSE(Flag(key_, CKA_ALWAYS_SENSITIVE));
  const base::Bytes blob = Value(key_, CKA_KMS_CIPHERTEXT_BLOB);
  ASSERT_EQ(
      Unwrap({CKM_KMS_ENVELOPE, context.data(), context.size()}, with, blob),
      CKR_OK);
  EXPECT_EQ(Value(key_, CKA_VALUE), base::Bytes(16, 0x5A));
  ASSERT_EQ(C_GenerateKey(session_, &mechanism, nullptr, 0, &key_), CKR_OK);
  EXPECT_EQ(Number(key_, CKA_VALUE_LEN), 32U);
  // It is a session's, and nothing else.
  CK_ATTRIBUTE on_token = Row(CKA_TOKEN, yes_);
  EXPECT_EQ(C_GenerateKey(session_, &mechanism, &on_token, 1, &key_),
            CKR_ACTION_PROHIBITED);
  length = 1025;
  EXPECT_EQ(C_GenerateKey(session_, &mechanism, rows, 1, &key_),
            CKR_KEY_SIZE_RANGE);
  parameter.ulContextLen = ~0UL;
  EXPECT_EQ(C_GenerateKey(session_, &mechanism, nullptr, 0, &key_),
            CKR_MECHANISM_PARAM_INVALID);
  parameter.hKey = 1;
  EXPECT_EQ(C_GenerateKey(session_, &mechanism, nullptr, 0, &key_),
            CKR_KEY_HANDLE_INVALID);
  mechanism = {CKM_KMS_DATA_KEY_GEN, nullptr, 0};
  EXPECT_EQ(C_GenerateKey(session_, &mechanism, nullptr, 0, &key_),
            CKR_MECHANISM_PARAM_INVALID);
  EXPECT_EQ(kms_->Calls("GenerateDataKey"), 2);
  EXPECT_EQ(kms_->Calls("CreateKey"), 0);
}

}  // namespace
}  // namespace pkcs11::module
