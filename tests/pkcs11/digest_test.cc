// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <vector>

#include "tests/pkcs11/session_key_test.h"

namespace pkcs11::module {
namespace {

constexpr std::string_view kMessage = "abc";

TokenOptions WithDigests() {
  TokenOptions options;
  options.digests = true;
  return options;
}

class DigestTest : public SessionKeyTest {
 protected:
  explicit DigestTest(TokenOptions options = {})
      : SessionKeyTest(std::move(options)) {}

  static bool Lists(CK_MECHANISM_TYPE type) {
    std::array<CK_MECHANISM_TYPE, 256> list{};
    CK_ULONG count = list.size();
    EXPECT_EQ(C_GetMechanismList(0, list.data(), &count), CKR_OK);
    return std::find(list.begin(), list.begin() + count, type) !=
           list.begin() + count;
  }
};

class ListedDigestTest : public DigestTest {
 protected:
  ListedDigestTest() : DigestTest(WithDigests()) {}
};

TEST_F(DigestTest, DigestsAreThoseOfOpenssl) {
  const struct {
    CK_MECHANISM_TYPE type;
    const char* name;
  } cases[] = {
      {CKM_SHA_1, "SHA1"},        {CKM_SHA224, "SHA224"},
      {CKM_SHA256, "SHA256"},     {CKM_SHA384, "SHA384"},
      {CKM_SHA512, "SHA512"},     {CKM_SHA3_224, "SHA3-224"},
      {CKM_SHA3_256, "SHA3-256"}, {CKM_SHA3_384, "SHA3-384"},
      {CKM_SHA3_512, "SHA3-512"},
  };
  for (const auto& each : cases) {
    CK_MECHANISM mechanism = {each.type, nullptr, 0};
    const base::Bytes expected = Hashed(each.name, base::AsBytes(kMessage));
    CK_BYTE* const message = Unconst(base::AsBytes(kMessage));
    ASSERT_EQ(C_DigestInit(session_, &mechanism), CKR_OK) << each.name;
    base::Bytes digest(64);
    CK_ULONG size = 0;
    EXPECT_EQ(C_Digest(session_, message, 3, nullptr, &size), CKR_OK);
    EXPECT_EQ(size, expected.size());
    --size;
    EXPECT_EQ(C_Digest(session_, message, 3, digest.data(), &size),
              CKR_BUFFER_TOO_SMALL);
    EXPECT_EQ(C_Digest(session_, message, 3, digest.data(), &size), CKR_OK);
    digest.resize(size);
    EXPECT_EQ(digest, expected) << each.name;
    ASSERT_EQ(C_DigestInit(session_, &mechanism), CKR_OK);
    EXPECT_EQ(C_DigestInit(session_, &mechanism), CKR_OPERATION_ACTIVE);
    ASSERT_EQ(C_DigestUpdate(session_, message, 1), CKR_OK);
    ASSERT_EQ(C_DigestUpdate(session_, message + 1, 2), CKR_OK);
    digest.assign(64, 0);
    size = digest.size();
    ASSERT_EQ(C_DigestFinal(session_, digest.data(), &size), CKR_OK);
    digest.resize(size);
    EXPECT_EQ(digest, expected);
    EXPECT_EQ(C_DigestFinal(session_, digest.data(), &size),
              CKR_OPERATION_NOT_INITIALIZED);
  }
  EXPECT_EQ(kms_->Calls(), 0);
}

TEST_F(DigestTest, AKeyIsDigestedIfItMayBeSeen) {
  CK_MECHANISM mechanism = {CKM_SHA256, nullptr, 0};
  ASSERT_EQ(C_DigestInit(session_, &mechanism), CKR_OK);
  ASSERT_EQ(
      C_DigestKey(session_, MakeSecret(CKK_GENERIC_SECRET, {'a', 'b', 'c'})),
      CKR_OK);
  base::Bytes digest(32);
  CK_ULONG size = digest.size();
  ASSERT_EQ(C_DigestFinal(session_, digest.data(), &size), CKR_OK);
  EXPECT_EQ(digest, Hashed("SHA256", base::AsBytes(kMessage)));
  ASSERT_EQ(C_DigestInit(session_, &mechanism), CKR_OK);
  EXPECT_EQ(C_DigestKey(session_, MakeSecret(CKK_GENERIC_SECRET, {'a'},
                                             {Row(CKA_SENSITIVE, yes_)})),
            CKR_KEY_INDIGESTIBLE);
  EXPECT_EQ(C_DigestFinal(session_, digest.data(), &size),
            CKR_OPERATION_NOT_INITIALIZED);
}

TEST_F(DigestTest, AKeyThatIsNotThereEndsTheOperation) {
  CK_MECHANISM mechanism = {CKM_SHA256, nullptr, 0};
  ASSERT_EQ(C_DigestInit(session_, &mechanism), CKR_OK);
  EXPECT_EQ(C_DigestKey(session_, 4711), CKR_KEY_HANDLE_INVALID);
  EXPECT_EQ(C_DigestInit(session_, &mechanism), CKR_OK);
}

TEST_F(DigestTest, OtherMechanismsDoNotDigest) {
  CK_MECHANISM mechanism = {CKM_SHA256_HMAC, nullptr, 0};
  EXPECT_EQ(C_DigestInit(session_, &mechanism), CKR_MECHANISM_INVALID);
  mechanism = {CKM_SHA256, &mechanism, 1};
  EXPECT_EQ(C_DigestInit(session_, &mechanism), CKR_MECHANISM_PARAM_INVALID);
  CK_MECHANISM digest = {CKM_SHA256, nullptr, 0};
  EXPECT_EQ(C_SignInit(session_, &digest, MakeSecret(CKK_GENERIC_SECRET, {1})),
            CKR_MECHANISM_INVALID);
}

TEST_F(DigestTest, TheyAreNotListed) {
  CK_MECHANISM_INFO info = {};
  EXPECT_FALSE(Lists(CKM_SHA256));
  EXPECT_TRUE(Lists(CKM_AES_GCM));
  EXPECT_EQ(C_GetMechanismInfo(0, CKM_SHA256, &info), CKR_MECHANISM_INVALID);
}

TEST_F(ListedDigestTest, UnlessTheConfigurationSaysSo) {
  CK_MECHANISM_INFO info = {};
  EXPECT_TRUE(Lists(CKM_SHA256));
  ASSERT_EQ(C_GetMechanismInfo(0, CKM_SHA256, &info), CKR_OK);
  EXPECT_EQ(info.flags, CKF_DIGEST);
  EXPECT_EQ(info.ulMaxKeySize, 0U);
}

}  // namespace
}  // namespace pkcs11::module
