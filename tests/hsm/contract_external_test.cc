// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <openssl/evp.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "base/hash.h"
#include "tests/hsm/contract_fixture.h"

// What is sealed for somebody outside (hsm/token/external_cipher.h), and
// OpenSSL to open it with.
namespace hsm::token {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

base::Bytes Joined(std::initializer_list<base::ByteView> parts) {
  base::Bytes all;
  for (const base::ByteView part : parts) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

base::Bytes BytesOf(std::string_view text) {
  return Joined({base::AsBytes(text)});
}

// The tag's AAD by the XKS proxy API: both, and how long they are.
base::Bytes BoundAad(const base::Bytes& aad, const base::Bytes& metadata) {
  const base::Bytes size = {static_cast<std::uint8_t>(aad.size() >> 8),
                            static_cast<std::uint8_t>(aad.size())};
  const base::Bytes small = {static_cast<std::uint8_t>(metadata.size())};
  return Joined({size, aad, small, metadata});
}

base::Bytes Cmac(const base::Bytes& key, base::ByteView block) {
  base::Bytes mac(16);
  std::size_t size = 0;
  EXPECT_NE(EVP_Q_mac(nullptr, "CMAC", nullptr, "AES-256-CBC", nullptr,
                      key.data(), key.size(), block.data(), block.size(),
                      mac.data(), mac.size(), &size),
            nullptr);
  return mac;
}

// https://c2sp.org/XAES-256-GCM
base::Bytes MessageKey(const base::Bytes& key, base::ByteView p12) {
  const base::Bytes one = {0, 1, 'X', 0};
  const base::Bytes two = {0, 2, 'X', 0};
  return Joined({Cmac(key, Joined({one, p12})), Cmac(key, Joined({two, p12}))});
}

// What AES-256-GCM of OpenSSL makes of it, or "wrong".
std::string Opened(const base::Bytes& key, const base::Bytes& aad,
                   const ExternalSealed& sealed) {
  const CipherContext context(EVP_CIPHER_CTX_new());
  base::Bytes tag = sealed.tag;
  std::string out(sealed.ciphertext.size(), '\0');
  int size = 0;
  auto* const bytes = reinterpret_cast<unsigned char*>(out.data());
  const bool right =
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(),
                         sealed.iv.data()) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, aad.data(),
                        static_cast<int>(aad.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), bytes, &size, sealed.ciphertext.data(),
                        static_cast<int>(sealed.ciphertext.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG,
                          static_cast<int>(tag.size()), tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), bytes + size, &size) == 1;
  return right ? out : "wrong";
}

class ContractExternalTest : public ContractEncryptionTest {
 protected:
  // A key of which OpenSSL has the value.
  KeyRef Known(Algorithm algorithm, const base::Bytes& value) {
    const auto [wrapping, public_key] = MadeOf(Algorithm::kRsa2048Unwrap);
    KeyRef key = NewKey(algorithm);
    EXPECT_TRUE(token_
                    ->Execute(ImportKeyRequest{
                        .key = key,
                        .wrapping_key = wrapping,
                        .wrapping = WrappingAlgorithm::kOaepSha256,
                        .wrapped = Wrapped(
                            public_key, WrappingAlgorithm::kOaepSha256, value)})
                    .has_value());
    return key;
  }

  static SealExternalRequest ToSeal(const KeyRef& key, std::string_view aad,
                                    std::string_view text,
                                    bool want_integrity = false) {
    return {.key = key,
            .version = 0x01020304,
            .aad = BytesOf(aad),
            .plaintext = base::Secret::CopyOf(text),
            .want_integrity = want_integrity};
  }

  ExternalSealed SealedFor(const KeyRef& key, std::string_view aad,
                           std::string_view text) {
    auto reply = token_->Execute(ToSeal(key, aad, text));
    EXPECT_TRUE(reply.has_value()) << reply.error().message;
    return reply.value_or(SealExternalReply()).sealed;
  }

  base::Result<PlaintextReply> Open(const KeyRef& key, std::string_view aad,
                                    ExternalSealed sealed) {
    return token_->Execute(OpenExternalRequest{
        .key = key, .aad = BytesOf(aad), .sealed = std::move(sealed)});
  }
};
CLAVIGER_CONTRACT(ContractExternalTest);

TEST_P(ContractExternalTest, FormatOneIsPlainGcmThatOpensslOpens) {
  const base::Bytes value = RandomOf(32);
  const KeyRef key = Known(Algorithm::kAes256GcmCounter, value);
  const ExternalSealed sealed = SealedFor(key, "aad", "secret");
  EXPECT_EQ(sealed.metadata, (base::Bytes{1, 1, 2, 3, 4}));
  EXPECT_THAT(sealed.iv, SizeIs(12));
  EXPECT_THAT(sealed.tag, SizeIs(kTagSize));
  EXPECT_EQ(Opened(value, BoundAad(BytesOf("aad"), sealed.metadata), sealed),
            "secret");
}

TEST_P(ContractExternalTest, FormatThreeIsXaesThatOpensslOpens) {
  const base::Bytes value = RandomOf(32);
  const KeyRef key = Known(Algorithm::kXaes256Gcm, value);
  const ExternalSealed sealed = SealedFor(key, "aad", "secret");
  ASSERT_THAT(sealed.metadata, SizeIs(17));
  EXPECT_EQ(base::Bytes(sealed.metadata.begin(), sealed.metadata.begin() + 5),
            (base::Bytes{3, 1, 2, 3, 4}));
  EXPECT_THAT(sealed.iv, SizeIs(12));
  const base::Bytes message_key =
      MessageKey(value, base::ByteView(sealed.metadata).last(12));
  EXPECT_EQ(
      Opened(message_key, BoundAad(BytesOf("aad"), sealed.metadata), sealed),
      "secret");
}

TEST_P(ContractExternalTest, OpensWhatItSealedAlsoInTheNextProcess) {
  for (const Algorithm algorithm : Those(KeyUse::kEncrypt)) {
    const KeyRef key = Made(algorithm);
    for (const auto& [aad, text] : {std::pair<std::string, std::string>{"", ""},
                                    {"aad", "secret"},
                                    {std::string(kMaxExternalAad, 'a'),
                                     std::string(kMaxPlaintext, 'x')}}) {
      const ExternalSealed sealed = SealedFor(key, aad, text);
      EXPECT_THAT(sealed.ciphertext, SizeIs(text.size()));
      Reopen();
      const auto opened = Open(key, aad, sealed);
      ASSERT_OK(opened);
      EXPECT_EQ(opened->plaintext.RevealText(), text);
    }
  }
}

TEST_P(ContractExternalTest, IvsAreNeverTheSame) {
  for (const Algorithm algorithm : Those(KeyUse::kEncrypt)) {
    const KeyRef key = Made(algorithm);
    const ExternalSealed one = SealedFor(key, "aad", "secret");
    const ExternalSealed other = SealedFor(key, "aad", "secret");
    EXPECT_NE(one.iv, other.iv);
    EXPECT_NE(one.ciphertext, other.ciphertext);
    EXPECT_NE(one.iv, base::Bytes(12));
  }
}

TEST_P(ContractExternalTest, EveryPartIsBound) {
  const auto parts = {&ExternalSealed::metadata, &ExternalSealed::iv,
                      &ExternalSealed::ciphertext, &ExternalSealed::tag};
  for (const Algorithm algorithm : Those(KeyUse::kEncrypt)) {
    const KeyRef key = Made(algorithm);
    const ExternalSealed sealed = SealedFor(key, "aad", "secret");
    for (const auto part : parts) {
      for (std::size_t i = 0; i < (sealed.*part).size(); ++i) {
        ExternalSealed forged = sealed;
        (forged.*part)[i] ^= 1;
        EXPECT_ERROR(Open(key, "aad", forged), kInvalidCiphertext);
        forged = sealed;
        (forged.*part).resize(i);
        EXPECT_ERROR(Open(key, "aad", forged), kInvalidCiphertext);
      }
      ExternalSealed longer = sealed;
      (longer.*part).push_back(0);
      EXPECT_ERROR(Open(key, "aad", longer), kInvalidCiphertext);
    }
    for (const char* aad : {"", "aa", "aae", "aadd"}) {
      EXPECT_ERROR(Open(key, aad, sealed), kInvalidCiphertext);
    }
    EXPECT_ERROR(Open(Made(algorithm), "aad", sealed), kInvalidCiphertext);
    ASSERT_OK(Open(key, "aad", sealed));
  }
}

// Bytes do not wander between the AAD and the metadata.
TEST_P(ContractExternalTest, BoundaryOfAadAndMetadataIsBound) {
  for (const Algorithm algorithm : Those(KeyUse::kEncrypt)) {
    const KeyRef key = Made(algorithm);
    const ExternalSealed sealed = SealedFor(key, "", "secret");
    ExternalSealed moved = sealed;
    moved.metadata.clear();
    EXPECT_ERROR(Open(key, base::AsText(sealed.metadata), moved),
                 kInvalidCiphertext);
    // The same bytes after each other, cut elsewhere, and good metadata.
    const ExternalSealed with = SealedFor(key, "x", "secret");
    const base::Bytes in_aad =
        Joined({base::AsBytes(std::string_view("x")), with.metadata});
    EXPECT_ERROR(Open(key, base::AsText(in_aad), with), kInvalidCiphertext);
    EXPECT_ERROR(Open(key, "", with), kInvalidCiphertext);
    ASSERT_OK(Open(key, "x", with));
  }
}

TEST_P(ContractExternalTest, FormatsAreNotTakenForEachOther) {
  const base::Bytes value = RandomOf(32);
  const KeyRef plain = Known(Algorithm::kAes256GcmCounter, value);
  const KeyRef derived = Known(Algorithm::kXaes256Gcm, value);
  EXPECT_ERROR(Open(derived, "aad", SealedFor(plain, "aad", "secret")),
               kInvalidCiphertext);
  EXPECT_ERROR(Open(plain, "aad", SealedFor(derived, "aad", "secret")),
               kInvalidCiphertext);
}

TEST_P(ContractExternalTest, IntegrityIsThatOfTheBytesThatLeave) {
  for (const Algorithm algorithm : Those(KeyUse::kEncrypt)) {
    const KeyRef key = Made(algorithm);
    const auto without = token_->Execute(ToSeal(key, "aad", "secret"));
    ASSERT_OK(without);
    EXPECT_THAT(without->integrity, IsEmpty());
    const auto with = token_->Execute(ToSeal(key, "aad", "secret", true));
    ASSERT_OK(with);
    const ExternalSealed& sealed = with->sealed;
    const base::Digest digest = base::ThreadHasher().Sha256(
        Joined({base::AsBytes(std::string_view("aad")), sealed.metadata,
                sealed.iv, sealed.ciphertext, sealed.tag}));
    EXPECT_EQ(with->integrity, base::Bytes(digest.begin(), digest.end()));
    ASSERT_OK(Open(key, "aad", sealed));
  }
}

TEST_P(ContractExternalTest, SizesAreLimited) {
  for (const Algorithm algorithm : Those(KeyUse::kEncrypt)) {
    const KeyRef key = Made(algorithm);
    EXPECT_ERROR(token_->Execute(ToSeal(
                     key, std::string(kMaxExternalAad + 1, 'a'), "secret")),
                 kInvalidArgument);
    EXPECT_ERROR(token_->Execute(
                     ToSeal(key, "aad", std::string(kMaxPlaintext + 1, 'x'))),
                 kInvalidArgument);
    const ExternalSealed sealed = SealedFor(key, "aad", "secret");
    EXPECT_ERROR(Open(key, std::string(kMaxExternalAad + 1, 'a'), sealed),
                 kInvalidCiphertext);
    ExternalSealed large = sealed;
    large.ciphertext.resize(kMaxPlaintext + 1);
    EXPECT_ERROR(Open(key, "aad", large), kInvalidCiphertext);
    ExternalSealed other_iv = sealed;
    other_iv.iv.resize(16);
    EXPECT_ERROR(Open(key, "aad", other_iv), kInvalidCiphertext);
  }
}

TEST_P(ContractExternalTest, OnlyKeysThatEncryptDoSo) {
  const KeyRef mac = Made(Algorithm::kHmacSha256);
  EXPECT_ERROR(token_->Execute(ToSeal(mac, "aad", "secret")), kInvalidArgument);
  EXPECT_ERROR(Open(mac, "aad", {}), kInvalidArgument);
  const KeyRef unknown = NewKey();
  EXPECT_ERROR(token_->Execute(ToSeal(unknown, "aad", "secret")), kNotFound);
}

}  // namespace
}  // namespace hsm::token
