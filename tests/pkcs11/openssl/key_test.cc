// SPDX-License-Identifier: Apache-2.0
// What programs see of a key through libcrypto, and how often the KMS is asked.
#define OPENSSL_SUPPRESS_DEPRECATED  // Old programs still call such.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/store.h>

#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/pkcs11/openssl/provider_testing.h"

namespace pkcs11::openssl {
namespace {

using testing::HasSubstr;

const base::Bytes sample = {'t', 'h', 'e', ' ', 'm'};

struct SignerRow {
  const char* spec;
  const char* digest;
  const char* type;
  int id;
};
constexpr std::array kSigners = {
    SignerRow{"RSA_2048", "SHA256", "RSA", EVP_PKEY_RSA},
    SignerRow{"RSA_3072", "SHA512", "RSA", EVP_PKEY_RSA},
    SignerRow{"ECC_NIST_P256", "SHA256", "EC", EVP_PKEY_EC},
    SignerRow{"ECC_NIST_P384", "SHA256", "EC", EVP_PKEY_EC},
    SignerRow{"ECC_NIST_P521", "SHA512", "EC", EVP_PKEY_EC},
    SignerRow{"ECC_SECG_P256K1", "SHA384", "EC", EVP_PKEY_EC},
    SignerRow{"ECC_NIST_EDWARDS25519", nullptr, "ED25519", EVP_PKEY_ED25519},
};

class KeyTest : public ProviderTest {};

TEST_F(KeyTest, EverySpecMakesSignaturesThatOpensslVerifies) {
  for (const SignerRow& row : kSigners) {
    SCOPED_TRACE(row.spec);
    const PkeyOwner key = host_->Load(NewKey(row.spec, "SIGN_VERIFY", "key"));
    ASSERT_NE(key, nullptr) << Errors();
    EXPECT_EQ(EVP_PKEY_is_a(key.get(), row.type), 1);
    EXPECT_EQ(EVP_PKEY_get_base_id(key.get()), row.id);
    const base::Bytes signature =
        Sign(host_->library(), key.get(), row.digest, sample);
    ASSERT_FALSE(signature.empty()) << Errors();
    const PkeyOwner plain = PublicKey("key");
    EXPECT_TRUE(Verifies(plain.get(), row.digest, sample, signature));
    EXPECT_FALSE(Verifies(plain.get(), row.digest, {}, signature));
    EXPECT_EQ(EVP_PKEY_eq(key.get(), plain.get()), 1);
    EXPECT_EQ(EVP_PKEY_eq(plain.get(), key.get()), 1);
    EXPECT_EQ(EVP_PKEY_get_bits(key.get()), EVP_PKEY_get_bits(plain.get()));
    EXPECT_EQ(EVP_PKEY_get_size(key.get()), EVP_PKEY_get_size(plain.get()));
    EXPECT_EQ(EVP_PKEY_get_security_bits(key.get()),
              EVP_PKEY_get_security_bits(plain.get()));
  }
}

TEST_F(KeyTest, AnotherKeyIsNotThisOne) {
  const PkeyOwner one =
      host_->Load(NewKey("ECC_NIST_P256", "SIGN_VERIFY", "one"));
  NewKey("ECC_NIST_P256", "SIGN_VERIFY", "two");
  const PkeyOwner two = PublicKey("two");
  EXPECT_EQ(EVP_PKEY_eq(one.get(), two.get()), 0);
  EXPECT_EQ(EVP_PKEY_eq(two.get(), one.get()), 0);
}

TEST_F(KeyTest, NothingPrivateLeaves) {
  for (const SignerRow& row : kSigners) {
    SCOPED_TRACE(row.spec);
    const PkeyOwner key = host_->Load(NewKey(row.spec, "SIGN_VERIFY", "key"));
    OSSL_PARAM* params = nullptr;
    EXPECT_NE(EVP_PKEY_todata(key.get(), EVP_PKEY_KEYPAIR, &params), 1);
    EXPECT_EQ(params, nullptr);
    ASSERT_EQ(EVP_PKEY_todata(key.get(), EVP_PKEY_PUBLIC_KEY, &params), 1);
    EXPECT_EQ(OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_PRIV_KEY), nullptr);
    EXPECT_EQ(OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_RSA_D), nullptr);
    OSSL_PARAM_free(params);
    BIGNUM* number = nullptr;
    EXPECT_NE(EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_D, &number),
              1);
    EXPECT_NE(
        EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &number), 1);
    EXPECT_EQ(i2d_PrivateKey(key.get(), nullptr), -1);
    EXPECT_EQ(EVP_PKEY_get0_RSA(key.get()), nullptr);
    EXPECT_EQ(EVP_PKEY_get0_EC_KEY(key.get()), nullptr);
    ERR_clear_error();
  }
}

TEST_F(KeyTest, TheKmsIsAskedOnceToLoadAndOnceToSign) {
  const PkeyOwner key = host_->Load(NewKey("RSA_2048", "SIGN_VERIFY", "key"));
  EXPECT_EQ(kms_.Calls(), 1);
  EXPECT_EQ(kms_.Calls("GetPublicKey"), 1);
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* inside = nullptr;
  // As TLS does, to see what would be possible.
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(
        EVP_DigestSignInit_ex(context.get(), &inside, "SHA256",
                              host_->library(), nullptr, key.get(), nullptr),
        1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_padding(inside, RSA_PKCS1_PSS_PADDING), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(inside, RSA_PSS_SALTLEN_DIGEST),
              1);
  }
  ASSERT_EQ(EVP_DigestSignUpdate(context.get(), sample.data(), sample.size()),
            1);
  std::size_t size = 0;
  ASSERT_EQ(EVP_DigestSignFinal(context.get(), nullptr, &size), 1);
  EXPECT_EQ(size, 256U);
  EXPECT_EQ(kms_.Calls(), 1);
  base::Bytes signature(size);
  ASSERT_EQ(EVP_DigestSignFinal(context.get(), signature.data(), &size), 1);
  EXPECT_EQ(kms_.Calls(), 2);
  EXPECT_EQ(kms_.Calls("Sign"), 1);
  // What was decided at first holds, whoever the alias belongs to by now.
  EXPECT_THAT(kms_.LastRequest("Sign").dump(), HasSubstr("arn:aws:kms:"));
}

TEST_F(KeyTest, RefusalsCostNoCall) {
  const PkeyOwner signer =
      host_->Load(NewKey("RSA_2048", "SIGN_VERIFY", "signer"));
  const PkeyOwner opener =
      host_->Load(NewKey("RSA_2048", "ENCRYPT_DECRYPT", "opener"));
  const int before = kms_.Calls();
  EXPECT_TRUE(Sign(host_->library(), signer.get(), "SHA1", sample).empty());
  EXPECT_TRUE(Sign(host_->library(), opener.get(), "SHA256", sample).empty());
  EXPECT_THAT(Errors(), HasSubstr("SIGN_VERIFY"));
  EXPECT_EQ(kms_.Calls(), before);
}

TEST_F(KeyTest, NothingIsEncryptedToAKeyThatDoesNotDecrypt) {
  const PkeyOwner signer =
      host_->Load(NewKey("RSA_2048", "SIGN_VERIFY", "signer"));
  const PkeyOwner opener =
      host_->Load(NewKey("RSA_2048", "ENCRYPT_DECRYPT", "opener"));
  const auto begins = [this](const PkeyOwner& key) {
    const PkeyContext context(
        EVP_PKEY_CTX_new_from_pkey(host_->library(), key.get(), nullptr));
    return EVP_PKEY_encrypt_init(context.get());
  };
  EXPECT_EQ(begins(opener), 1);
  EXPECT_NE(begins(signer), 1);
  EXPECT_THAT(Errors(), HasSubstr("is for SIGN_VERIFY: encryption"));
}

TEST_F(KeyTest, AnErrorOfTheKmsIsTheErrorOfTheCall) {
  const std::string uri = NewKey("ECC_NIST_P256", "SIGN_VERIFY", "key");
  const PkeyOwner key = host_->Load(uri);
  const base::Error denied = {base::ErrorCode::kAccessDenied,
                              "AccessDeniedException: no\x1b[2Jway"};
  kms_.Fail("Sign", denied);
  EXPECT_TRUE(Sign(host_->library(), key.get(), "SHA256", sample).empty());
  const std::string said = Errors();
  EXPECT_THAT(said, HasSubstr("AccessDeniedException"));
  EXPECT_THAT(said, HasSubstr("no?[2Jway"));
  kms_.Fail("GetPublicKey", denied);
  EXPECT_EQ(host_->Load(uri), nullptr);
  EXPECT_THAT(Errors(), HasSubstr("AccessDeniedException"));
}

TEST_F(KeyTest, AStoreThatFailsComesToItsEndWithoutAnotherCall) {
  const std::string uri = NewKey("ECC_NIST_P256", "SIGN_VERIFY", "key");
  kms_.Fail("GetPublicKey", base::Error{base::ErrorCode::kAccessDenied,
                                        "AccessDeniedException: no"});
  const std::unique_ptr<OSSL_STORE_CTX, OpensslFree<OSSL_STORE_close>> store(
      OSSL_STORE_open_ex(uri.c_str(), host_->library(), nullptr, nullptr,
                         nullptr, nullptr, nullptr, nullptr));
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(OSSL_STORE_load(store.get()), nullptr);
  EXPECT_EQ(OSSL_STORE_error(store.get()), 1);
  EXPECT_EQ(OSSL_STORE_eof(store.get()), 0);
  EXPECT_THAT(Errors(), HasSubstr("AccessDeniedException: no"));
  EXPECT_EQ(OSSL_STORE_load(store.get()), nullptr);
  EXPECT_EQ(OSSL_STORE_error(store.get()), 0);
  EXPECT_EQ(OSSL_STORE_eof(store.get()), 1);
  EXPECT_EQ(kms_.Calls(), 1);
  EXPECT_EQ(Errors(), "");
}

TEST_F(KeyTest, APlaceThatDidNotAnswerIsLookedUpAnew) {
  const std::string uri = NewKey("ECC_NIST_P256", "SIGN_VERIFY", "key");
  setenv("CLAVIGER_SOCKET", (folder_ / "absent").c_str(), 1);
  EXPECT_EQ(host_->Load(uri), nullptr);
  EXPECT_THAT(Errors(), HasSubstr("absent"));
  setenv("CLAVIGER_SOCKET", (folder_ / "socket").c_str(), 1);
  EXPECT_NE(host_->Load(uri), nullptr) << Errors();
}

TEST_F(KeyTest, NoMoreThanSixtyFourPlacesAreKept) {
  const std::string uri = NewKey("ECC_NIST_P256", "SIGN_VERIFY", "key");
  constexpr int kPlaces = 70;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < kPlaces; ++i) {
      const std::string region = "eu-west-" + std::to_string(i + 1);
      EXPECT_NE(host_->Load(fmt::format("{}?region={}", uri, region)), nullptr)
          << Errors();
    }
  }
  // Those that are kept keep their connections.
  EXPECT_EQ(server_.connections(), kPlaces + (kPlaces - 64));
}

TEST_F(KeyTest, AnswersThatCannotBeAreRefused) {
  const std::string uri = NewKey("RSA_2048", "SIGN_VERIFY", "key");
  const PkeyOwner key = host_->Load(uri);
  const auto text = [](const char* value) { return base::WipingString(value); };
  for (const base::Json& reply :
       {base::Json::object(), base::Json{{"Signature", text("!")}},
        base::Json{{"Signature", text("AAAA")}},
        base::Json{{"Signature", base::WipingString(1024, 'A')}}}) {
    kms_.Reply("Sign", reply);
    EXPECT_TRUE(Sign(host_->library(), key.get(), "SHA256", sample).empty());
    EXPECT_THAT(Errors(), HasSubstr("server's"));
  }
  base::Json good = *kms_.Call("GetPublicKey", {{"KeyId", text("alias/key")}});
  for (const char* member : {"KeyId", "KeySpec", "KeyUsage", "PublicKey"}) {
    for (const char* value : {"", "AAAA", "ECC_NIST_P256"}) {
      base::Json bad = good;
      bad[member] = text(value);
      kms_.Reply("GetPublicKey", bad);
      const bool harmless = std::string_view(member) == "KeyId" && *value != 0;
      EXPECT_EQ(host_->Load(uri) != nullptr, harmless) << member << value;
      ERR_clear_error();
    }
  }
}

TEST_F(KeyTest, ACopyIsTheKeyAndItsParametersAreNot) {
  const std::string uri = NewKey("ECC_NIST_P256", "SIGN_VERIFY", "key");
  const PkeyOwner key = host_->Load(uri);
  NewKey("ECC_NIST_P256", "SIGN_VERIFY", "other");
  const PkeyOwner other = PublicKey("other");
  const PkeyOwner copy(EVP_PKEY_dup(key.get()));
  ASSERT_NE(copy, nullptr);
  EXPECT_FALSE(Sign(host_->library(), copy.get(), "SHA256", sample).empty());

  // As CMS makes a key of its peer's point.
  const PkeyOwner peer(EVP_PKEY_new());
  ASSERT_EQ(EVP_PKEY_copy_parameters(peer.get(), key.get()), 1) << Errors();
  unsigned char* point = nullptr;
  const std::size_t size =
      EVP_PKEY_get1_encoded_public_key(other.get(), &point);
  ASSERT_EQ(EVP_PKEY_set1_encoded_public_key(peer.get(), point, size), 1)
      << Errors();
  EXPECT_EQ(EVP_PKEY_eq(peer.get(), other.get()), 1);
  EXPECT_EQ(EVP_PKEY_eq(peer.get(), key.get()), 0);
  EXPECT_TRUE(Sign(host_->library(), peer.get(), "SHA256", sample).empty());
  ERR_clear_error();

  // A key of the KMS stays what it is.
  EXPECT_NE(EVP_PKEY_set1_encoded_public_key(copy.get(), point, size), 1);
  point[size - 1] ^= 1;
  EXPECT_NE(EVP_PKEY_set1_encoded_public_key(peer.get(), point, size), 1);
  OPENSSL_free(point);
  EXPECT_EQ(EVP_PKEY_eq(copy.get(), key.get()), 1);
  ERR_clear_error();
}

TEST_F(KeyTest, ASignatureCanBeCopiedInItsMiddle) {
  const PkeyOwner key = host_->Load(NewKey("RSA_2048", "SIGN_VERIFY", "key"));
  const DigestContext one(EVP_MD_CTX_new());
  const DigestContext two(EVP_MD_CTX_new());
  ASSERT_EQ(
      EVP_DigestSignInit_ex(one.get(), nullptr, "SHA256", host_->library(),
                            nullptr, key.get(), nullptr),
      1);
  ASSERT_EQ(EVP_DigestSignUpdate(one.get(), sample.data(), 2), 1);
  ASSERT_EQ(EVP_MD_CTX_copy_ex(two.get(), one.get()), 1);
  const base::Bytes whole = Sign(host_->library(), key.get(), "SHA256", sample);
  for (EVP_MD_CTX* const context : {one.get(), two.get()}) {
    base::Bytes signature(256);
    std::size_t size = signature.size();
    ASSERT_EQ(EVP_DigestSignUpdate(context, &sample[2], sample.size() - 2), 1);
    ASSERT_EQ(EVP_DigestSignFinal(context, signature.data(), &size), 1);
    EXPECT_EQ(signature, whole);
  }
}

TEST_F(KeyTest, TheDefaultsOfTheKeyAreThoseOfOpenssl) {
  const PkeyOwner rsa = host_->Load(NewKey("RSA_2048", "SIGN_VERIFY", "rsa"));
  const PkeyOwner edwards =
      host_->Load(NewKey("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "edwards"));
  const PkeyOwner curve =
      host_->Load(NewKey("ECC_NIST_P384", "SIGN_VERIFY", "curve"));
  std::array<char, 32> name{};
  EXPECT_EQ(EVP_PKEY_get_default_digest_name(rsa.get(), name.data(), 32), 1);
  EXPECT_STREQ(name.data(), "SHA256");
  EXPECT_EQ(EVP_PKEY_get_default_digest_name(edwards.get(), name.data(), 32),
            2);  // Mandatory: none.
  EXPECT_EQ(EVP_PKEY_get_group_name(curve.get(), name.data(), 32, nullptr), 1);
  EXPECT_STREQ(name.data(), "secp384r1");
}

}  // namespace
}  // namespace pkcs11::openssl
