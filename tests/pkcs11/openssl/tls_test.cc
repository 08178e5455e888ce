// SPDX-License-Identifier: Apache-2.0
// A KMS over HTTPS: the provider does TLS of its own in the middle of what its
// host's OpenSSL is doing.
#include <gmock/gmock.h>

#include <cstdlib>

#include "base/pem.h"
#include "kms/client/endpoint.h"
#include "kms/client/key_uri.h"
#include "tests/kms/client_certificates.h"
#include "tests/pkcs11/openssl/provider_testing.h"

namespace pkcs11::openssl {
namespace {

using testing::HasSubstr;

const base::Bytes sample = {'m'};

class TlsTest : public ProviderTest {
 protected:
  TlsTest() : authority_({.name = "ca", .is_authority = true}) {
    const kms::client::Certificate certificate(
        {.name = "server", .alternative_names = "IP:127.0.0.1"}, &authority_);
    authority_.WriteCertificate(Path("ca.pem"));
    certificate.WriteCertificate(Path("cert.pem"));
    certificate.WriteKey(Path("key.pem"));
    secure_ = std::make_unique<kms::client::ScriptedServer>(
        Path("cert.pem"), Path("key.pem"),
        kms::client::ScriptedServer::Always{
            [this](kms::client::Peer& peer) { Serve(kms_, peer); }});
    unsetenv("CLAVIGER_SOCKET");
    setenv("CLAVIGER_CA_FILE", Path("ca.pem").c_str(), 1);
    setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
  }

  // The client closes its connections before the server ends.
  ~TlsTest() override {
    host_ = nullptr;
    for (const char* const name :
         {"CLAVIGER_CA_FILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}) {
      unsetenv(name);
    }
  }

  std::string Path(std::string_view name) { return (folder_ / name).string(); }

  kms::client::KeyUri Uri() {
    return {"alias/key", {}, kms::client::Describe(secure_->endpoint()),
            {},          {}, {}};
  }

  kms::client::Certificate authority_;
  std::unique_ptr<kms::client::ScriptedServer> secure_;
};

TEST_F(TlsTest, KeysAreLoadedAndUsedOverTls) {
  NewKey("RSA_2048", "SIGN_VERIFY", "key");
  const PkeyOwner plain = PublicKey("key");
  const PkeyOwner key = host_->Load(kms::client::FormatKeyUri(Uri()));
  ASSERT_NE(key, nullptr) << Errors();
  EXPECT_TRUE(Verifies(plain.get(), "SHA256", sample,
                       Sign(host_->library(), key.get(), "SHA256", sample)));
  EXPECT_EQ(Errors(), "");
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(TlsTest, WhatTheHostHasInItsQueueStays) {
  NewKey("ECC_NIST_P256", "SIGN_VERIFY", "key");
  host_ = std::make_unique<Host>("reference_options = allow");
  const std::string text = base::PemBlock(kms::client::kReferenceLabel,
                                          kms::client::EncodeReference(Uri()));
  ERR_raise_data(ERR_LIB_USER, 7, "the host's");
  ERR_set_mark();
  const PkeyOwner key = host_->LoadText(base::AsBytes(text));
  ASSERT_NE(key, nullptr) << Errors();
  EXPECT_FALSE(Sign(host_->library(), key.get(), "SHA256", sample).empty());
  EXPECT_EQ(ERR_pop_to_mark(), 1);
  EXPECT_THAT(Errors(), HasSubstr("the host's"));
}

TEST_F(TlsTest, AServerOfAnotherAuthorityIsNotAsked) {
  NewKey("ECC_NIST_P256", "SIGN_VERIFY", "key");
  const kms::client::Certificate other({.name = "other", .is_authority = true});
  other.WriteCertificate(Path("ca.pem"));
  EXPECT_EQ(host_->Load(kms::client::FormatKeyUri(Uri())), nullptr);
  EXPECT_THAT(Errors(), HasSubstr("certificate"));
  EXPECT_EQ(kms_.Calls(), 0);
}

}  // namespace
}  // namespace pkcs11::openssl
