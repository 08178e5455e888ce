// SPDX-License-Identifier: Apache-2.0
// Certificates as objects, wherever they come from.
#include <gmock/gmock.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/pem.h"
#include "kms/client/tls.h"
#include "pkcs11/module/certificate_files.h"
#include "tests/pkcs11/cryptoki_test.h"
#include "tests/testlib/certificate.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace pkcs11::module {
namespace {

using base::ErrorCode;
using base::Json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testlib::CertificateText;
using testlib::MakeCertificate;
using testlib::StatusIs;
using testlib::Take;

base::Bytes Unhex(std::string_view text) { return Take(base::HexDecode(text)); }

void WriteFile(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

class CertificatesTest : public CryptokiTest {
 protected:
  explicit CertificatesTest(TokenOptions options = {})
      : CryptokiTest(std::move(options)) {
    kms_->BeClaviger();
    key_ = kms_->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "web");
  }

  base::Bytes Leaf(long serial = 1) {
    return MakeCertificate({.serial = serial, .spki = kms_->SpkiOf(key_)});
  }
  static base::Bytes Authority() {
    return MakeCertificate(
        {.subject = "issuer", .issuer = "root", .is_authority = true});
  }
  // What the KMS then keeps with the key.
  void Attach(const std::vector<base::Bytes>& certificates) {
    Json chain = Json::array();
    for (std::size_t i = 1; i < certificates.size(); ++i) {
      chain.push_back(Base64Json(certificates[i]));
    }
    Take(kms_->Call("Claviger.PutCertificate",
                    {{"KeyId", base::WipingString(key_)},
                     {"Certificate", Base64Json(certificates.front())},
                     {"Chain", chain}}));
    clock_->Advance(std::chrono::minutes(2));
  }
  std::vector<base::Bytes> Attached() {
    const Json reply = Take(kms_->Call("Claviger.GetCertificates",
                                       {{"KeyId", base::WipingString(key_)}}));
    std::vector<base::Bytes> all;
    for (const Json& each : reply.at("Certificates")) {
      all.push_back(Take(base::Base64Decode(base::TextOf(each))));
    }
    return all;
  }

  std::vector<CK_OBJECT_HANDLE> FindCertificates(
      std::vector<CK_ATTRIBUTE> more = {}) {
    CK_OBJECT_CLASS object_class = CKO_CERTIFICATE;
    more.push_back(Row(CKA_CLASS, object_class));
    return FindAll(std::move(more));
  }
  CK_OBJECT_HANDLE FindValue(const base::Bytes& der) {
    const auto found =
        FindCertificates({{CKA_VALUE, Unconst(der), der.size()}});
    EXPECT_THAT(found, SizeIs(1));
    return found.empty() ? CK_INVALID_HANDLE : found.front();
  }

  std::string key_;
};

TEST_F(CertificatesTest, OfAKeyHaveItsIdAndLabel) {
  const base::Bytes leaf = Leaf();
  Attach({leaf});
  const CK_OBJECT_HANDLE certificate = FindValue(leaf);
  const CK_OBJECT_HANDLE key = Find(CKO_PRIVATE_KEY, "web");
  EXPECT_EQ(Value(certificate, CKA_ID), Value(key, CKA_ID));
  EXPECT_EQ(base::AsText(Value(certificate, CKA_LABEL)), "web");
  EXPECT_EQ(Number(certificate, CKA_CERTIFICATE_CATEGORY), 1U);
  EXPECT_EQ(Value(certificate, CKA_KMS_KEY_ARN), Value(key, CKA_KMS_KEY_ARN));
  const base::Bytes unique = Value(certificate, CKA_UNIQUE_ID);
  EXPECT_THAT(std::string(base::AsText(unique)),
              testing::MatchesRegex(".*:key/.*#cert-[0-9a-f]{64}"));
}

TEST_F(CertificatesTest, HaveTheAttributesOfTheStandard) {
  const base::Bytes leaf = Leaf(0x1234);
  Attach({leaf});
  const CK_OBJECT_HANDLE object = FindValue(leaf);
  EXPECT_EQ(Number(object, CKA_CERTIFICATE_TYPE), CKC_X_509);
  // CN=test, CN=issuer.
  EXPECT_EQ(Value(object, CKA_SUBJECT),
            Unhex("300f310d300b06035504030c0474657374"));
  EXPECT_EQ(Value(object, CKA_ISSUER),
            Unhex("3011310f300d06035504030c06697373756572"));
  EXPECT_EQ(Value(object, CKA_SERIAL_NUMBER), Unhex("02021234"));
  EXPECT_EQ(base::AsText(Value(object, CKA_START_DATE)), "20260102");
  EXPECT_EQ(base::AsText(Value(object, CKA_END_DATE)), "20360102");
  EXPECT_EQ(Value(object, CKA_PUBLIC_KEY_INFO), kms_->SpkiOf(key_));
  base::Bytes sha1 = Hashed("SHA1", leaf);
  sha1.resize(3);
  EXPECT_EQ(Value(object, CKA_CHECK_VALUE), sha1);
  EXPECT_TRUE(Flag(object, CKA_TOKEN));
  EXPECT_TRUE(Flag(object, CKA_DESTROYABLE));
  for (const CK_ATTRIBUTE_TYPE type :
       {CKA_PRIVATE, CKA_MODIFIABLE, CKA_COPYABLE, CKA_TRUSTED}) {
    EXPECT_FALSE(Flag(object, type)) << type;
  }
  for (const CK_ATTRIBUTE_TYPE type : {CKA_URL, CKA_HASH_OF_SUBJECT_PUBLIC_KEY,
                                       CKA_HASH_OF_ISSUER_PUBLIC_KEY}) {
    EXPECT_THAT(Value(object, type), IsEmpty()) << type;
  }
}

TEST_F(CertificatesTest, AreFoundByIssuerAndSerialNumber) {
  Attach({Leaf(7), Authority()});
  const base::Bytes issuer = Unhex("3011310f300d06035504030c06697373756572");
  const base::Bytes serial = Unhex("020107");
  EXPECT_THAT(
      FindCertificates({{CKA_ISSUER, Unconst(issuer), issuer.size()},
                        {CKA_SERIAL_NUMBER, Unconst(serial), serial.size()}}),
      SizeIs(1));
  EXPECT_THAT(FindCertificates({{CKA_SUBJECT, Unconst(issuer), issuer.size()}}),
              SizeIs(1));
}

TEST_F(CertificatesTest, OfAuthoritiesAreNamedByThemselves) {
  const base::Bytes authority = Authority();
  Attach({Leaf(), authority});
  const CK_OBJECT_HANDLE object = FindValue(authority);
  EXPECT_EQ(base::AsText(Value(object, CKA_LABEL)), "issuer");
  EXPECT_EQ(Value(object, CKA_ID),
            Hashed("SHA1", Value(object, CKA_PUBLIC_KEY_INFO)));
  EXPECT_EQ(Number(object, CKA_CERTIFICATE_CATEGORY), 2U);
}

TEST_F(CertificatesTest, OfAChainOfSeveralKeysAreThereOnce) {
  const base::Bytes authority = Authority();
  Attach({Leaf(), authority});
  key_ = kms_->AddKey("RSA_2048", "SIGN_VERIFY", "mail");
  Attach({Leaf(), authority});
  EXPECT_THAT(FindCertificates(), SizeIs(3));
  FindValue(authority);
}

TEST_F(CertificatesTest, ThatCannotBeReadAreLeftOut) {
  Take(kms_->Call("Claviger.PutCertificate",
                  {{"KeyId", base::WipingString(key_)},
                   {"Certificate", "MAA="},
                   {"Chain", {"?", 1}}}));
  EXPECT_THAT(FindCertificates(), IsEmpty());
  EXPECT_THAT(FindAll({}), SizeIs(2));
}

TEST_F(CertificatesTest, AreNoKeys) {
  const base::Bytes leaf = Leaf();
  Attach({leaf});
  const CK_OBJECT_HANDLE object = FindValue(leaf);
  CK_MECHANISM ecdsa = {CKM_ECDSA, nullptr, 0};
  EXPECT_EQ(C_SignInit(session_, &ecdsa, object), CKR_KEY_HANDLE_INVALID);
  EXPECT_EQ(C_VerifyInit(session_, &ecdsa, object), CKR_KEY_HANDLE_INVALID);
  EXPECT_EQ(C_EncryptInit(session_, &ecdsa, object), CKR_KEY_HANDLE_INVALID);
  EXPECT_EQ(C_DecryptInit(session_, &ecdsa, object), CKR_KEY_HANDLE_INVALID);
  CK_ATTRIBUTE label = TextRow(CKA_LABEL, "new");
  EXPECT_EQ(C_SetAttributeValue(session_, object, &label, 1),
            CKR_ACTION_PROHIBITED);
}

TEST_F(CertificatesTest, KeepTheirHandles) {
  const base::Bytes leaf = Leaf();
  Attach({leaf});
  const CK_OBJECT_HANDLE before = FindValue(leaf);
  clock_->Advance(std::chrono::minutes(2));
  EXPECT_EQ(FindValue(leaf), before);
}

TEST_F(CertificatesTest, AreDestroyedOnTheServer) {
  const base::Bytes leaf = Leaf();
  const base::Bytes authority = Authority();
  Attach({leaf, authority});
  EXPECT_EQ(C_DestroyObject(session_, FindValue(authority)), CKR_OK);
  EXPECT_THAT(Attached(), ElementsAre(leaf));
  EXPECT_EQ(C_DestroyObject(session_, FindValue(leaf)), CKR_OK);
  EXPECT_THAT(Attached(), IsEmpty());
  EXPECT_THAT(FindCertificates(), IsEmpty());
  EXPECT_EQ(kms_->Calls("ScheduleKeyDeletion"), 0);
}

TEST_F(CertificatesTest, AreNotDestroyedWhereThePolicyOrTheSessionForbids) {
  const base::Bytes leaf = Leaf();
  Attach({leaf});
  const CK_OBJECT_HANDLE object = FindValue(leaf);
  EXPECT_EQ(C_DestroyObject(Open(0), object), CKR_SESSION_READ_ONLY);
  kms_->Fail("Claviger.DeleteCertificates",
             base::Error{ErrorCode::kAccessDenied, "AccessDenied"});
  EXPECT_EQ(C_DestroyObject(session_, object), CKR_ACTION_PROHIBITED);
  EXPECT_THAT(Attached(), SizeIs(1));
}

class CreationTest : public CertificatesTest {
 protected:
  using CertificatesTest::CertificatesTest;

  // As pkcs11-tool and Java do.
  CK_RV Create(const base::Bytes& der, bool on_token, CK_OBJECT_HANDLE* handle,
               const std::vector<CK_ATTRIBUTE>& more = {}) const {
    CK_OBJECT_CLASS object_class = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    CK_BBOOL token = on_token ? CK_TRUE : CK_FALSE;
    std::vector<CK_ATTRIBUTE> rows = {
        Row(CKA_CLASS, object_class),    Row(CKA_TOKEN, token),
        Row(CKA_CERTIFICATE_TYPE, type), TextRow(CKA_LABEL, "wanted"),
        TextRow(CKA_ID, "id"),           {CKA_VALUE, Unconst(der), der.size()}};
    rows.insert(rows.end(), more.begin(), more.end());
    return C_CreateObject(session_, rows.data(), rows.size(), handle);
  }
  CK_OBJECT_HANDLE Created(const base::Bytes& der, bool on_token = true) const {
    CK_OBJECT_HANDLE handle = 0;
    EXPECT_EQ(Create(der, on_token, &handle), CKR_OK);
    return handle;
  }
};

TEST_F(CreationTest, KeepsACertificateWithItsKey) {
  const base::Bytes leaf = Leaf();
  const CK_OBJECT_HANDLE object = Created(leaf);
  EXPECT_THAT(Attached(), ElementsAre(leaf));
  EXPECT_EQ(FindValue(leaf), object);
  // The key says what it is called.
  EXPECT_EQ(base::AsText(Value(object, CKA_LABEL)), "web");
  EXPECT_EQ(Created(leaf), object);
  EXPECT_THAT(Attached(), ElementsAre(leaf));
}

TEST_F(CreationTest, KeepsAChainInTheOrderOfItsWriting) {
  const base::Bytes leaf = Leaf();
  const base::Bytes authority = Authority();
  const base::Bytes root = MakeCertificate(
      {.subject = "root", .issuer = "root", .is_authority = true});
  Created(leaf);
  Created(authority);
  Created(root);
  Created(root);
  EXPECT_THAT(Attached(), ElementsAre(leaf, authority, root));
  EXPECT_THAT(FindCertificates(), SizeIs(3));
}

TEST_F(CreationTest, RenewsACertificateAndKeepsTheChainThatFits) {
  Created(Leaf(1));
  const base::Bytes authority = Authority();
  Created(authority);
  const base::Bytes renewed = Leaf(2);
  Created(renewed);
  EXPECT_THAT(Attached(), ElementsAre(renewed, authority));
  const base::Bytes other =
      MakeCertificate({.issuer = "another", .spki = kms_->SpkiOf(key_)});
  Created(other);
  EXPECT_THAT(Attached(), ElementsAre(other));
}

TEST_F(CreationTest, RefusesWhatHasNoPlace) {
  CK_OBJECT_HANDLE handle = 0;
  EXPECT_EQ(Create(Authority(), true, &handle), CKR_ACTION_PROHIBITED);
  kms_->Fail("Claviger.PutCertificate",
             base::Error{ErrorCode::kAccessDenied, "AccessDenied"});
  EXPECT_EQ(Create(Leaf(), true, &handle), CKR_ACTION_PROHIBITED);
  EXPECT_THAT(Attached(), IsEmpty());
}

TEST_F(CreationTest, RefusesATemplateThatContradictsTheCertificate) {
  CK_BBOOL yes = CK_TRUE;
  CK_OBJECT_HANDLE handle = 0;
  const base::Bytes leaf = Leaf(1000);
  for (const bool on_token : {false, true}) {
    EXPECT_EQ(Create(leaf, on_token, &handle, {Row(CKA_TRUSTED, yes)}),
              CKR_ATTRIBUTE_READ_ONLY);
    for (const CK_ATTRIBUTE_TYPE type :
         {CKA_SUBJECT, CKA_ISSUER, CKA_SERIAL_NUMBER, CKA_CHECK_VALUE}) {
      EXPECT_EQ(Create(leaf, on_token, &handle, {TextRow(type, "other")}),
                CKR_ATTRIBUTE_VALUE_INVALID);
      EXPECT_EQ(Create(leaf, on_token, &handle, {{type, nullptr, 0}}), CKR_OK);
      base::Bytes right = Value(handle, type);
      EXPECT_EQ(
          Create(leaf, on_token, &handle, {{type, right.data(), right.size()}}),
          CKR_OK);
    }
    // As Java writes it.
    CK_BYTE number[] = {0x03, 0xE8};
    EXPECT_EQ(Create(leaf, on_token, &handle, {Row(CKA_SERIAL_NUMBER, number)}),
              CKR_OK);
  }
}

TEST_F(CreationTest, ASessionsCertificateHasTheCategoryOfItsTemplate) {
  CK_OBJECT_HANDLE handle = 0;
  ASSERT_EQ(Create(Leaf(), false, &handle), CKR_OK);
  EXPECT_EQ(Number(handle, CKA_CERTIFICATE_CATEGORY), 0U);
  CK_ULONG category = 2;
  ASSERT_EQ(
      Create(Leaf(), false, &handle, {Row(CKA_CERTIFICATE_CATEGORY, category)}),
      CKR_OK);
  EXPECT_EQ(Number(handle, CKA_CERTIFICATE_CATEGORY), 2U);
  category = 4;
  EXPECT_EQ(
      Create(Leaf(), false, &handle, {Row(CKA_CERTIFICATE_CATEGORY, category)}),
      CKR_ATTRIBUTE_VALUE_INVALID);
}

TEST_F(CreationTest, RefusesWhatIsNoCertificate) {
  CK_OBJECT_HANDLE handle = 0;
  for (const base::Bytes& bad : {base::Bytes(), base::Bytes{0x30, 0}}) {
    EXPECT_EQ(Create(bad, true, &handle), CKR_ATTRIBUTE_VALUE_INVALID);
  }
  CK_OBJECT_CLASS object_class = CKO_CERTIFICATE;
  CK_CERTIFICATE_TYPE type = CKC_X_509_ATTR_CERT;
  const base::Bytes leaf = Leaf();
  std::array rows = {Row(CKA_CLASS, object_class),
                     Row(CKA_CERTIFICATE_TYPE, type),
                     CK_ATTRIBUTE{CKA_VALUE, Unconst(leaf), leaf.size()}};
  EXPECT_EQ(C_CreateObject(session_, rows.data(), 1, &handle),
            CKR_TEMPLATE_INCOMPLETE);
  EXPECT_EQ(C_CreateObject(session_, rows.data(), 3, &handle),
            CKR_ATTRIBUTE_VALUE_INVALID);
}

TEST_F(CreationTest, NeedsASessionThatMayWrite) {
  session_ = Open(0);
  CK_OBJECT_HANDLE handle = 0;
  EXPECT_EQ(Create(Leaf(), true, &handle), CKR_SESSION_READ_ONLY);
  EXPECT_THAT(Attached(), IsEmpty());
}

TEST_F(CreationTest, OfASessionStaysInIt) {
  const base::Bytes leaf = Leaf();
  const int before = kms_->Calls("Claviger.PutCertificate");
  const CK_OBJECT_HANDLE object = Created(leaf, false);
  EXPECT_EQ(base::AsText(Value(object, CKA_LABEL)), "wanted");
  EXPECT_EQ(base::AsText(Value(object, CKA_ID)), "id");
  EXPECT_EQ(Value(object, CKA_VALUE), leaf);
  EXPECT_FALSE(Flag(object, CKA_TOKEN));
  EXPECT_EQ(kms_->Calls("Claviger.PutCertificate"), before);
  CK_ATTRIBUTE label = TextRow(CKA_LABEL, "new");
  EXPECT_EQ(C_SetAttributeValue(session_, object, &label, 1), CKR_OK);
  EXPECT_EQ(base::AsText(Value(object, CKA_LABEL)), "new");
  CK_MECHANISM ecdsa = {CKM_ECDSA, nullptr, 0};
  EXPECT_EQ(C_VerifyInit(session_, &ecdsa, object), CKR_KEY_HANDLE_INVALID);
  EXPECT_EQ(C_DestroyObject(session_, object), CKR_OK);
  EXPECT_THAT(FindCertificates(), IsEmpty());
}

struct Folder {
  testlib::TempDir dir;
};

// An AWS KMS keeps no certificates.
class FolderTest : private Folder, public CreationTest {
 protected:
  FolderTest()
      : CreationTest(
            {.backend = Backend::kAws, .certificate_dir = dir.path()}) {}
  std::string folder() const { return dir.path(); }
};

TEST_F(FolderTest, KeepsCertificates) {
  const base::Bytes leaf = Leaf();
  const base::Bytes authority = Authority();
  const CK_OBJECT_HANDLE object = Created(leaf);
  EXPECT_EQ(base::AsText(Value(object, CKA_LABEL)), "web");
  Created(authority);
  EXPECT_THAT(FindCertificates(), SizeIs(2));
  EXPECT_EQ(kms_->Calls("Claviger.PutCertificate"), 0);
  EXPECT_EQ(C_DestroyObject(session_, object), CKR_OK);
  EXPECT_THAT(FindCertificates(), SizeIs(1));
}

TEST_F(FolderTest, ThatIsBrokenHidesNoKeys) {
  WriteFile(folder() + "/bad.pem", "text");
  EXPECT_THAT(FindAll({}), SizeIs(2));
}

class NoFolderTest : public CreationTest {
 protected:
  NoFolderTest() : CreationTest({.backend = Backend::kAws}) {}
};

TEST_F(NoFolderTest, KeepsNone) {
  CK_OBJECT_HANDLE handle = 0;
  EXPECT_EQ(Create(Leaf(), true, &handle), CKR_ACTION_PROHIBITED);
  EXPECT_EQ(kms_->Calls("Claviger.PutCertificate"), 0);
}

// Written by the constructor, before there is a module.
struct ConfiguredFiles {
  testlib::TempDir folder;
  base::Bytes first = MakeCertificate({.subject = "first"});
  base::Bytes second = MakeCertificate({.subject = "second"});
  base::Bytes third = MakeCertificate({.subject = "third"});

  ConfiguredFiles() {
    const std::string base = folder.path();
    WriteFile(base + "/chain.txt", "Some words\n" +
                                       base::CertificatePem(first) +
                                       base::CertificatePem(second));
    std::filesystem::create_directory(base + "/more");
    WriteFile(base + "/more/a.der", base::AsText(third));
    WriteFile(base + "/more/b.crt", base::CertificatePem(second));
    WriteFile(base + "/more/readme", "no certificate");
  }
  TokenOptions Options() const {
    const std::string base = folder.path();
    return {.certificates = {base + "/chain.txt", base + "/more"}};
  }
};

class ConfiguredTest : private ConfiguredFiles, public CertificatesTest {
 protected:
  ConfiguredTest() : CertificatesTest(Options()) {}
};

TEST_F(ConfiguredTest, CertificatesAreThereWithoutAKey) {
  EXPECT_THAT(FindCertificates(), SizeIs(3));
  for (const char* name : {"first", "second", "third"}) {
    Find(CKO_CERTIFICATE, name);
  }
}

TEST_F(ConfiguredTest, CertificatesStay) {
  const CK_OBJECT_HANDLE object = Find(CKO_CERTIFICATE, "first");
  EXPECT_FALSE(Flag(object, CKA_DESTROYABLE));
  EXPECT_EQ(C_DestroyObject(session_, object), CKR_ACTION_PROHIBITED);
  EXPECT_THAT(FindCertificates(), SizeIs(3));
}

class EphemeralTest : public CertificatesTest {
 protected:
  EphemeralTest() : CertificatesTest({.ephemeral_certificates = true}) {}
};

TEST_F(EphemeralTest, KeysThatSignAndHaveNoneSignOne) {
  constexpr std::array kSpecs = {"RSA_2048",        "ECC_NIST_P256",
                                 "ECC_NIST_P384",   "ECC_NIST_P521",
                                 "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519"};
  for (const char* spec : kSpecs) {
    kms_->AddKey(spec, "SIGN_VERIFY", spec);
  }
  kms_->AddKey("RSA_2048", "ENCRYPT_DECRYPT", "cannot sign");
  EXPECT_THAT(FindCertificates(), SizeIs(1 + kSpecs.size()));
  for (const char* spec : kSpecs) {
    const CK_OBJECT_HANDLE object = Find(CKO_CERTIFICATE, spec);
    EXPECT_EQ(Value(object, CKA_ID),
              Value(Find(CKO_PRIVATE_KEY, spec), CKA_ID));
    EXPECT_EQ(C_DestroyObject(session_, object), CKR_ACTION_PROHIBITED);
    const base::Bytes der = Value(object, CKA_VALUE);
    const unsigned char* at = der.data();
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        d2i_X509(nullptr, &at, static_cast<long>(der.size())), X509_free);
    ASSERT_NE(certificate, nullptr);
    EXPECT_EQ(
        X509_verify(certificate.get(), X509_get0_pubkey(certificate.get())), 1)
        << spec;
    EXPECT_EQ(X509_cmp_current_time(X509_get0_notBefore(certificate.get())),
              -1);
    EXPECT_EQ(X509_cmp_current_time(X509_get0_notAfter(certificate.get())), 1);
  }
  clock_->Advance(std::chrono::minutes(2));
  EXPECT_THAT(FindCertificates(), SizeIs(1 + kSpecs.size()));
  EXPECT_EQ(kms_->Calls("Sign"), static_cast<int>(1 + kSpecs.size()));
}

TEST_F(EphemeralTest, AKeyThatHasOneNeedsNone) {
  Attach({Leaf()});
  Find(CKO_CERTIFICATE, "web");
  EXPECT_EQ(kms_->Calls("Sign"), 0);
}

TEST_F(EphemeralTest, WhatThePolicyDeniesIsAskedOnceOnly) {
  kms_->Fail("Sign", base::Error{ErrorCode::kAccessDenied, "denied"});
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(FindCertificates(), IsEmpty());
    clock_->Advance(std::chrono::minutes(2));
  }
  EXPECT_EQ(kms_->Calls("Sign"), 1);
}

TEST(CertificateFilesTest, ThatCannotBeUsedAreNamed) {
  const auto library = Take(kms::client::LibraryContext::Create());
  const testlib::TempDir folder;
  const std::string path = folder.path() / "file.pem";
  const std::string good = base::CertificatePem(MakeCertificate({}));
  const auto rows = std::to_array<std::string>(
      {"", "text", "-----BEGIN CERTIFICATE-----\nMAA=\n",
       "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n",
       "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
       good + "-----BEGIN CERTIFICATE-----", std::string(2 << 20, 'x')});
  for (const std::string& text : rows) {
    WriteFile(path, text);
    for (const std::string& named : {path, folder.path().string()}) {
      EXPECT_THAT(ReadCertificates(named, library.get()),
                  StatusIs(ErrorCode::kInvalidArgument, HasSubstr(path)))
          << text.substr(0, 80);
    }
  }
  EXPECT_THAT(ReadCertificates("/nowhere.pem", library.get()),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("/nowhere.pem: No such file")));
}

TEST(CertificateFilesTest, AreReadAsTheyWereWritten) {
  const auto library = Take(kms::client::LibraryContext::Create());
  const testlib::TempDir folder;
  const std::string path = folder.path();
  EXPECT_THAT(Take(ReadCertificates(path, library.get())), IsEmpty());
  const CertificatePtr certificate =
      Take(ParseCertificate(MakeCertificate({}), library.get()));
  EXPECT_OK(WriteCertificate(path, *certificate));
  EXPECT_OK(WriteCertificate(path, *certificate));
  const auto read = Take(ReadCertificates(path, library.get()));
  ASSERT_THAT(read, SizeIs(1));
  EXPECT_EQ(read[0]->der, certificate->der);
  EXPECT_OK(RemoveCertificateFile(path, *certificate));
  EXPECT_THAT(RemoveCertificateFile(path, *certificate),
              StatusIs(ErrorCode::kIo, HasSubstr(certificate->fingerprint)));
  EXPECT_THAT(WriteCertificate(path + "/absent", *certificate),
              StatusIs(ErrorCode::kIo, HasSubstr("No such file")));
}

// What there is of a certificate in every way that one can be cut short.
TEST(CertificateTest, IsWhole) {
  const auto library = Take(kms::client::LibraryContext::Create());
  base::Bytes der = MakeCertificate({});
  for (std::size_t size = 0; size < der.size(); ++size) {
    EXPECT_THAT(
        ParseCertificate(base::ByteView(der).first(size), library.get()),
        StatusIs(ErrorCode::kInvalidArgument));
  }
  der.push_back(0);
  EXPECT_THAT(ParseCertificate(der, library.get()),
              StatusIs(ErrorCode::kInvalidArgument));
}

TEST(CertificateTest, IsNamedByWhatItHas) {
  const auto library = Take(kms::client::LibraryContext::Create());
  const CertificatePtr nameless =
      Take(ParseCertificate(MakeCertificate({.subject = ""}), library.get()));
  EXPECT_EQ(nameless->name, "");
  const CertificatePtr named = Take(
      ParseCertificate(MakeCertificate({.subject = "Käse"}), library.get()));
  EXPECT_EQ(named->name, "Käse");
}

}  // namespace
}  // namespace pkcs11::module
