// SPDX-License-Identifier: Apache-2.0
#include "tests/pkcs11/cryptoki_test.h"

#include <array>
#include <cstring>
#include <utility>

#include "pkcs11/module/certificate_files.h"
#include "pkcs11/module/lifecycle.h"
#include "tests/testlib/status.h"

namespace pkcs11::module {

CryptokiTest::CryptokiTest(TokenOptions options) {
  auto clock = std::make_unique<base::FakeClock>(base::WallTime{});
  auto kms = std::make_unique<FakeKms>();
  clock_ = clock.get();
  kms_ = kms.get();
  Parts parts = {std::move(clock),
                 testlib::Take(kms::client::LibraryContext::Create()),
                 {}};
  auto certificates = testlib::Take(
      ReadAllCertificates(options.certificates, parts.library.get()));
  parts.tokens.push_back(
      std::make_unique<Token>(TokenLabel{"fake", "0123456789abcdef"},
                              std::move(kms), parts.library.get(), *parts.clock,
                              std::move(options), std::move(certificates)));
  EXPECT_TRUE(Install(std::make_shared<Module>(std::move(parts))).has_value());
  session_ = Open();
}

CryptokiTest::~CryptokiTest() { C_Finalize(nullptr); }

CK_SESSION_HANDLE CryptokiTest::Open(CK_FLAGS flags) {
  CK_SESSION_HANDLE session = 0;
  EXPECT_EQ(
      C_OpenSession(0, flags | CKF_SERIAL_SESSION, nullptr, nullptr, &session),
      CKR_OK);
  return session;
}

std::vector<CK_OBJECT_HANDLE> CryptokiTest::FindAll(
    std::vector<CK_ATTRIBUTE> wanted) const {
  EXPECT_EQ(C_FindObjectsInit(session_, wanted.data(), wanted.size()), CKR_OK);
  std::vector<CK_OBJECT_HANDLE> all;
  CK_OBJECT_HANDLE object = 0;
  CK_ULONG count = 0;
  while (C_FindObjects(session_, &object, 1, &count) == CKR_OK && count == 1) {
    all.push_back(object);
  }
  EXPECT_EQ(C_FindObjectsFinal(session_), CKR_OK);
  return all;
}

CK_OBJECT_HANDLE CryptokiTest::Find(CK_OBJECT_CLASS object_class,
                                    std::string_view label) const {
  const auto found =
      FindAll({Row(CKA_CLASS, object_class), TextRow(CKA_LABEL, label)});
  EXPECT_EQ(found.size(), 1U) << label;
  return found.size() == 1 ? found[0] : CK_INVALID_HANDLE;
}

base::Bytes CryptokiTest::Value(CK_OBJECT_HANDLE object,
                                CK_ATTRIBUTE_TYPE type) const {
  CK_ATTRIBUTE row = {type, nullptr, 0};
  EXPECT_EQ(C_GetAttributeValue(session_, object, &row, 1), CKR_OK) << type;
  base::Bytes value(row.ulValueLen);
  row.pValue = Unconst(value);
  EXPECT_EQ(C_GetAttributeValue(session_, object, &row, 1), CKR_OK) << type;
  return value;
}

CK_ULONG CryptokiTest::Number(CK_OBJECT_HANDLE object,
                              CK_ATTRIBUTE_TYPE type) const {
  CK_ULONG number = CK_UNAVAILABLE_INFORMATION;
  CK_ATTRIBUTE row = Row(type, number);
  EXPECT_EQ(C_GetAttributeValue(session_, object, &row, 1), CKR_OK) << type;
  EXPECT_EQ(row.ulValueLen, sizeof(number));
  return number;
}

bool CryptokiTest::Flag(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
  CK_BBOOL flag = 0x7F;
  CK_ATTRIBUTE row = Row(type, flag);
  EXPECT_EQ(C_GetAttributeValue(session_, object, &row, 1), CKR_OK) << type;
  EXPECT_EQ(row.ulValueLen, sizeof(flag));
  EXPECT_LE(flag, 1);
  return flag == CK_TRUE;
}

CK_RV CryptokiTest::Sign(CK_MECHANISM mechanism, CK_OBJECT_HANDLE key,
                         base::ByteView message, base::Bytes* signature) const {
  const CK_RV rv = C_SignInit(session_, &mechanism, key);
  if (rv != CKR_OK) {
    return rv;
  }
  signature->assign(1024, 0);
  CK_ULONG size = signature->size();
  const CK_RV signed_rv = C_Sign(session_, Unconst(message), message.size(),
                                 signature->data(), &size);
  signature->resize(signed_rv == CKR_OK ? size : 0);
  return signed_rv;
}

CK_RV CryptokiTest::Verify(CK_MECHANISM mechanism, CK_OBJECT_HANDLE key,
                           base::ByteView message,
                           base::ByteView signature) const {
  const CK_RV rv = C_VerifyInit(session_, &mechanism, key);
  if (rv != CKR_OK) {
    return rv;
  }
  return C_Verify(session_, Unconst(message), message.size(),
                  Unconst(signature), signature.size());
}

CK_BYTE* Unconst(base::ByteView bytes) {
  static CK_BYTE none = 0;  // Not null for what is empty.
  return bytes.empty() ? &none : const_cast<CK_BYTE*>(bytes.data());
}

CK_ATTRIBUTE TextRow(CK_ATTRIBUTE_TYPE type, std::string_view text) {
  return {type, const_cast<char*>(text.data()), text.size()};
}

base::Bytes Hashed(const char* name, base::ByteView message) {
  base::Bytes digest(EVP_MAX_MD_SIZE);
  unsigned int size = 0;
  EVP_Digest(message.data(), message.size(), digest.data(), &size,
             EVP_get_digestbyname(name), nullptr);
  digest.resize(size);
  return digest;
}

}  // namespace pkcs11::module
