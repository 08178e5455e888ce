// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <string>

#include "tests/pkcs11/session_key_test.h"

namespace pkcs11::module {
namespace {

// NIST SP 800-38A, appendix F: the key of AES-128 and four blocks.
constexpr std::string_view kKey = "2b7e151628aed2a6abf7158809cf4f3c";
constexpr std::string_view kBlocks =
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

class AesTest : public SessionKeyTest {
 protected:
  static CK_RV Run(bool encrypt, CK_SESSION_HANDLE session,
                   CK_MECHANISM mechanism, CK_OBJECT_HANDLE key,
                   base::ByteView text, base::Bytes* out) {
    const auto init = encrypt ? C_EncryptInit : C_DecryptInit;
    const auto run = encrypt ? C_Encrypt : C_Decrypt;
    if (const CK_RV rv = init(session, &mechanism, key); rv != CKR_OK) {
      return rv;
    }
    CK_ULONG size = 0;
    EXPECT_EQ(run(session, Unconst(text), text.size(), nullptr, &size), CKR_OK);
    out->assign(size, 0);
    const CK_RV rv =
        run(session, Unconst(text), text.size(), Unconst(*out), &size);
    out->resize(rv == CKR_OK ? size : 0);
    return rv;
  }
  CK_RV Encrypt(CK_MECHANISM mechanism, CK_OBJECT_HANDLE key,
                base::ByteView text, base::Bytes* out) const {
    return Run(true, session_, mechanism, key, text, out);
  }
  CK_RV Decrypt(CK_MECHANISM mechanism, CK_OBJECT_HANDLE key,
                base::ByteView text, base::Bytes* out) const {
    return Run(false, session_, mechanism, key, text, out);
  }

  // In parts of `step` bytes, each with just as much room as it needs.
  base::Bytes InParts(bool encrypt, CK_MECHANISM mechanism,
                      CK_OBJECT_HANDLE key, base::ByteView text,
                      std::size_t step) const {
    EXPECT_EQ(
        (encrypt ? C_EncryptInit : C_DecryptInit)(session_, &mechanism, key),
        CKR_OK);
    const auto update = encrypt ? C_EncryptUpdate : C_DecryptUpdate;
    base::Bytes all;
    for (; !text.empty(); text = text.subspan(std::min(step, text.size()))) {
      const base::ByteView part = text.first(std::min(step, text.size()));
      CK_ULONG size = 0;
      EXPECT_EQ(update(session_, Unconst(part), part.size(), nullptr, &size),
                CKR_OK);
      base::Bytes out(size);
      if (size != 0) {
        CK_ULONG less = size - 1;
        EXPECT_EQ(
            update(session_, Unconst(part), part.size(), out.data(), &less),
            CKR_BUFFER_TOO_SMALL);
        EXPECT_EQ(less, size);
      }
      EXPECT_EQ(
          update(session_, Unconst(part), part.size(), Unconst(out), &size),
          CKR_OK);
      EXPECT_EQ(size, out.size());
      all.insert(all.end(), out.begin(), out.end());
    }
    std::array<CK_BYTE, 32> rest{};
    CK_ULONG size = rest.size();
    EXPECT_EQ((encrypt ? C_EncryptFinal : C_DecryptFinal)(session_, rest.data(),
                                                          &size),
              CKR_OK);
    all.insert(all.end(), rest.begin(), rest.begin() + size);
    return all;
  }

  static CK_GCM_PARAMS Gcm(base::Bytes& iv, base::Bytes& aad,
                           CK_ULONG tag_bits) {
    return {iv.data(),  iv.size(),  iv.size() * 8,
            aad.data(), aad.size(), tag_bits};
  }

  base::Bytes iv_ = *base::HexDecode("000102030405060708090a0b0c0d0e0f");
  base::Bytes blocks_ = *base::HexDecode(kBlocks);
};

// NIST SP 800-38A, F.1.1, F.2.1 and F.5.1.
TEST_F(AesTest, ModesAreThoseOfNist) {
  CK_AES_CTR_PARAMS counter = {128, {}};
  const base::Bytes start =
      *base::HexDecode("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  std::ranges::copy(start, counter.cb);
  const struct {
    CK_MECHANISM mechanism;
    const char* ciphertext;
  } cases[] = {
      {{CKM_AES_ECB, nullptr, 0},
       "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"
       "43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4"},
      {{CKM_AES_CBC, iv_.data(), iv_.size()},
       "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
       "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7"},
      {{CKM_AES_CTR, &counter, sizeof(counter)},
       "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
       "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"},
  };
  const CK_OBJECT_HANDLE key = MakeAes(kKey);
  for (const auto& each : cases) {
    base::Bytes out;
    ASSERT_EQ(Encrypt(each.mechanism, key, blocks_, &out), CKR_OK);
    EXPECT_EQ(base::HexEncode(out), each.ciphertext);
    base::Bytes back;
    ASSERT_EQ(Decrypt(each.mechanism, key, out, &back), CKR_OK);
    EXPECT_EQ(back, blocks_);
    for (const std::size_t step : {1U, 15U, 16U, 17U, 64U}) {
      EXPECT_EQ(InParts(true, each.mechanism, key, blocks_, step), out) << step;
      EXPECT_EQ(InParts(false, each.mechanism, key, out, step), blocks_)
          << step;
    }
  }
  EXPECT_EQ(kms_->Calls(), 0);
}

TEST_F(AesTest, WithoutPaddingOnlyWholeBlocksAreTaken) {
  const CK_OBJECT_HANDLE key = MakeAes(kKey);
  const CK_MECHANISM mechanism = {CKM_AES_CBC, iv_.data(), iv_.size()};
  base::Bytes out;
  blocks_.pop_back();
  EXPECT_EQ(Encrypt(mechanism, key, blocks_, &out), CKR_DATA_LEN_RANGE);
  EXPECT_EQ(Decrypt(mechanism, key, blocks_, &out),
            CKR_ENCRYPTED_DATA_LEN_RANGE);
}

TEST_F(AesTest, PaddingIsAddedAndChecked) {
  const CK_OBJECT_HANDLE key = MakeAes(kKey);
  const CK_MECHANISM mechanism = {CKM_AES_CBC_PAD, iv_.data(), iv_.size()};
  for (std::size_t size = 0; size <= 33; ++size) {
    const base::ByteView text = base::ByteView(blocks_).first(size);
    base::Bytes out;
    ASSERT_EQ(Encrypt(mechanism, key, text, &out), CKR_OK);
    EXPECT_EQ(out.size(), size / 16 * 16 + 16);
    base::Bytes back;
    ASSERT_EQ(Decrypt(mechanism, key, out, &back), CKR_OK);
    EXPECT_TRUE(std::ranges::equal(back, text));
    for (const std::size_t step : {1U, 16U, 31U}) {
      EXPECT_EQ(InParts(true, mechanism, key, text, step), out);
      EXPECT_TRUE(
          std::ranges::equal(InParts(false, mechanism, key, out, step), text));
    }
    out.back() ^= 0x80U;
    EXPECT_EQ(Decrypt(mechanism, key, out, &back), CKR_ENCRYPTED_DATA_INVALID);
    out.pop_back();
    EXPECT_EQ(Decrypt(mechanism, key, out, &back),
              CKR_ENCRYPTED_DATA_LEN_RANGE);
  }
  base::Bytes back;
  EXPECT_EQ(Decrypt(mechanism, key, {}, &back), CKR_ENCRYPTED_DATA_LEN_RANGE);
}

// The Galois/Counter Mode of Operation (McGrew, Viega), test cases 2, 4, 14.
TEST_F(AesTest, GcmIsThatOfItsAuthors) {
  const struct {
    const char* key;
    const char* iv;
    const char* aad;
    const char* text;
    const char* ciphertext;  // And the tag.
  } cases[] = {
      {"00000000000000000000000000000000", "000000000000000000000000", "",
       "00000000000000000000000000000000",
       "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"},
      {"feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
       "feedfacedeadbeeffeedfacedeadbeefabaddad2",
       "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
       "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
       "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
       "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
       "5bc94fbc3221a5db94fae95ae7121a47"},
      {"0000000000000000000000000000000000000000000000000000000000000000",
       "000000000000000000000000", "", "00000000000000000000000000000000",
       "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
  };
  for (const auto& each : cases) {
    const CK_OBJECT_HANDLE key = MakeAes(each.key);
    base::Bytes iv = *base::HexDecode(each.iv);
    base::Bytes aad = *base::HexDecode(each.aad);
    const base::Bytes text = *base::HexDecode(each.text);
    CK_GCM_PARAMS gcm = Gcm(iv, aad, 128);
    const CK_MECHANISM mechanism = {CKM_AES_GCM, &gcm, sizeof(gcm)};
    base::Bytes out;
    ASSERT_EQ(Encrypt(mechanism, key, text, &out), CKR_OK);
    EXPECT_EQ(base::HexEncode(out), each.ciphertext);
    EXPECT_EQ(InParts(true, mechanism, key, text, 7), out);
    base::Bytes back;
    ASSERT_EQ(Decrypt(mechanism, key, out, &back), CKR_OK);
    EXPECT_EQ(back, text);
  }
}

TEST_F(AesTest, GcmGivesNothingOutBeforeItHasSeenTheTag) {
  const CK_OBJECT_HANDLE key = MakeAes(kKey);
  base::Bytes aad = {1, 2, 3};
  CK_GCM_PARAMS gcm = Gcm(iv_, aad, 96);
  CK_MECHANISM mechanism = {CKM_AES_GCM, &gcm, sizeof(gcm)};
  base::Bytes text;
  ASSERT_EQ(Encrypt(mechanism, key, blocks_, &text), CKR_OK);
  EXPECT_EQ(text.size(), blocks_.size() + 12);
  base::Bytes out(blocks_.size(), 0);
  for (std::size_t at = 0; at < text.size(); at += 5) {
    base::Bytes bad = text;
    bad[at] ^= 1U;
    ASSERT_EQ(C_DecryptInit(session_, &mechanism, key), CKR_OK);
    CK_ULONG size = out.size();
    ASSERT_EQ(
        C_DecryptUpdate(session_, bad.data(), bad.size(), out.data(), &size),
        CKR_OK);
    EXPECT_EQ(size, 0U);
    size = out.size();
    EXPECT_EQ(C_DecryptFinal(session_, out.data(), &size),
              CKR_ENCRYPTED_DATA_INVALID);
    EXPECT_EQ(out, base::Bytes(blocks_.size(), 0));
  }
  base::Bytes back;
  aad[0] ^= 1U;
  EXPECT_EQ(Decrypt(mechanism, key, text, &back), CKR_ENCRYPTED_DATA_INVALID);
  EXPECT_EQ(Decrypt(mechanism, key, base::ByteView(text).first(11), &back),
            CKR_ENCRYPTED_DATA_LEN_RANGE);
}

TEST_F(AesTest, ParametersThatCannotBeAreRefused) {
  const CK_OBJECT_HANDLE key = MakeAes(kKey);
  base::Bytes none;
  const auto refused = [&](CK_MECHANISM mechanism) {
    return C_EncryptInit(session_, &mechanism, key) ==
           CKR_MECHANISM_PARAM_INVALID;
  };
  EXPECT_TRUE(refused({CKM_AES_ECB, iv_.data(), iv_.size()}));
  EXPECT_TRUE(refused({CKM_AES_CBC, iv_.data(), 15}));
  EXPECT_TRUE(refused({CKM_AES_CBC, nullptr, 16}));
  EXPECT_TRUE(refused({CKM_AES_GCM, nullptr, 0}));
  for (CK_ULONG bits : {0UL, 32UL, 95UL, 97UL, 136UL, ~0UL}) {
    CK_GCM_PARAMS gcm = Gcm(iv_, none, bits);
    EXPECT_TRUE(refused({CKM_AES_GCM, &gcm, sizeof(gcm)})) << bits;
  }
  CK_GCM_PARAMS gcm = Gcm(iv_, none, 128);
  gcm.ulIvLen = ~0UL;
  EXPECT_TRUE(refused({CKM_AES_GCM, &gcm, sizeof(gcm)}));
  gcm.ulIvLen = 0;
  EXPECT_TRUE(refused({CKM_AES_GCM, &gcm, sizeof(gcm)}));
  gcm = Gcm(iv_, none, 128);
  gcm.pAAD = nullptr;
  gcm.ulAADLen = ~0UL;
  EXPECT_TRUE(refused({CKM_AES_GCM, &gcm, sizeof(gcm)}));
  for (CK_ULONG bits : {0UL, 129UL, ~0UL}) {
    CK_AES_CTR_PARAMS counter = {bits, {}};
    EXPECT_TRUE(refused({CKM_AES_CTR, &counter, sizeof(counter)})) << bits;
  }
}

TEST_F(AesTest, ACounterNeverBeginsAnew) {
  const CK_OBJECT_HANDLE key = MakeAes(kKey);
  CK_AES_CTR_PARAMS counter = {8, {}};
  counter.cb[15] = 0xFE;  // Two blocks are left.
  const CK_MECHANISM mechanism = {CKM_AES_CTR, &counter, sizeof(counter)};
  base::Bytes out;
  EXPECT_EQ(Encrypt(mechanism, key, base::ByteView(blocks_).first(32), &out),
            CKR_OK);
  EXPECT_EQ(Encrypt(mechanism, key, base::ByteView(blocks_).first(33), &out),
            CKR_DATA_LEN_RANGE);
}

TEST_F(AesTest, AKeyMustBeForTheMechanismAndTheUse) {
  const CK_OBJECT_HANDLE generic =
      MakeSecret(CKK_GENERIC_SECRET, base::Bytes(16, 1));
  const CK_OBJECT_HANDLE decrypts = MakeAes(kKey, {Row(CKA_ENCRYPT, no_)});
  CK_MECHANISM ecb = {CKM_AES_ECB, nullptr, 0};
  EXPECT_EQ(C_EncryptInit(session_, &ecb, generic), CKR_KEY_TYPE_INCONSISTENT);
  EXPECT_EQ(C_EncryptInit(session_, &ecb, decrypts),
            CKR_KEY_FUNCTION_NOT_PERMITTED);
  EXPECT_EQ(C_DecryptInit(session_, &ecb, decrypts), CKR_OK);
  CK_MECHANISM wrap = {CKM_AES_KEY_WRAP, nullptr, 0};
  EXPECT_EQ(C_EncryptInit(session_, &wrap, decrypts), CKR_MECHANISM_INVALID);
  CK_MECHANISM envelope = {CKM_KMS_ENVELOPE, nullptr, 0};
  EXPECT_EQ(C_EncryptInit(session_, &envelope, decrypts),
            CKR_KEY_TYPE_INCONSISTENT);
  kms_->AddKey("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "kms");
  EXPECT_EQ(C_EncryptInit(session_, &ecb, Find(CKO_SECRET_KEY, "kms")),
            CKR_KEY_FUNCTION_NOT_PERMITTED);
}

}  // namespace
}  // namespace pkcs11::module
