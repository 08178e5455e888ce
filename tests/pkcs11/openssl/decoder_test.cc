// SPDX-License-Identifier: Apache-2.0
// Reference files in memory, and the data of others that the decoders see.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <fstream>
#include <functional>
#include <string>

#include "base/pem.h"
#include "kms/client/key_uri.h"
#include "tests/pkcs11/openssl/provider_testing.h"

namespace pkcs11::openssl {
namespace {

using testing::HasSubstr;

const base::Bytes sample = {'m'};

std::string Pem(base::ByteView der) {
  return base::PemBlock(kms::client::kReferenceLabel, der);
}

class DecoderTest : public ProviderTest {
 protected:
  DecoderTest() { NewKey("ECC_NIST_P256", "SIGN_VERIFY", "key"); }

  static base::Bytes Reference() {
    return kms::client::EncodeReference({"alias/key", {}, {}, {}, {}, {}});
  }

  PkeyOwner Read(const std::string& text) {
    return host_->LoadText(base::AsBytes(text));
  }

  // What OpenSSL without a provider of ours writes for a new key.
  std::string SoftwareKey() {
    const PkeyOwner key(
        EVP_PKEY_Q_keygen(host_->library(), nullptr, "EC", "P-256"));
    const std::unique_ptr<BIO, OpensslFree<BIO_free_all>> bio(
        BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0,
                                  nullptr, nullptr);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
  }
};

TEST_F(DecoderTest, AReferenceIsTheKey) {
  const PkeyOwner key = Read(Pem(Reference()));
  ASSERT_NE(key, nullptr) << Errors();
  // One call, though every type of key has a decoder.
  EXPECT_EQ(kms_.Calls(), 1);
  const base::Bytes signature =
      Sign(host_->library(), key.get(), "SHA256", sample);
  EXPECT_TRUE(Verifies(PublicKey("key").get(), "SHA256", sample, signature));
  EXPECT_EQ(Errors(), "");
}

TEST_F(DecoderTest, OneThatFailsIsAskedForOnce) {
  kms_.Fail("GetPublicKey", base::Error{base::ErrorCode::kAccessDenied,
                                        "AccessDeniedException: no"});
  EXPECT_EQ(Read(Pem(Reference())), nullptr);
  EXPECT_EQ(kms_.Calls(), 1);
  EXPECT_THAT(Errors(), HasSubstr("AccessDeniedException: no"));
}

TEST_F(DecoderTest, KeysOfOthersAreReadWithoutACallOrAnError) {
  const std::string text = SoftwareKey();
  const PkeyOwner key = Read(text);
  ASSERT_NE(key, nullptr);
  EXPECT_FALSE(Sign(host_->library(), key.get(), "SHA256", sample).empty());
  EXPECT_EQ(Errors(), "");
  EXPECT_EQ(kms_.Calls(), 0);
}

TEST_F(DecoderTest, TheFirstKeyOfABundleIsTaken) {
  const std::string own = SoftwareKey();
  const std::string other = base::CertificatePem(sample);
  const std::string reference = Pem(Reference());
  const PkeyOwner expected = PublicKey("key");
  for (const std::string& before :
       {std::string(), other, other + other, std::string("text\n"),
        std::string(1000, 'x') + "\n", std::string("\n\n")}) {
    const PkeyOwner key = Read(fmt::format("{}{}{}", before, reference, own));
    ASSERT_NE(key, nullptr) << before << Errors();
    EXPECT_EQ(EVP_PKEY_eq(key.get(), expected.get()), 1);
    const PkeyOwner software =
        Read(fmt::format("{}{}{}", before, own, reference));
    ASSERT_NE(software, nullptr) << before << Errors();
    EXPECT_EQ(EVP_PKEY_eq(software.get(), expected.get()), 0);
  }
}

TEST_F(DecoderTest, ADamagedReferenceIsNoKey) {
  const base::Bytes good = Reference();
  for (std::size_t i = 0; i < good.size(); ++i) {
    EXPECT_EQ(Read(Pem(base::ByteView(good).first(i))), nullptr) << i;
    base::Bytes bad = good;
    bad[i] ^= 0x80;
    EXPECT_EQ(Read(Pem(bad)), nullptr) << i;
  }
  base::Bytes longer = good;
  longer.push_back(0);
  EXPECT_EQ(Read(Pem(longer)), nullptr);
  EXPECT_EQ(kms_.Calls(), 0);
  ERR_clear_error();
}

TEST_F(DecoderTest, ErrorsOfTheHostStay) {
  ERR_raise_data(ERR_LIB_USER, 7, "the host's");
  ERR_set_mark();
  ERR_raise_data(ERR_LIB_USER, 8, "newer");
  EXPECT_NE(Read(Pem(Reference())), nullptr);
  EXPECT_NE(Read(SoftwareKey()), nullptr);
  EXPECT_EQ(ERR_pop_to_mark(), 1);
  EXPECT_EQ(ERR_GET_REASON(ERR_peek_last_error()), 7);
  EXPECT_THAT(Errors(), HasSubstr("the host's"));
}

// Whether the host finds its own mark, with its error below, after `work`.
bool LeavesMarks(const std::function<void()>& work) {
  ERR_clear_error();
  ERR_raise_data(ERR_LIB_USER, 7, "the host's");
  ERR_set_mark();
  work();
  return ERR_pop_to_mark() == 1 && ERR_GET_REASON(ERR_peek_last_error()) == 7;
}

TEST_F(DecoderTest, MarksOfTheHostStayWhereAReferenceFails) {
  const std::string path = (folder_ / "reference").string();
  kms_.Fail("GetPublicKey", base::Error{base::ErrorCode::kAccessDenied,
                                        "AccessDeniedException: no"});
  for (const std::string& text :
       {Pem(Reference()), Pem(base::ByteView(Reference()).first(40))}) {
    std::ofstream(path) << text;
    for (const std::string& name : {path, std::string("claviger:alias/key")}) {
      EXPECT_TRUE(LeavesMarks([&] {
        EXPECT_EQ(host_->Load(name), nullptr);
        EXPECT_NE(ERR_GET_REASON(ERR_peek_last_error()), 7);
      })) << name;
    }
    EXPECT_TRUE(LeavesMarks([&] { EXPECT_EQ(Read(text), nullptr); }));
    EXPECT_TRUE(LeavesMarks([&] {
      EXPECT_EQ(host_->LoadPublicText(base::AsBytes(text)), nullptr);
    }));
  }
  ERR_clear_error();
}

TEST_F(DecoderTest, TheReasonOutlivesTheStoreOfFiles) {
  const std::string path = (folder_ / "reference").string();
  std::ofstream(path) << Pem(Reference());
  kms_.Fail("GetPublicKey", base::Error{base::ErrorCode::kAccessDenied,
                                        "AccessDeniedException: no"});
  EXPECT_EQ(host_->Load(path), nullptr);
  EXPECT_THAT(Errors(), HasSubstr("AccessDeniedException: no"));
}

TEST_F(DecoderTest, WhereOnlyAPublicKeyIsWantedThereIsNoPrivateOne) {
  const std::string text = Pem(Reference());
  const PkeyOwner key = host_->LoadPublicText(base::AsBytes(text));
  ASSERT_NE(key, nullptr) << Errors();
  EXPECT_EQ(EVP_PKEY_eq(key.get(), PublicKey("key").get()), 1);
  EXPECT_TRUE(Sign(host_->library(), key.get(), "SHA256", sample).empty());
  ERR_clear_error();
}

TEST_F(DecoderTest, WhereOnlyParametersAreWantedTheKmsIsNotAsked) {
  const std::string text = Pem(Reference());
  const std::unique_ptr<BIO, OpensslFree<BIO_free_all>> bio(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  const PkeyOwner parameters(PEM_read_bio_Parameters_ex(
      bio.get(), nullptr, host_->library(), nullptr));
  EXPECT_EQ(parameters, nullptr);
  EXPECT_EQ(kms_.Calls(), 0);
  ERR_clear_error();
}

// A reference with that option.
std::string WithOption(std::string kms::client::KeyUri::*option,
                       const std::string& value) {
  kms::client::KeyUri uri = {"alias/key", {}, {}, {}, {}, {}};
  uri.*option = value;
  return Pem(kms::client::EncodeReference(uri));
}

TEST_F(DecoderTest, AReferenceDoesNotSayWhereAndAsWhomRequestsAreMade) {
  using kms::client::KeyUri;
  const std::string other = (folder_ / "other").string();
  const kms::client::ScriptedServer stranger(
      other, kms::client::ScriptedServer::Always{
                 [this](kms::client::Peer& peer) { Serve(kms_, peer); }});
  for (const auto& [option, value] :
       {std::pair(&KeyUri::endpoint, other),
        std::pair(&KeyUri::profile, std::string("signing")),
        std::pair(&KeyUri::token, std::string("first"))}) {
    const std::string text = WithOption(option, value);
    EXPECT_EQ(Read(text), nullptr);
    EXPECT_THAT(Errors(), HasSubstr("`reference_options = allow`"));
    EXPECT_EQ(host_->LoadPublicText(base::AsBytes(text)), nullptr);
    EXPECT_THAT(Errors(), HasSubstr("whoever wrote it"));
  }
  EXPECT_EQ(stranger.connections(), 0);
  EXPECT_EQ(kms_.Calls(), 0);
  host_ = nullptr;  // Or its connections keep the stranger.
}

TEST_F(DecoderTest, AReferenceMaySayWhatIsConfiguredAnyhow) {
  const std::string socket = (folder_ / "socket").string();
  for (const std::string& endpoint : {socket, "unix:" + socket}) {
    EXPECT_NE(Read(WithOption(&kms::client::KeyUri::endpoint, endpoint)),
              nullptr)
        << Errors();
  }
  EXPECT_NE(Read(WithOption(&kms::client::KeyUri::region, "eu-west-1")),
            nullptr)
      << Errors();
}

TEST_F(DecoderTest, WhoSaysSoFollowsReferences) {
  const std::string other = (folder_ / "other").string();
  const kms::client::ScriptedServer there(
      other, kms::client::ScriptedServer::Always{
                 [this](kms::client::Peer& peer) { Serve(kms_, peer); }});
  const std::string text = WithOption(&kms::client::KeyUri::endpoint, other);
  host_ = std::make_unique<Host>("reference_options = allow");
  EXPECT_NE(Read(text), nullptr) << Errors();
  EXPECT_EQ(there.connections(), 1);
  host_ = std::make_unique<Host>("reference_options = yes");
  EXPECT_EQ(Read(text), nullptr);
  EXPECT_THAT(Errors(), HasSubstr("can only be `allow`"));
  EXPECT_EQ(Read(Pem(Reference())), nullptr);
  EXPECT_THAT(Errors(), HasSubstr("can only be `allow`"));
}

}  // namespace
}  // namespace pkcs11::openssl
