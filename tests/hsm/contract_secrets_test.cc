// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <string>

#include "hsm/token/mac.h"
#include "tests/hsm/contract_fixture.h"

// Secret keys: what encrypts, and what makes MACs.
namespace hsm::token {
namespace {

class ContractCiphertextsTest : public ContractEncryptionTest {};
CLAVIGER_CONTRACT(ContractCiphertextsTest);
class ContractSecretsTest : public ContractTest {};
CLAVIGER_CONTRACT(ContractSecretsTest);

TEST_P(ContractCiphertextsTest, DecryptsWhatItEncryptedAlsoInTheNextProcess) {
  for (const Algorithm algorithm : Those(KeyUse::kEncrypt)) {
    const KeyRef key = Made(algorithm);
    for (const std::string& text : {std::string(), std::string("secret"),
                                    std::string(kMaxPlaintext, 'x')}) {
      const Sealed sealed = Encrypted(key, text, 1 + text.size());
      EXPECT_EQ(sealed.ciphertext.size(), text.size() + kTagSize);
      Reopen();
      const auto opened = token_->Execute(ToDecrypt(key, sealed));
      ASSERT_OK(opened);
      EXPECT_EQ(opened->plaintext.RevealText(), text);
    }
    EXPECT_ERROR(
        token_->Execute(ToEncrypt(key, std::string(kMaxPlaintext + 1, 'x'))),
        kInvalidArgument);
  }
}

TEST_P(ContractCiphertextsTest, WhatIsChangedIsInvalidCiphertext) {
  for (const Algorithm algorithm : Those(KeyUse::kEncrypt)) {
    const KeyRef key = Made(algorithm);
    const Sealed sealed = Encrypted(key, "secret", 7);
    for (std::size_t i = 0; i < sealed.ciphertext.size(); ++i) {
      Sealed forged = sealed;
      forged.ciphertext[i] ^= 1;
      EXPECT_ERROR(token_->Execute(ToDecrypt(key, forged)), kInvalidCiphertext);
      forged.ciphertext.resize(i);
      EXPECT_ERROR(token_->Execute(ToDecrypt(key, forged)), kInvalidCiphertext);
    }
    Sealed longer = sealed;
    longer.ciphertext.push_back(0);
    EXPECT_ERROR(token_->Execute(ToDecrypt(key, longer)), kInvalidCiphertext);
    Sealed elsewhere = sealed;
    elsewhere.nonce.back() ^= 1;
    EXPECT_ERROR(token_->Execute(ToDecrypt(key, elsewhere)),
                 kInvalidCiphertext);
    DecryptRequest other = ToDecrypt(key, sealed);
    other.aad[31] ^= 1;
    EXPECT_ERROR(token_->Execute(other), kInvalidCiphertext);
    EXPECT_ERROR(token_->Execute(ToDecrypt(Made(algorithm), sealed)),
                 kInvalidCiphertext);
    ASSERT_OK(token_->Execute(ToDecrypt(key, sealed)));
  }
}

TEST_P(ContractCiphertextsTest, TwoCiphertextsOfOneMessageDiffer) {
  const KeyRef key = Made();
  const Sealed one = Encrypted(key, "secret");
  const Sealed other = Encrypted(key, "secret");
  EXPECT_NE(one.nonce, other.nonce);
  EXPECT_NE(one.ciphertext, other.ciphertext);
}

TEST_P(ContractCiphertextsTest, DataKeysAreRandomAndOpen) {
  const KeyRef key = Made();
  const auto request = [&](std::uint16_t size, bool want) {
    return GenerateDataKeyRequest{.key = key,
                                  .counter = 1,
                                  .aad = SomeAad(),
                                  .size = size,
                                  .want_plaintext = want};
  };
  const auto shown = token_->Execute(request(32, true));
  ASSERT_OK(shown);
  EXPECT_EQ(shown->plaintext.size(), 32U);
  const auto opened = token_->Execute(ToDecrypt(key, shown->sealed));
  ASSERT_OK(opened);
  EXPECT_EQ(opened->plaintext.RevealText(), shown->plaintext.RevealText());
  const auto hidden = token_->Execute(request(1024, false));
  ASSERT_OK(hidden);
  EXPECT_TRUE(hidden->plaintext.empty());
  const auto found = token_->Execute(ToDecrypt(key, hidden->sealed));
  ASSERT_OK(found);
  EXPECT_EQ(found->plaintext.size(), 1024U);
  for (const auto size : {std::uint16_t{0}, std::uint16_t{1025}}) {
    EXPECT_ERROR(token_->Execute(request(size, true)), kInvalidArgument);
  }
}

TEST_P(ContractSecretsTest, RandomBytesAreOfTheAskedLengthAndDiffer) {
  for (const auto size : {std::uint16_t{16}, std::uint16_t{1024}}) {
    const auto one = token_->Execute(RandomRequest{size});
    const auto other = token_->Execute(RandomRequest{size});
    ASSERT_OK(one);
    ASSERT_OK(other);
    EXPECT_EQ(one->plaintext.size(), size);
    EXPECT_NE(one->plaintext.RevealText(), other->plaintext.RevealText());
  }
  for (const auto size : {std::uint16_t{0}, std::uint16_t{1025}}) {
    EXPECT_ERROR(token_->Execute(RandomRequest{size}), kInvalidArgument);
  }
}

TEST_P(ContractCiphertextsTest, ReEncryptsFromOneKeyToAnother) {
  const KeyRef from = Made();
  const KeyRef to = Made(Algorithm::kAes256GcmCounter);
  ReEncryptRequest request;
  request.from = from;
  request.from_aad = SomeAad();
  request.sealed = Encrypted(from, "secret");
  request.to = to;
  request.counter = 9;
  request.to_aad = SomeAad();
  const auto sealed = token_->Execute(request);
  ASSERT_OK(sealed);
  const auto opened = token_->Execute(ToDecrypt(to, *sealed));
  ASSERT_OK(opened);
  EXPECT_EQ(opened->plaintext.RevealText(), "secret");
  request.from_aad[0] ^= 1;
  EXPECT_ERROR(token_->Execute(request), kInvalidCiphertext);
}

TEST_P(ContractCiphertextsTest, DataKeyPairsAreSealedAndFitTheirPublicKey) {
  const KeyRef key = Made();
  const auto made = token_->Execute(
      GenerateDataKeyPairRequest{.key = key,
                                 .counter = 1,
                                 .aad = SomeAad(),
                                 .pair = Algorithm::kSecp256k1Sign,
                                 .want_plaintext = true});
  ASSERT_OK(made);
  const auto opened = token_->Execute(ToDecrypt(key, made->sealed));
  ASSERT_OK(opened);
  EXPECT_EQ(opened->plaintext.RevealText(), made->private_key.RevealText());
  const auto der = opened->plaintext.Reveal();
  const unsigned char* at = der.data();
  const PkeyOwner own(
      d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
  ASSERT_NE(own, nullptr);
  EXPECT_EQ(DerOf(own), made->public_key);
}

const EVP_MD* DigestFor(Algorithm algorithm) {
  return algorithm == Algorithm::kHmacSha224   ? EVP_sha224()
         : algorithm == Algorithm::kHmacSha256 ? EVP_sha256()
         : algorithm == Algorithm::kHmacSha384 ? EVP_sha384()
                                               : EVP_sha512();
}

MacRequest ToMac(const KeyRef& key, std::string_view message) {
  MacRequest request;
  request.key = key;
  request.message = base::Secret::CopyOf(message);
  return request;
}

TEST_P(ContractSecretsTest, ImportedMacKeysMakeTheMacsOfOpenssl) {
  const auto [wrapping, public_key] = MadeOf(Algorithm::kRsa2048Unwrap);
  for (const Algorithm algorithm : Those(KeyUse::kMac)) {
    const base::Bytes material = MaterialFor(algorithm).bytes;
    // A token that pads what it wraps imports only multiples of 8 bytes inside.
    const KeyRef key = NewKey(algorithm);
    const auto imported = token_->Execute(ImportKeyRequest{
        .key = key,
        .wrapping_key = wrapping,
        .wrapping = WrappingAlgorithm::kRsaAesSha256,
        .wrapped =
            Wrapped(public_key, WrappingAlgorithm::kRsaAesSha256, material)});
    ASSERT_OK(imported);
    base::Bytes expected(EVP_MAX_MD_SIZE);
    unsigned size = 0;
    const std::string message = "message";
    ASSERT_NE(HMAC(DigestFor(algorithm), material.data(),
                   static_cast<int>(material.size()),
                   reinterpret_cast<const unsigned char*>(message.data()),
                   message.size(), expected.data(), &size),
              nullptr);
    expected.resize(size);
    const auto mac = token_->Execute(ToMac(key, message));
    ASSERT_OK(mac);
    EXPECT_EQ(mac->mac, expected);
  }
}

TEST_P(ContractSecretsTest, MacsStayTheSameAlsoInTheNextProcess) {
  for (const Algorithm algorithm : Those(KeyUse::kMac)) {
    const KeyRef key = Made(algorithm);
    const auto mac = token_->Execute(ToMac(key, "message"));
    ASSERT_OK(mac);
    EXPECT_EQ(mac->mac.size(), FindMac(algorithm)->mac_size);
    Reopen();
    const auto again = token_->Execute(ToMac(key, "message"));
    ASSERT_OK(again);
    EXPECT_EQ(again->mac, mac->mac);
    const auto other = token_->Execute(ToMac(key, "another"));
    ASSERT_OK(other);
    EXPECT_NE(other->mac, mac->mac);
    EXPECT_ERROR(token_->Execute(ToMac(key, "")), kInvalidArgument);
  }
}

}  // namespace
}  // namespace hsm::token
