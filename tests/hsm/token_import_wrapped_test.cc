// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <openssl/hmac.h>

#include <memory>
#include <optional>
#include <utility>

#include "hsm/token/mac.h"
#include "tests/hsm/import_fixture.h"

// Imports in the placement `wrapped`: the pair that unwraps is a wrapped key,
// and so is what comes in.
namespace hsm::token {
namespace {

constexpr WrappingAlgorithm kWrappings[] = {
    WrappingAlgorithm::kOaepSha1, WrappingAlgorithm::kOaepSha256,
    WrappingAlgorithm::kRsaAesSha1, WrappingAlgorithm::kRsaAesSha256};

class ImportWrappedTest : public ImportTest {
 protected:
  void MakeWrappingPair() override {
    store_by_ = Made(Algorithm::kAesWrap);
    wrapping_.key = NewKey(Algorithm::kRsa2048Unwrap);
    const auto made = token_->Execute(
        GenerateWrappedKeyRequest{wrapping_.key, store_by_.locator});
    ASSERT_OK(made);
    wrapping_.public_key = made->public_key;
    wrapping_.key = Stored(wrapping_.key, made->wrapped, made->check_value,
                           made->public_key);
  }

  KeyRef Stored(KeyRef key, base::Bytes bytes, const CheckValue& check_value,
                base::Bytes public_key) const {
    key.wrapped = std::make_shared<const WrappedKey>(
        WrappedKey{.wrapping_key = store_by_.locator,
                   .bytes = std::move(bytes),
                   .check_value = check_value,
                   .public_key = std::move(public_key)});
    return key;
  }

  // The imported key, after the next start.
  KeyRef Imported(Algorithm algorithm, WrappingAlgorithm wrapping,
                  base::ByteView material) {
    ImportKeyRequest request = ToImport(algorithm, wrapping, material);
    request.store_wrapping_key = store_by_.locator;
    const auto imported = token_->Execute(request);
    EXPECT_TRUE(imported.has_value()) << imported.error().message;
    const ImportKeyReply reply = imported.value_or(ImportKeyReply());
    EXPECT_FALSE(reply.wrapped.empty());
    EXPECT_EQ(Objects(), 1U);  // The key that wraps.
    Reopen();
    return Stored(request.key, reply.wrapped, reply.check_value,
                  reply.public_key);
  }

  KeyRef store_by_;
};

TEST_F(ImportWrappedTest, SecretsWorkAndAreNotOnTheToken) {
  for (const WrappingAlgorithm wrapping : kWrappings) {
    const base::Bytes material = RandomOf(32);
    const KeyRef key = Imported(Algorithm::kXaes256Gcm, wrapping, material);
    const Sealed sealed = Encrypted(key, "text");
    // The same material as an object of the token.
    ImportKeyRequest resident =
        ToImport(Algorithm::kXaes256Gcm, wrapping, material);
    const auto imported = token_->Execute(resident);
    ASSERT_OK(imported);
    EXPECT_TRUE(imported->wrapped.empty());
    EXPECT_EQ(imported->check_value, key.wrapped->check_value);
    const auto opened = token_->Execute(ToDecrypt(resident.key, sealed));
    ASSERT_OK(opened);
    EXPECT_EQ(opened->plaintext.RevealText(), "text");
    ASSERT_OK(token_->Execute(DestroyKeyRequest{resident.key.locator}));
  }
}

// SoftHSM pads what it wraps with zeros to eight bytes: to HMAC the same key.
TEST_F(ImportWrappedTest, MacKeysOfAnyLengthMakeTheSameMac) {
  for (const std::size_t size : {28, 29, 37, 63, 64}) {
    const base::Bytes material = RandomOf(size);
    const KeyRef key = Imported(Algorithm::kHmacSha224,
                                WrappingAlgorithm::kOaepSha256, material);
    const auto mac = token_->Execute(
        MacRequest{.key = key, .message = base::Secret::CopyOf("message")});
    ASSERT_OK(mac);
    base::Bytes expected(EVP_MAX_MD_SIZE);
    unsigned length = 0;
    ASSERT_NE(HMAC(EVP_sha224(), material.data(), static_cast<int>(size),
                   reinterpret_cast<const unsigned char*>("message"), 7,
                   expected.data(), &length),
              nullptr);
    expected.resize(length);
    EXPECT_EQ(mac->mac, expected) << size;
  }
}

TEST_F(ImportWrappedTest, KeyPairsSignAsTheirPublicKeySays) {
  for (const WrappingAlgorithm wrapping :
       {WrappingAlgorithm::kRsaAesSha1, WrappingAlgorithm::kRsaAesSha256}) {
    for (const auto& [algorithm, scheme] :
         {std::pair{Algorithm::kP256Sign, SignatureScheme::kEcdsa},
          std::pair{Algorithm::kRsa2048Sign, SignatureScheme::kPss}}) {
      const Material material = MaterialFor(algorithm);
      const KeyRef key = Imported(algorithm, wrapping, material.bytes);
      EXPECT_EQ(key.wrapped->public_key, material.public_key);
      const auto signature =
          token_->Execute(ToSign(key, scheme, Hash::kSha256, "message"));
      ASSERT_OK(signature);
      EXPECT_TRUE(VerifiesMessage(ParsePublic(material.public_key), scheme,
                                  Hash::kSha256, "message",
                                  signature->signature));
    }
  }
}

TEST_F(ImportWrappedTest, WrongMaterialGivesNothing) {
  for (const WrappingAlgorithm wrapping : kWrappings) {
    ImportKeyRequest request =
        ToImport(Algorithm::kXaes256Gcm, wrapping, RandomOf(31));
    request.store_wrapping_key = store_by_.locator;
    EXPECT_ERROR(token_->Execute(request), kInvalidCiphertext);
    request = ToImport(Algorithm::kXaes256Gcm, wrapping, RandomOf(32));
    request.store_wrapping_key = store_by_.locator;
    request.wrapped.front() ^= 1;
    EXPECT_ERROR(token_->Execute(request), kInvalidCiphertext);
  }
  EXPECT_EQ(Objects(), 1U);
}

TEST_F(ImportWrappedTest, OnlyAWrappingKeyOfTheTokenStores) {
  ImportKeyRequest request = ToImport(
      Algorithm::kXaes256Gcm, WrappingAlgorithm::kOaepSha1, RandomOf(32));
  request.store_wrapping_key = NewKey().locator;
  EXPECT_ERROR(token_->Execute(request), kNotFound);
  request.store_wrapping_key = Made().locator;
  EXPECT_FALSE(token_->Execute(request).has_value());
  request = ToImport(Algorithm::kEd25519Sign, WrappingAlgorithm::kRsaAesSha256,
                     MaterialFor(Algorithm::kEd25519Sign).bytes);
  request.store_wrapping_key = store_by_.locator;
  EXPECT_ERROR(token_->Execute(request), kUnsupportedOperation);
}

TEST_F(ImportWrappedTest, ThePairTellsNobodyWhatComes) {
  RsaDecryptRequest request;
  request.key = wrapping_.key;
  request.ciphertext = base::Bytes(256, 1);
  EXPECT_ERROR(token_->Execute(request), kInvalidArgument);
  const auto checked = token_->Execute(CheckKeyRequest{wrapping_.key});
  ASSERT_OK(checked);
  EXPECT_EQ(checked->check_value, wrapping_.key.wrapped->check_value);
}

}  // namespace
}  // namespace hsm::token
