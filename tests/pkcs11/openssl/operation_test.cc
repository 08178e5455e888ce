// SPDX-License-Identifier: Apache-2.0
// What is refused before the KMS is asked, and why, as libcrypto tells it.
#include <gmock/gmock.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <array>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pkcs11/public_key.h"
#include "tests/pkcs11/openssl/provider_testing.h"

namespace pkcs11::openssl {
namespace {

using testing::HasSubstr;

const base::Bytes sample = {'t', 'h', 'e', ' ', 'm'};

class OperationTest : public ProviderTest {
 protected:
  PkeyContext Begin(const PkeyOwner& key, int (*init)(EVP_PKEY_CTX*),
                    const char* properties = nullptr) {
    PkeyContext context(
        EVP_PKEY_CTX_new_from_pkey(host_->library(), key.get(), properties));
    begun_ = init(context.get());
    return context;
  }

  PkeyOwner NewSigner(const std::string& spec) {
    return host_->Load(NewKey(spec, "SIGN_VERIFY", spec));
  }

  int begun_ = 0;
};

TEST_F(OperationTest, ABufferThatIsTooShortForASignatureCostsNoCall) {
  for (const auto& [spec, digest] :
       {std::pair("RSA_2048", "SHA256"), std::pair("ECC_NIST_P256", "SHA256"),
        std::pair("ECC_NIST_EDWARDS25519",
                  static_cast<const char*>(nullptr))}) {
    SCOPED_TRACE(spec);
    const PkeyOwner key = NewSigner(spec);
    const DigestContext context(EVP_MD_CTX_new());
    ASSERT_EQ(
        EVP_DigestSignInit_ex(context.get(), nullptr, digest, host_->library(),
                              nullptr, key.get(), nullptr),
        1);
    base::Bytes signature(
        static_cast<std::size_t>(EVP_PKEY_get_size(key.get())));
    std::size_t room = signature.size() - 1;
    EXPECT_NE(EVP_DigestSign(context.get(), signature.data(), &room,
                             sample.data(), sample.size()),
              1);
    EXPECT_THAT(Errors(), HasSubstr("the buffer is too short"));
  }
  EXPECT_EQ(kms_.Calls("Sign"), 0);
}

TEST_F(OperationTest, ABufferThatIsTooShortForAPlaintextCostsNoCall) {
  const PkeyOwner key =
      host_->Load(NewKey("RSA_2048", "ENCRYPT_DECRYPT", "opener"));
  const PkeyContext context = Begin(key, EVP_PKEY_decrypt_init);
  ASSERT_EQ(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING),
            1);
  const base::Bytes ciphertext(256);
  base::Bytes out(255);
  std::size_t room = out.size();
  EXPECT_NE(EVP_PKEY_decrypt(context.get(), out.data(), &room,
                             ciphertext.data(), ciphertext.size()),
            1);
  EXPECT_THAT(Errors(), HasSubstr("the buffer is too short"));
  EXPECT_EQ(kms_.Calls("Decrypt"), 0);
}

TEST_F(OperationTest, CurvesSignDigestsOfSha2AndSha3Only) {
  const PkeyOwner key = NewSigner("ECC_NIST_P256");
  const auto begins = [&](const char* digest) {
    const DigestContext context(EVP_MD_CTX_new());
    return EVP_DigestSignInit_ex(context.get(), nullptr, digest,
                                 host_->library(), nullptr, key.get(),
                                 nullptr) == 1;
  };
  for (const char* const digest :
       {"SHA224", "SHA256", "SHA384", "SHA512", "SHA512-224", "SHA512-256",
        "SHA3-224", "SHA3-256", "SHA3-384", "SHA3-512"}) {
    EXPECT_TRUE(begins(digest)) << digest << Errors();
  }
  for (const char* const digest :
       {"SHA1", "MD5", "MD5-SHA1", "SHAKE128", "SHAKE256", "BLAKE2B-512",
        "BLAKE2S-256", "SM3", "KECCAK-KMAC-128"}) {
    EXPECT_FALSE(begins(digest)) << digest;
    EXPECT_THAT(Errors(), HasSubstr("a KMS signs no digests of")) << digest;
  }
}

TEST_F(OperationTest, TwoHashesInOneSignatureAreRefusedWhenTheyAreSet) {
  const PkeyOwner key = NewSigner("RSA_2048");
  const PkeyContext context = Begin(key, EVP_PKEY_sign_init);
  const auto set =
      [&](std::initializer_list<std::pair<const char*, std::string>> settings) {
        std::vector<std::pair<const char*, std::string>> values(settings);
        std::vector<OSSL_PARAM> params;
        params.reserve(values.size() + 1);
        for (auto& [name, value] : values) {
          params.push_back(
              OSSL_PARAM_construct_utf8_string(name, value.data(), 0));
        }
        params.push_back(OSSL_PARAM_construct_end());
        return EVP_PKEY_CTX_set_params(context.get(), params.data());
      };
  const char* const digest = OSSL_SIGNATURE_PARAM_DIGEST;
  const char* const mgf = OSSL_SIGNATURE_PARAM_MGF1_DIGEST;
  ASSERT_EQ(set({{OSSL_SIGNATURE_PARAM_PAD_MODE, "pss"}}), 1);
  ASSERT_EQ(set({{digest, "SHA256"}, {mgf, "SHA256"}}), 1);
  EXPECT_NE(set({{mgf, "SHA384"}}), 1);
  EXPECT_THAT(Errors(), HasSubstr("one hash throughout"));
  // Both are changed at once.
  EXPECT_EQ(set({{digest, "SHA384"}, {mgf, "SHA384"}}), 1) << Errors();
  EXPECT_NE(set({{digest, "SHA512"}}), 1);
  EXPECT_THAT(Errors(), HasSubstr("one hash throughout"));
  EXPECT_EQ(kms_.Calls("Sign"), 0);
}

// As the KMS would show a key of software.
PkeyOwner LoadFrom(module::FakeKms& kms, const Host& host, EVP_PKEY* key) {
  const auto text = [](const char* value) { return base::WipingString(value); };
  kms.Reply("GetPublicKey", {{"KeyId", text("arn")},
                             {"KeySpec", text("RSA_2048")},
                             {"KeyUsage", text("SIGN_VERIFY")},
                             {"PublicKey", Base64Json(*SpkiOf(key))}});
  return host.Load("claviger:alias/any");
}

TEST_F(OperationTest, ASaltOfAnyLengthIsVerifiedUnlessOneIsAskedFor) {
  const PkeyOwner software(EVP_RSA_gen(2048));
  const PkeyOwner key = LoadFrom(kms_, *host_, software.get());
  ASSERT_NE(key, nullptr) << Errors();
  const base::Bytes digest(32, 7);
  base::Bytes signature(256);
  std::size_t size = signature.size();
  const auto set_up = [](EVP_PKEY_CTX* context) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1;
  };
  const PkeyContext signing(EVP_PKEY_CTX_new(software.get(), nullptr));
  ASSERT_EQ(EVP_PKEY_sign_init(signing.get()), 1);
  ASSERT_TRUE(set_up(signing.get()));
  ASSERT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(signing.get(), 20), 1);
  ASSERT_EQ(EVP_PKEY_sign(signing.get(), signature.data(), &size, digest.data(),
                          digest.size()),
            1);

  const PkeyContext checking = Begin(key, EVP_PKEY_verify_init);
  ASSERT_TRUE(set_up(checking.get()));
  const auto verifies = [&] {
    return EVP_PKEY_verify(checking.get(), signature.data(), size,
                           digest.data(), digest.size()) == 1;
  };
  EXPECT_TRUE(verifies());
  int salt = 0;
  ASSERT_GT(EVP_PKEY_CTX_get_rsa_pss_saltlen(checking.get(), &salt), 0);
  EXPECT_EQ(salt, RSA_PSS_SALTLEN_AUTO);
  for (const auto& [length, good] :
       {std::pair(20, true), std::pair(32, false),
        std::pair(RSA_PSS_SALTLEN_DIGEST, false)}) {
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(checking.get(), length), 1);
    EXPECT_EQ(verifies(), good) << length;
  }
  ERR_clear_error();
}

// Another context in the same state; the first one goes.
PkeyContext CopyOf(PkeyContext context) {
  return PkeyContext(EVP_PKEY_CTX_dup(context.get()));
}

TEST_F(OperationTest, ADecryptionCanBeCopied) {
  const PkeyOwner key =
      host_->Load(NewKey("RSA_2048", "ENCRYPT_DECRYPT", "opener"));
  const PkeyOwner plain = PublicKey("opener");
  const auto set_up = [](EVP_PKEY_CTX* context) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) == 1;
  };
  const PkeyContext encrypting(EVP_PKEY_CTX_new(plain.get(), nullptr));
  base::Bytes ciphertext(256);
  std::size_t size = ciphertext.size();
  ASSERT_EQ(EVP_PKEY_encrypt_init(encrypting.get()), 1);
  ASSERT_TRUE(set_up(encrypting.get()));
  ASSERT_EQ(EVP_PKEY_encrypt(encrypting.get(), ciphertext.data(), &size,
                             sample.data(), sample.size()),
            1);
  PkeyContext first = Begin(key, EVP_PKEY_decrypt_init);
  ASSERT_TRUE(set_up(first.get()));
  const PkeyContext second = CopyOf(std::move(first));
  ASSERT_NE(second, nullptr) << Errors();
  base::Bytes opened(256);
  size = opened.size();
  ASSERT_EQ(EVP_PKEY_decrypt(second.get(), opened.data(), &size,
                             ciphertext.data(), ciphertext.size()),
            1)
      << Errors();
  opened.resize(size);
  EXPECT_EQ(opened, sample);
}

TEST_F(OperationTest, AnExchangeCanBeCopied) {
  const PkeyOwner key =
      host_->Load(NewKey("ECC_NIST_P256", "KEY_AGREEMENT", "agree"));
  const PkeyOwner pair(EVP_EC_gen("P-256"));
  const PkeyOwner peer = DecodeSpki(*SpkiOf(pair.get()), host_->library());
  const auto secret_of = [](EVP_PKEY_CTX* context) {
    base::Bytes secret(32);
    std::size_t size = secret.size();
    EXPECT_EQ(EVP_PKEY_derive(context, secret.data(), &size), 1) << Errors();
    return secret;
  };
  PkeyContext first = Begin(key, EVP_PKEY_derive_init);
  ASSERT_EQ(EVP_PKEY_derive_set_peer(first.get(), peer.get()), 1) << Errors();
  const PkeyContext second = CopyOf(std::move(first));
  ASSERT_NE(second, nullptr) << Errors();
  const PkeyContext other(EVP_PKEY_CTX_new(pair.get(), nullptr));
  ASSERT_EQ(EVP_PKEY_derive_init(other.get()), 1);
  ASSERT_EQ(EVP_PKEY_derive_set_peer(other.get(), PublicKey("agree").get()), 1);
  EXPECT_EQ(secret_of(second.get()), secret_of(other.get()));
}

TEST_F(OperationTest, CredentialsThatAreRefusedAreToldInTheKmssWords) {
  const PkeyOwner key = NewSigner("ECC_NIST_P256");
  for (const auto& [code, text] :
       {std::pair(base::ErrorCode::kExpiredToken,
                  "ExpiredTokenException: The security token included in the "
                  "request is expired"),
        std::pair(base::ErrorCode::kUnrecognizedClient,
                  "UnrecognizedClientException: The security token included "
                  "in the request is invalid")}) {
    kms_.Fail("Sign", base::Error{code, text});
    kms_.Fail("GetPublicKey", base::Error{code, text});
    EXPECT_TRUE(Sign(host_->library(), key.get(), "SHA256", sample).empty());
    EXPECT_THAT(Errors(), HasSubstr(text));
    EXPECT_EQ(host_->Load("claviger:alias/any"), nullptr);
    EXPECT_THAT(Errors(), HasSubstr(text));
  }
}

TEST_F(OperationTest, PrivateKeysOfSoftwareAreNotTakenOver) {
  for (const char* const type : {"RSA", "EC", "ED25519"}) {
    SCOPED_TRACE(type);
    const PkeyOwner key(type == std::string_view("RSA") ? EVP_RSA_gen(2048)
                        : type == std::string_view("EC")
                            ? EVP_EC_gen("P-256")
                            : EVP_PKEY_Q_keygen(nullptr, nullptr, type));
    const auto takes = [&](int selection) {
      OSSL_PARAM* raw = nullptr;
      EVP_PKEY* made = nullptr;
      EXPECT_EQ(EVP_PKEY_todata(key.get(), selection, &raw), 1);
      const ParamsOwner params(raw);
      const PkeyContext making(EVP_PKEY_CTX_new_from_name(
          host_->library(), type, "provider=claviger"));
      EXPECT_EQ(EVP_PKEY_fromdata_init(making.get()), 1);
      EVP_PKEY_fromdata(making.get(), &made, selection, params.get());
      const PkeyOwner owner(made);
      ERR_clear_error();
      return owner != nullptr;
    };
    EXPECT_TRUE(takes(EVP_PKEY_PUBLIC_KEY));
    EXPECT_FALSE(takes(EVP_PKEY_KEYPAIR));
  }
}

TEST_F(OperationTest, APeerOnAnotherCurveIsRefusedWithAReason) {
  const PkeyOwner key =
      host_->Load(NewKey("ECC_NIST_P256", "KEY_AGREEMENT", "agree"));
  const PkeyOwner pair(EVP_EC_gen("P-384"));
  const PkeyOwner peer = DecodeSpki(*SpkiOf(pair.get()), host_->library());
  const PkeyContext context = Begin(key, EVP_PKEY_derive_init);
  ASSERT_EQ(begun_, 1);
  EXPECT_NE(EVP_PKEY_derive_set_peer(context.get(), peer.get()), 1);
  EXPECT_THAT(Errors(), HasSubstr("on the same curve"));
}

TEST_F(OperationTest, SettingsThatAreNoneAreRefusedWithAReason) {
  const PkeyOwner key = NewSigner("RSA_2048");
  const PkeyContext context = Begin(key, EVP_PKEY_sign_init);
  for (const char* const name :
       {OSSL_SIGNATURE_PARAM_PAD_MODE, OSSL_SIGNATURE_PARAM_PSS_SALTLEN}) {
    std::string value = "colour";
    const std::array<OSSL_PARAM, 2> params = {
        OSSL_PARAM_construct_utf8_string(name, value.data(), 0),
        OSSL_PARAM_construct_end()};
    EXPECT_NE(EVP_PKEY_CTX_set_params(context.get(), params.data()), 1);
    EXPECT_THAT(Errors(), HasSubstr(std::string(name) + " cannot be colour"));
  }
}

TEST_F(OperationTest, ParametersVerifyNothing) {
  std::string group = "P-256";
  std::array<OSSL_PARAM, 2> params = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(),
                                       0),
      OSSL_PARAM_construct_end()};
  const PkeyContext making(
      EVP_PKEY_CTX_new_from_name(host_->library(), "EC", "provider=claviger"));
  EVP_PKEY* made = nullptr;
  ASSERT_EQ(EVP_PKEY_fromdata_init(making.get()), 1);
  ASSERT_EQ(EVP_PKEY_fromdata(making.get(), &made, EVP_PKEY_KEY_PARAMETERS,
                              params.data()),
            1)
      << Errors();
  const PkeyOwner key(made);
  Begin(key, EVP_PKEY_verify_init, "provider=claviger");
  EXPECT_NE(begun_, 1);
  EXPECT_THAT(Errors(), HasSubstr("the key has no public half"));
}

}  // namespace
}  // namespace pkcs11::openssl
