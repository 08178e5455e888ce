// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "hsm/algorithms.h"
#include "hsm/token/oaep.h"
#include "tests/hsm/pair_fixture.h"

// What the private keys on SoftHSM do, against plain OpenSSL.
namespace hsm::token {
namespace {

struct Signing {
  Algorithm algorithm;
  std::vector<SignatureScheme> schemes;
};

class SignTest : public PairTest,
                 public testing::WithParamInterface<Signing> {};

INSTANTIATE_TEST_SUITE_P(
    All, SignTest,
    testing::Values(
        Signing{Algorithm::kRsa2048Sign,
                {SignatureScheme::kPss, SignatureScheme::kPkcs1}},
        Signing{Algorithm::kP256Sign, {SignatureScheme::kEcdsa}},
        Signing{Algorithm::kP384Sign, {SignatureScheme::kEcdsa}},
        Signing{Algorithm::kP521Sign, {SignatureScheme::kEcdsa}},
        Signing{Algorithm::kSecp256k1Sign, {SignatureScheme::kEcdsa}},
        Signing{Algorithm::kEd25519Sign, {SignatureScheme::kEd25519}}));

TEST_P(SignTest, OpensslVerifiesEverySignature) {
  const auto [key, der] = MadeOf(GetParam().algorithm);
  const PkeyOwner public_key = ParsePublic(der);
  for (const SignatureScheme scheme : GetParam().schemes) {
    for (const Hash hash : {Hash::kSha256, Hash::kSha384, Hash::kSha512}) {
      const auto made = token_->Execute(ToSign(key, scheme, hash, "a message"));
      ASSERT_OK(made);
      EXPECT_TRUE(VerifiesMessage(public_key, scheme, hash, "a message",
                                  made->signature));
      EXPECT_FALSE(VerifiesMessage(public_key, scheme, hash, "another",
                                   made->signature));
    }
  }
}

TEST_P(SignTest, RefusesOtherSchemes) {
  const KeyRef key = MadeOf(GetParam().algorithm).key;
  for (const SignatureScheme scheme :
       {SignatureScheme::kPss, SignatureScheme::kPkcs1, SignatureScheme::kEcdsa,
        SignatureScheme::kEd25519, static_cast<SignatureScheme>(9)}) {
    if (std::ranges::count(GetParam().schemes, scheme) == 0) {
      EXPECT_ERROR(
          token_->Execute(ToSign(key, scheme, Hash::kSha256, "message")),
          kInvalidArgument);
    }
  }
}

TEST_P(SignTest, RefusesWhatIsNoDigest) {
  const KeyRef key = MadeOf(GetParam().algorithm).key;
  const SignatureScheme scheme = GetParam().schemes[0];
  if (scheme == SignatureScheme::kEd25519) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{4097}}) {
      EXPECT_ERROR(token_->Execute(ToSign(key, scheme, Hash::kSha256,
                                          std::string(size, 'x'))),
                   kInvalidArgument);
    }
    ASSERT_OK(token_->Execute(
        ToSign(key, scheme, Hash::kSha256, std::string(4096, 'x'))));
    return;
  }
  for (const std::size_t size : {0, 20, 31, 33, 64}) {
    SignRequest request = ToSign(key, scheme, Hash::kSha256, "message");
    request.message = base::Secret(size);
    EXPECT_ERROR(token_->Execute(request), kInvalidArgument);
  }
  EXPECT_ERROR(token_->Execute(ToSign(key, scheme, Hash::kSha1, "message")),
               kInvalidArgument);
}

// One in 128 has a half with a leading zero byte.
TEST_F(PairTest, EcdsaSignaturesAreGoodDerHoweverSmallTheirNumbers) {
  const auto [key, der] = MadeOf(Algorithm::kP256Sign);
  const PkeyOwner public_key = ParsePublic(der);
  for (int i = 0; i < 600; ++i) {
    const std::string message = std::to_string(i);
    const auto made = token_->Execute(
        ToSign(key, SignatureScheme::kEcdsa, Hash::kSha256, message));
    ASSERT_OK(made);
    ASSERT_TRUE(VerifiesMessage(public_key, SignatureScheme::kEcdsa,
                                Hash::kSha256, message, made->signature));
  }
}

class AgreeTest : public PairTest,
                  public testing::WithParamInterface<Algorithm> {
 protected:
  static PkeyOwner PeerFor(Algorithm algorithm) {
    const int bits = FindAlgorithm(algorithm)->bits;
    return PkeyOwner(EVP_EC_gen(bits == 256   ? "P-256"
                                : bits == 384 ? "P-384"
                                              : "P-521"));
  }

  static base::Bytes Derive(const PkeyOwner& own, const PkeyOwner& other) {
    const PkeyContext context(EVP_PKEY_CTX_new(own.get(), nullptr));
    std::size_t size = 128;
    base::Bytes secret(size);
    EXPECT_EQ(EVP_PKEY_derive_init(context.get()), 1);
    EXPECT_EQ(EVP_PKEY_derive_set_peer(context.get(), other.get()), 1);
    EXPECT_EQ(EVP_PKEY_derive(context.get(), secret.data(), &size), 1);
    secret.resize(size);
    return secret;
  }
};

INSTANTIATE_TEST_SUITE_P(Curves, AgreeTest,
                         testing::Values(Algorithm::kP256Agree,
                                         Algorithm::kP384Agree,
                                         Algorithm::kP521Agree));

// Often enough for secrets with a leading zero byte.
TEST_P(AgreeTest, BothSidesGetTheSameSecret) {
  const auto [key, der] = MadeOf(GetParam());
  const PkeyOwner public_key = ParsePublic(der);
  for (int i = 0; i < 300; ++i) {
    const PkeyOwner peer = PeerFor(GetParam());
    const auto agreed =
        token_->Execute(AgreeRequest{.key = key, .public_key = DerOf(peer)});
    ASSERT_OK(agreed);
    const auto secret = agreed->plaintext.Reveal();
    ASSERT_EQ(base::Bytes(secret.begin(), secret.end()),
              Derive(peer, public_key));
  }
}

TEST_P(AgreeTest, RefusesWhatIsNoPointOfItsCurve) {
  const KeyRef key = MadeOf(GetParam()).key;
  const base::Bytes good = DerOf(PeerFor(GetParam()));
  std::vector<base::Bytes> bad = {{}, {0x30}, base::Bytes(100, 0xff)};
  for (const char* group : {"P-224", "P-256", "P-384", "P-521", "secp256k1"}) {
    base::Bytes other = DerOf(PkeyOwner(EVP_EC_gen(group)));
    if (other.size() != good.size() || std::string(group) == "secp256k1") {
      bad.push_back(std::move(other));
    }
  }
  bad.push_back(DerOf(PkeyOwner(EVP_RSA_gen(1024))));
  bad.push_back(
      DerOf(PkeyOwner(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"))));
  bad.push_back(good);
  bad.back().push_back(0);
  bad.push_back(good);
  bad.back().back() ^= 1;  // Not on the curve.
  bad.emplace_back(good.begin(), good.end() - 1);
  for (const base::Bytes& der : bad) {
    EXPECT_ERROR(token_->Execute(AgreeRequest{.key = key, .public_key = der}),
                 kInvalidArgument);
  }
  ASSERT_OK(token_->Execute(AgreeRequest{.key = key, .public_key = good}));
}

class RsaDecryptTest : public PairTest {
 protected:
  static base::Bytes Encrypted(const PkeyOwner& key, Hash hash,
                               std::string_view message,
                               std::string_view label = {}) {
    const PkeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
    EXPECT_EQ(EVP_PKEY_encrypt_init(context.get()), 1);
    EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING);
    EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EvpOf(hash));
    EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EvpOf(hash));
    if (!label.empty()) {
      EVP_PKEY_CTX_set0_rsa_oaep_label(
          context.get(), OPENSSL_memdup(label.data(), label.size()),
          static_cast<int>(label.size()));
    }
    base::Bytes out(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())));
    std::size_t size = out.size();
    EXPECT_EQ(
        EVP_PKEY_encrypt(context.get(), out.data(), &size,
                         reinterpret_cast<const unsigned char*>(message.data()),
                         message.size()),
        1);
    return out;
  }

  static RsaDecryptRequest ToOpen(const KeyRef& key, Hash hash,
                                  base::Bytes ciphertext) {
    RsaDecryptRequest request;
    request.key = key;
    request.hash = hash;
    request.ciphertext = std::move(ciphertext);
    return request;
  }
};

TEST_F(RsaDecryptTest, OpensWhatOpensslEncrypted) {
  const auto [key, der] = MadeOf(Algorithm::kRsa2048Decrypt);
  const PkeyOwner public_key = ParsePublic(der);
  for (const Hash hash : {Hash::kSha1, Hash::kSha256}) {
    const std::size_t most = 256 - 2 * (hash == Hash::kSha1 ? 20 : 32) - 2;
    for (const std::string& message :
         {std::string(), std::string("secret"), std::string(3, '\0'),
          std::string(most, 'x')}) {
      const auto opened = token_->Execute(
          ToOpen(key, hash, Encrypted(public_key, hash, message)));
      ASSERT_OK(opened);
      EXPECT_EQ(opened->plaintext.RevealText(), message);
    }
  }
}

TEST_F(RsaDecryptTest, EveryChangeHasTheSameAnswer) {
  const auto [key, der] = MadeOf(Algorithm::kRsa2048Decrypt);
  const PkeyOwner public_key = ParsePublic(der);
  for (const Hash hash : {Hash::kSha1, Hash::kSha256}) {
    const base::Bytes good = Encrypted(public_key, hash, "secret");
    std::vector<base::Bytes> bad = {
        base::Bytes(),
        base::Bytes(256),
        base::Bytes(256, 0xff),
        base::Bytes(good.begin(), good.end() - 1),
        Encrypted(public_key, hash, "secret", "a label"),
        Encrypted(public_key, hash == Hash::kSha1 ? Hash::kSha256 : Hash::kSha1,
                  "secret"),
    };
    bad.push_back(good);
    bad.back().insert(bad.back().begin(), 0);
    for (std::size_t bit = 0; bit < good.size() * 8; bit += 61) {
      bad.push_back(good);
      bad.back()[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    }
    for (const base::Bytes& ciphertext : bad) {
      const auto opened = token_->Execute(ToOpen(key, hash, ciphertext));
      ASSERT_FALSE(opened.has_value());
      ASSERT_EQ(opened.error().code, base::ErrorCode::kInvalidCiphertext)
          << opened.error().message;
      ASSERT_EQ(opened.error().message, "");
    }
  }
}

TEST_F(RsaDecryptTest, OtherHashesAreRefused) {
  const KeyRef key = MadeOf(Algorithm::kRsa2048Decrypt).key;
  for (const Hash hash : {Hash::kSha384, Hash::kSha512, static_cast<Hash>(9)}) {
    EXPECT_ERROR(token_->Execute(ToOpen(key, hash, base::Bytes(256))),
                 kInvalidArgument);
  }
}

// OpenSSL pads, we unpad; and so each byte of the padding matters.
TEST(Oaep, OnlyTheWholePaddingIsRight) {
  const PkeyOwner key(EVP_RSA_gen(1024));
  const std::string message = "secret";
  base::Bytes ciphertext(128);
  std::size_t size = ciphertext.size();
  PkeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
  EVP_PKEY_encrypt_init(context.get());
  EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING);
  EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256());
  ASSERT_EQ(
      EVP_PKEY_encrypt(context.get(), ciphertext.data(), &size,
                       reinterpret_cast<const unsigned char*>(message.data()),
                       message.size()),
      1);
  context.reset(EVP_PKEY_CTX_new(key.get(), nullptr));
  EVP_PKEY_decrypt_init(context.get());
  EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING);
  base::Secret padded(128);
  size = padded.size();
  ASSERT_EQ(EVP_PKEY_decrypt(context.get(), padded.Reveal().data(), &size,
                             ciphertext.data(), ciphertext.size()),
            1);
  const auto opened = UnpadOaep(Hash::kSha256, padded);
  ASSERT_OK(opened);
  EXPECT_EQ(opened->RevealText(), message);
  EXPECT_ERROR(UnpadOaep(Hash::kSha1, padded), kInvalidCiphertext);
  for (std::size_t i = 0; i < padded.size(); ++i) {
    base::Secret changed = base::Secret::CopyOf(padded.Reveal());
    changed.Reveal()[i] ^= 0x40;
    const auto result = UnpadOaep(Hash::kSha256, changed);
    // The last bytes are the message's, behind a mask that they decide.
    EXPECT_ERROR(result, kInvalidCiphertext);
  }
  EXPECT_ERROR(UnpadOaep(Hash::kSha256, base::Secret(10)), kInvalidCiphertext);
}

class DataKeyPairTest : public PairTest,
                        public testing::WithParamInterface<Algorithm> {};

INSTANTIATE_TEST_SUITE_P(
    Kinds, DataKeyPairTest,
    testing::Values(Algorithm::kRsa2048Decrypt, Algorithm::kRsa4096Sign,
                    Algorithm::kP256Sign, Algorithm::kP384Agree,
                    Algorithm::kP521Sign, Algorithm::kSecp256k1Sign,
                    Algorithm::kEd25519Sign));

TEST_P(DataKeyPairTest, ThePrivateKeyFitsAndIsSealed) {
  const KeyRef key = Made();
  GenerateDataKeyPairRequest request;
  request.key = key;
  request.aad = SomeAad();
  request.pair = GetParam();
  const auto made = token_->Execute(request);
  ASSERT_OK(made);
  const auto der = made->private_key.Reveal();
  const unsigned char* at = der.data();
  const PkeyOwner private_key(
      d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
  ASSERT_NE(private_key, nullptr);
  EXPECT_EQ(at, der.data() + der.size());
  EXPECT_EQ(EVP_PKEY_eq(private_key.get(), ParsePublic(made->public_key).get()),
            1);
  at = der.data();
  PKCS8_PRIV_KEY_INFO* pkcs8 =
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size()));
  EXPECT_NE(pkcs8, nullptr);
  PKCS8_PRIV_KEY_INFO_free(pkcs8);

  const auto opened = token_->Execute(ToDecrypt(key, made->sealed));
  ASSERT_OK(opened);
  EXPECT_EQ(opened->plaintext.RevealText(), made->private_key.RevealText());
}

TEST_F(PairTest, DataKeyPairsAreSealedAloneIfSoAsked) {
  GenerateDataKeyPairRequest request;
  request.key = Made(Algorithm::kAes256GcmCounter);
  request.counter = 7;
  request.aad = SomeAad();
  request.want_plaintext = false;
  const auto made = token_->Execute(request);
  ASSERT_OK(made);
  EXPECT_TRUE(made->private_key.empty());
  const auto opened = token_->Execute(ToDecrypt(request.key, made->sealed));
  ASSERT_OK(opened);
  EXPECT_GT(opened->plaintext.size(), 100U);
}

TEST_F(PairTest, DataKeyPairsNeedAPairAndAKeyThatEncrypts) {
  GenerateDataKeyPairRequest request;
  request.key = Made();
  request.pair = Algorithm::kHmacSha256;
  EXPECT_ERROR(token_->Execute(request), kInvalidArgument);
  request.pair = Algorithm::kP256Sign;
  request.key = NewKey();
  EXPECT_ERROR(token_->Execute(request), kNotFound);
  request.key = MadeOf(Algorithm::kP256Sign).key;
  EXPECT_ERROR(token_->Execute(request), kInvalidArgument);
}

}  // namespace
}  // namespace hsm::token
