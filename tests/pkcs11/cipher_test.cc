// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <array>
#include <string>

#include "tests/pkcs11/cryptoki_test.h"

namespace pkcs11::module {
namespace {

constexpr std::string_view kText = "the plaintext";

CK_RSA_PKCS_OAEP_PARAMS Oaep(CK_MECHANISM_TYPE hash, CK_ULONG mgf) {
  return {hash, mgf, 1 /* CKZ_DATA_SPECIFIED */, nullptr, 0};
}

class CipherTest : public CryptokiTest {
 protected:
  CipherTest() {
    kms_->AddKey("RSA_2048", "ENCRYPT_DECRYPT", "rsa");
    kms_->AddKey("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "aes");
    kms_->AddKey("RSA_2048", "SIGN_VERIFY", "signer");
  }

  CK_RV Encrypt(CK_MECHANISM mechanism, CK_OBJECT_HANDLE key,
                base::ByteView text, base::Bytes* out) const {
    if (const CK_RV rv = C_EncryptInit(session_, &mechanism, key);
        rv != CKR_OK) {
      return rv;
    }
    CK_ULONG size = 0;
    C_Encrypt(session_, Unconst(text), text.size(), nullptr, &size);
    out->assign(size, 0);
    const CK_RV rv =
        C_Encrypt(session_, Unconst(text), text.size(), Unconst(*out), &size);
    out->resize(rv == CKR_OK ? size : 0);
    return rv;
  }
  CK_RV Decrypt(CK_MECHANISM mechanism, CK_OBJECT_HANDLE key,
                base::ByteView text, base::Bytes* out) const {
    if (const CK_RV rv = C_DecryptInit(session_, &mechanism, key);
        rv != CKR_OK) {
      return rv;
    }
    CK_ULONG size = 0;
    C_Decrypt(session_, Unconst(text), text.size(), nullptr, &size);
    out->assign(size, 0);
    const CK_RV rv =
        C_Decrypt(session_, Unconst(text), text.size(), Unconst(*out), &size);
    out->resize(rv == CKR_OK ? size : 0);
    return rv;
  }
};

TEST_F(CipherTest, OaepIsEncryptedHereAndDecryptedByTheKms) {
  const CK_OBJECT_HANDLE pub = Find(CKO_PUBLIC_KEY, "rsa");
  const CK_OBJECT_HANDLE key = Find(CKO_PRIVATE_KEY, "rsa");
  for (auto oaep :
       {Oaep(CKM_SHA_1, CKG_MGF1_SHA1), Oaep(CKM_SHA256, CKG_MGF1_SHA256)}) {
    const CK_MECHANISM mechanism = {CKM_RSA_PKCS_OAEP, &oaep, sizeof(oaep)};
    base::Bytes ciphertext;
    const int before = kms_->Calls();
    ASSERT_EQ(Encrypt(mechanism, pub, base::AsBytes(kText), &ciphertext),
              CKR_OK);
    EXPECT_EQ(kms_->Calls(), before);
    EXPECT_EQ(ciphertext.size(), 256U);
    base::Bytes plaintext;
    ASSERT_EQ(Decrypt(mechanism, key, ciphertext, &plaintext), CKR_OK);
    EXPECT_EQ(base::AsText(plaintext), kText);
    ciphertext[100] ^= 1U;
    EXPECT_EQ(Decrypt(mechanism, key, ciphertext, &plaintext),
              CKR_ENCRYPTED_DATA_INVALID);
    ciphertext.pop_back();
    EXPECT_EQ(Decrypt(mechanism, key, ciphertext, &plaintext),
              CKR_ENCRYPTED_DATA_LEN_RANGE);
    base::Bytes longest(256 - 2 * (oaep.hashAlg == CKM_SHA_1 ? 20 : 32) - 2);
    EXPECT_EQ(Encrypt(mechanism, pub, longest, &ciphertext), CKR_OK);
    longest.push_back(0);
    EXPECT_EQ(Encrypt(mechanism, pub, longest, &ciphertext),
              CKR_DATA_LEN_RANGE);
  }
}

TEST_F(CipherTest, OaepParametersThatKmsCannotDoAreRefused) {
  const CK_OBJECT_HANDLE key = Find(CKO_PRIVATE_KEY, "rsa");
  char label[] = "label";
  auto labelled = Oaep(CKM_SHA256, CKG_MGF1_SHA256);
  labelled.pSourceData = label;
  labelled.ulSourceDataLen = 5;
  for (auto oaep : {labelled, Oaep(CKM_SHA256, CKG_MGF1_SHA1),
                    Oaep(CKM_SHA384, CKG_MGF1_SHA384), Oaep(CKM_SHA512, 0)}) {
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_OAEP, &oaep, sizeof(oaep)};
    EXPECT_EQ(C_DecryptInit(session_, &mechanism, key),
              CKR_MECHANISM_PARAM_INVALID);
  }
  CK_MECHANISM bare = {CKM_RSA_PKCS_OAEP, nullptr, 0};
  EXPECT_EQ(C_DecryptInit(session_, &bare, key), CKR_MECHANISM_PARAM_INVALID);
}

TEST_F(CipherTest, KeysDoOnlyWhatTheyAreFor) {
  auto oaep = Oaep(CKM_SHA256, CKG_MGF1_SHA256);
  CK_MECHANISM mechanism = {CKM_RSA_PKCS_OAEP, &oaep, sizeof(oaep)};
  CK_MECHANISM signing = {CKM_SHA256_RSA_PKCS, nullptr, 0};
  EXPECT_EQ(C_DecryptInit(session_, &mechanism, Find(CKO_PUBLIC_KEY, "rsa")),
            CKR_KEY_FUNCTION_NOT_PERMITTED);
  EXPECT_EQ(
      C_DecryptInit(session_, &mechanism, Find(CKO_PRIVATE_KEY, "signer")),
      CKR_KEY_FUNCTION_NOT_PERMITTED);
  EXPECT_EQ(C_DecryptInit(session_, &mechanism, Find(CKO_SECRET_KEY, "aes")),
            CKR_KEY_TYPE_INCONSISTENT);
  EXPECT_EQ(C_DecryptInit(session_, &signing, Find(CKO_PRIVATE_KEY, "rsa")),
            CKR_MECHANISM_INVALID);
  EXPECT_EQ(C_SignInit(session_, &mechanism, Find(CKO_PRIVATE_KEY, "rsa")),
            CKR_MECHANISM_INVALID);
}

TEST_F(CipherTest, EnvelopesHaveAContext) {
  const CK_OBJECT_HANDLE key = Find(CKO_SECRET_KEY, "aes");
  std::string context = R"({"tenant":"a"})";
  const CK_MECHANISM with = {CKM_KMS_ENVELOPE, context.data(), context.size()};
  const CK_MECHANISM without = {CKM_KMS_ENVELOPE, nullptr, 0};
  base::Bytes blob;
  base::Bytes plaintext;
  ASSERT_EQ(Encrypt(with, key, base::AsBytes(kText), &blob), CKR_OK);
  ASSERT_EQ(Decrypt(with, key, blob, &plaintext), CKR_OK);
  EXPECT_EQ(base::AsText(plaintext), kText);
  EXPECT_EQ(Decrypt(without, key, blob, &plaintext),
            CKR_ENCRYPTED_DATA_INVALID);
  EXPECT_EQ(Encrypt(without, key, {}, &blob), CKR_DATA_LEN_RANGE);
  EXPECT_EQ(Encrypt(without, key, base::Bytes(4097), &blob),
            CKR_DATA_LEN_RANGE);
  for (std::string bad : {"[]", "{", R"({"a":1})", R"({"a":"b","a":"c"})"}) {
    CK_MECHANISM mechanism = {CKM_KMS_ENVELOPE, bad.data(), bad.size()};
    EXPECT_EQ(C_EncryptInit(session_, &mechanism, key),
              CKR_MECHANISM_PARAM_INVALID)
        << bad;
  }
}

TEST_F(CipherTest, ATooSmallBufferCostsNoSecondDecryption) {
  const CK_OBJECT_HANDLE key = Find(CKO_SECRET_KEY, "aes");
  CK_MECHANISM mechanism = {CKM_KMS_ENVELOPE, nullptr, 0};
  base::Bytes blob;
  ASSERT_EQ(Encrypt(mechanism, key, base::AsBytes(kText), &blob), CKR_OK);
  ASSERT_EQ(C_DecryptInit(session_, &mechanism, key), CKR_OK);
  base::Bytes out(kText.size());
  CK_ULONG size = 0;
  EXPECT_EQ(C_Decrypt(session_, blob.data(), blob.size(), nullptr, &size),
            CKR_OK);
  EXPECT_GE(size, kText.size());
  EXPECT_EQ(kms_->Calls("Decrypt"), 0);
  size = kText.size() - 1;
  EXPECT_EQ(C_Decrypt(session_, blob.data(), blob.size(), out.data(), &size),
            CKR_BUFFER_TOO_SMALL);
  EXPECT_EQ(size, kText.size());
  EXPECT_EQ(C_Decrypt(session_, blob.data(), blob.size(), out.data(), &size),
            CKR_OK);
  EXPECT_EQ(base::AsText(out), kText);
  EXPECT_EQ(kms_->Calls("Decrypt"), 1);
  EXPECT_EQ(C_Decrypt(session_, blob.data(), blob.size(), out.data(), &size),
            CKR_OPERATION_NOT_INITIALIZED);
}

TEST_F(CipherTest, OutputThatWaitsIsOfThatTextOnly) {
  const CK_OBJECT_HANDLE key = Find(CKO_SECRET_KEY, "aes");
  CK_MECHANISM mechanism = {CKM_KMS_ENVELOPE, nullptr, 0};
  base::Bytes blob;
  ASSERT_EQ(Encrypt(mechanism, key, base::AsBytes(kText), &blob), CKR_OK);
  const base::Bytes other(blob.size(), 'x');
  base::Bytes out(100);
  for (const bool in_parts : {false, true}) {
    ASSERT_EQ(C_DecryptInit(session_, &mechanism, key), CKR_OK);
    CK_ULONG size = 1;
    if (in_parts) {
      ASSERT_EQ(
          C_DecryptUpdate(session_, blob.data(), blob.size(), nullptr, &size),
          CKR_OK);
      ASSERT_EQ(C_DecryptUpdate(session_, blob.data(), blob.size(), out.data(),
                                &size),
                CKR_OK);
      size = 1;
      EXPECT_EQ(C_DecryptFinal(session_, out.data(), &size),
                CKR_BUFFER_TOO_SMALL);
      size = out.size();
      EXPECT_EQ(C_DecryptUpdate(session_, Unconst(other), other.size(),
                                out.data(), &size),
                CKR_ARGUMENTS_BAD);
    } else {
      EXPECT_EQ(
          C_Decrypt(session_, blob.data(), blob.size(), out.data(), &size),
          CKR_BUFFER_TOO_SMALL);
      size = out.size();
      EXPECT_EQ(
          C_Decrypt(session_, Unconst(other), other.size(), out.data(), &size),
          CKR_ARGUMENTS_BAD);
    }
    EXPECT_EQ(C_DecryptFinal(session_, out.data(), &size),
              CKR_OPERATION_NOT_INITIALIZED);
  }
}

TEST_F(CipherTest, EncryptionWithoutRoomIsNotBegun) {
  const CK_OBJECT_HANDLE key = Find(CKO_SECRET_KEY, "aes");
  CK_MECHANISM mechanism = {CKM_KMS_ENVELOPE, nullptr, 0};
  const base::ByteView text = base::AsBytes(kText);
  ASSERT_EQ(C_EncryptInit(session_, &mechanism, key), CKR_OK);
  base::Bytes out(1);
  CK_ULONG size = out.size();
  EXPECT_EQ(C_Encrypt(session_, Unconst(text), text.size(), out.data(), &size),
            CKR_BUFFER_TOO_SMALL);
  EXPECT_EQ(kms_->Calls("Encrypt"), 0);
  out.resize(size);
  EXPECT_EQ(C_Encrypt(session_, Unconst(text), text.size(), out.data(), &size),
            CKR_OK);
  EXPECT_EQ(kms_->Calls("Encrypt"), 1);
}

TEST_F(CipherTest, InPartsEverythingComesAtTheEnd) {
  const CK_OBJECT_HANDLE key = Find(CKO_SECRET_KEY, "aes");
  CK_MECHANISM mechanism = {CKM_KMS_ENVELOPE, nullptr, 0};
  ASSERT_EQ(C_EncryptInit(session_, &mechanism, key), CKR_OK);
  std::array<CK_BYTE, 2000> out{};
  CK_ULONG size = out.size();
  for (const char c : kText) {
    CK_BYTE byte = static_cast<CK_BYTE>(c);
    size = out.size();
    ASSERT_EQ(C_EncryptUpdate(session_, &byte, 1, out.data(), &size), CKR_OK);
    EXPECT_EQ(size, 0U);
  }
  size = out.size();
  ASSERT_EQ(C_EncryptFinal(session_, out.data(), &size), CKR_OK);
  base::Bytes plaintext;
  ASSERT_EQ(Decrypt(mechanism, key, {out.data(), size}, &plaintext), CKR_OK);
  EXPECT_EQ(base::AsText(plaintext), kText);
}

}  // namespace
}  // namespace pkcs11::module
