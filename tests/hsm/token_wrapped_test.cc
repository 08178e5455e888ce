// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hsm/token/attributes.h"
#include "hsm/token/connection.h"
#include "hsm/token/module.h"
#include "hsm/token/session.h"
#include "hsm/token/wrapped_keys.h"
#include "tests/hsm/wrapped_fixture.h"

// The placement `wrapped`, on SoftHSM: keys that are no objects of the token.
namespace hsm::token {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

TEST_F(WrappedTest, ASymmetricKeyWorksAndIsNotOnTheToken) {
  for (const Algorithm algorithm :
       {Algorithm::kXaes256Gcm, Algorithm::kAes256GcmCounter}) {
    const KeyRef key = Wrapped(algorithm);
    const Sealed sealed = Encrypted(key, "text");
    Reopen();
    const auto opened = token_->Execute(ToDecrypt(key, sealed));
    ASSERT_OK(opened);
    EXPECT_EQ(base::AsText(opened->plaintext.Reveal()), "text");
    const auto checked = token_->Execute(CheckKeyRequest{key});
    ASSERT_OK(checked);
    EXPECT_EQ(checked->check_value, key.wrapped->check_value);
  }
  EXPECT_THAT(IdsOnToken(),
              UnorderedElementsAre(base::HexEncode(wrapping_.locator.bytes)));
}

TEST_F(WrappedTest, AMacKeyMakesTheSameMacInTheNextProcess) {
  for (const Algorithm algorithm :
       {Algorithm::kHmacSha224, Algorithm::kHmacSha256, Algorithm::kHmacSha384,
        Algorithm::kHmacSha512}) {
    const MacRequest request{.key = Wrapped(algorithm),
                             .message = base::Secret::CopyOf("message")};
    const auto mac = token_->Execute(request);
    ASSERT_OK(mac);
    Reopen();
    const auto again = token_->Execute(request);
    ASSERT_OK(again);
    EXPECT_EQ(again->mac, mac->mac);
  }
}

TEST_F(WrappedTest, CurvesSignAsTheirPublicKeySays) {
  for (const Algorithm algorithm :
       {Algorithm::kP256Sign, Algorithm::kP384Sign, Algorithm::kP521Sign,
        Algorithm::kSecp256k1Sign}) {
    const KeyRef key = Wrapped(algorithm);
    Reopen();
    const auto signature = Signed(key, SignatureScheme::kEcdsa);
    ASSERT_OK(signature);
    EXPECT_TRUE(VerifiesMessage(ParsePublic(key.wrapped->public_key),
                                SignatureScheme::kEcdsa, Hash::kSha256,
                                "message", signature->signature));
  }
}

TEST_F(WrappedTest, RsaSignsAndDecrypts) {
  const KeyRef signs = Wrapped(Algorithm::kRsa2048Sign);
  const auto signature = Signed(signs, SignatureScheme::kPss);
  ASSERT_OK(signature);
  EXPECT_TRUE(VerifiesMessage(ParsePublic(signs.wrapped->public_key),
                              SignatureScheme::kPss, Hash::kSha256, "message",
                              signature->signature));
  ASSERT_OK(Signed(Wrapped(Algorithm::kRsa4096Sign), SignatureScheme::kPss));
  const KeyRef decrypts = Wrapped(Algorithm::kRsa2048Decrypt);
  EXPECT_ERROR(Signed(decrypts, SignatureScheme::kPss), kInvalidArgument);
  RsaDecryptRequest request;
  request.key = decrypts;
  request.ciphertext = base::Bytes(256, 1);
  EXPECT_ERROR(token_->Execute(request), kInvalidCiphertext);
}

TEST_F(WrappedTest, CurvesAgree) {
  const KeyRef ours = Wrapped(Algorithm::kP384Agree);
  const KeyRef theirs = Wrapped(Algorithm::kP384Agree);
  const auto one = token_->Execute(
      AgreeRequest{.key = ours, .public_key = theirs.wrapped->public_key});
  const auto other = token_->Execute(
      AgreeRequest{.key = theirs, .public_key = ours.wrapped->public_key});
  ASSERT_OK(one);
  ASSERT_OK(other);
  EXPECT_TRUE(base::ConstantTimeEqual(one->plaintext.Reveal(),
                                      other->plaintext.Reveal()));
}

// SoftHSM cannot wrap them.
TEST_F(WrappedTest, EdwardsKeysAreRefused) {
  EXPECT_ERROR(token_->Execute(GenerateWrappedKeyRequest{
                   NewKey(Algorithm::kEd25519Sign), wrapping_.locator}),
               kUnsupportedOperation);
}

TEST_F(WrappedTest, KeysThatWrapOthersAreNotWrapped) {
  EXPECT_ERROR(token_->Execute(GenerateWrappedKeyRequest{
                   NewKey(Algorithm::kAesWrap), wrapping_.locator}),
               kInvalidArgument);
}

// Whoever can write to the store can give a key the bytes of another, which
// the same wrapping key has made.
TEST_F(WrappedTest, SwappedRowsAreNoticed) {
  for (const Algorithm algorithm :
       {Algorithm::kXaes256Gcm, Algorithm::kHmacSha256, Algorithm::kP256Sign,
        Algorithm::kP256Agree, Algorithm::kRsa2048Sign}) {
    const KeyRef one = Wrapped(algorithm);
    const KeyRef other = Wrapped(algorithm);
    const KeyRef swapped = Changed(one, [&](WrappedKey& wrapped) {
      wrapped.bytes = other.wrapped->bytes;
    });
    EXPECT_ERROR(token_->Execute(CheckKeyRequest{swapped}), kCorrupt);
    const KeyRef with_public_key = Changed(one, [&](WrappedKey& wrapped) {
      wrapped.bytes = other.wrapped->bytes;
      wrapped.public_key = other.wrapped->public_key;
    });
    EXPECT_ERROR(token_->Execute(CheckKeyRequest{with_public_key}), kCorrupt);
    ASSERT_OK(token_->Execute(CheckKeyRequest{one}));
  }
}

TEST_F(WrappedTest, DamagedBytesAreNoticedAndTheTokenLives) {
  const KeyRef key = Wrapped(Algorithm::kXaes256Gcm);
  for (std::size_t i = 0; i < key.wrapped->bytes.size(); i += 7) {
    const KeyRef damaged =
        Changed(key, [i](WrappedKey& wrapped) { wrapped.bytes[i] ^= 0x20; });
    EXPECT_ERROR(token_->Execute(ToEncrypt(damaged, "text")), kCorrupt);
  }
  for (const std::size_t size : {0, 1, 8, 39, 4096}) {
    const KeyRef damaged = Changed(
        key, [size](WrappedKey& wrapped) { wrapped.bytes.resize(size); });
    EXPECT_ERROR(token_->Execute(ToEncrypt(damaged, "text")), kCorrupt);
  }
  Encrypted(key, "text");
}

TEST_F(WrappedTest, OnlyItsWrappingKeyUnwrapsAKey) {
  const KeyRef key = Wrapped(Algorithm::kXaes256Gcm);
  const KeyRef another = Made(Algorithm::kAesWrap);
  const KeyRef by_another = Changed(key, [&](WrappedKey& wrapped) {
    wrapped.wrapping_key = another.locator;
  });
  EXPECT_ERROR(token_->Execute(ToEncrypt(by_another, "text")), kCorrupt);
  const KeyRef by_none = Changed(key, [](WrappedKey& wrapped) {
    wrapped.wrapping_key = NewKey().locator;
  });
  EXPECT_ERROR(token_->Execute(ToEncrypt(by_none, "text")), kNotFound);
}

TEST_F(WrappedTest, ACustomersKeyWrapsNothing) {
  const KeyRef resident = Made();
  const auto made = token_->Execute(GenerateWrappedKeyRequest{
      NewKey(Algorithm::kXaes256Gcm), resident.locator});
  EXPECT_FALSE(made.has_value());
}

TEST_F(WrappedTest, TheWrappingKeyDoesNothingElse) {
  EXPECT_ERROR(token_->Execute(ToEncrypt(wrapping_, "text")), kInvalidArgument);
  KeyRef lie = wrapping_;
  for (const Algorithm algorithm :
       {Algorithm::kXaes256Gcm, Algorithm::kAes256GcmCounter}) {
    lie.algorithm = algorithm;
    EXPECT_FALSE(token_->Execute(ToEncrypt(lie, "text")).has_value());
  }
}

TEST_F(WrappedTest, TheCheckValueNamesTheWrappingKey) {
  const auto one = token_->Execute(CheckKeyRequest{wrapping_});
  ASSERT_OK(one);
  Reopen();
  const auto again = token_->Execute(CheckKeyRequest{wrapping_});
  ASSERT_OK(again);
  EXPECT_EQ(again->check_value, one->check_value);
  const auto another =
      token_->Execute(CheckKeyRequest{Made(Algorithm::kAesWrap)});
  ASSERT_OK(another);
  EXPECT_NE(another->check_value, one->check_value);
}

// A request that was on its way when its key's deletion was acknowledged.
TEST_F(WrappedTest, AnEvictedKeyDoesNotComeBack) {
  const KeyRef key = Wrapped(Algorithm::kXaes256Gcm);
  const Sealed sealed = Encrypted(key, "text");
  ASSERT_OK(token_->Execute(EvictKeyRequest{key.locator}));
  EXPECT_ERROR(token_->Execute(ToDecrypt(key, sealed)), kNotFound);
  EXPECT_ERROR(token_->Execute(CheckKeyRequest{key}), kNotFound);
}

// Whoever asks can give any locator to any wrapped key; what is remembered of
// one must not be used for another.
TEST_F(WrappedTest, ALieAboutALocatorOutlivesNobody) {
  const KeyRef one = Wrapped(Algorithm::kXaes256Gcm);
  const KeyRef other = Wrapped(Algorithm::kXaes256Gcm);
  const Sealed before = Encrypted(one, "text");
  KeyRef lie = other;
  lie.locator = one.locator;
  Encrypted(lie, "text");
  EXPECT_ERROR(token_->Execute(ToDecrypt(lie, before)), kInvalidCiphertext);
  const Sealed after = Encrypted(one, "text");
  ASSERT_OK(token_->Execute(ToDecrypt(one, before)));
  Reopen();
  ASSERT_OK(token_->Execute(ToDecrypt(one, after)));
}

TEST_F(WrappedTest, NorAboutThatOfAnObjectOfTheToken) {
  KeyRef lie = Wrapped(Algorithm::kXaes256Gcm);
  Encrypted(lie, "text");
  // The object comes later, and has the same locator.
  const KeyRef resident{.locator = lie.locator,
                        .algorithm = Algorithm::kXaes256Gcm};
  ASSERT_OK(token_->Execute(GenerateKeyRequest{resident}));
  EXPECT_ERROR(token_->Execute(ToEncrypt(lie, "text")), kInvalidArgument);
  const Sealed sealed = Encrypted(resident, "text");
  Reopen();
  ASSERT_OK(token_->Execute(ToDecrypt(resident, sealed)));
}

// What customers import is wrapped under pairs that never decrypt, whatever
// they are called, and whatever else is called so.
TEST_F(WrappedTest, AWrappedKeyDoesNotSpeakForAnImportPair) {
  const KeyRef pair = MadeOf(Algorithm::kRsa2048Unwrap).key;
  KeyRef lie = Wrapped(Algorithm::kRsa2048Decrypt);
  lie.locator = pair.locator;
  RsaDecryptRequest request;
  request.ciphertext = base::Bytes(256, 1);
  for (const bool is_open : {true, false}) {
    request.key = lie;
    EXPECT_ERROR(token_->Execute(request), kInvalidArgument);
    request.key = {.locator = pair.locator,
                   .algorithm = Algorithm::kRsa2048Decrypt};
    EXPECT_ERROR(token_->Execute(request), kInvalidArgument);
    if (is_open) {
      Reopen();
    }
  }
}

// How many objects this process has on the token beside those that are kept.
std::size_t CountSessionObjects() {
  // The token's own copy of the module: it is not initialised again.
  const auto module = Module::Load(fakes::SoftHsmToken::ModulePath());
  EXPECT_TRUE(module.has_value());
  const auto slot = module->FindSlot("pkcs11:token=test");
  EXPECT_TRUE(slot.has_value());
  auto session = Session::Open(module->functions(), slot->id);
  EXPECT_TRUE(session.has_value());
  const auto found = session->FindObjects(Template().Set(CKA_TOKEN, false));
  EXPECT_TRUE(found.ok());
  return found.value.size();
}

// One after the other takes the place of the one unused for longest, which
// leaves the token's memory.
TEST_F(WrappedTest, MoreKeysThanAreKeptUnwrapped) {
  const KeyRef key = Wrapped(Algorithm::kXaes256Gcm);
  const Sealed sealed = Encrypted(key, "text");
  const auto unwrap = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const KeyRef twin = Changed(key, [](WrappedKey&) {});
      ASSERT_OK(token_->Execute(CheckKeyRequest{twin}));
    }
  };
  unwrap(WrappedKeys::kMaxUnwrapped);
  const std::size_t most = CountSessionObjects();
  EXPECT_GE(most, WrappedKeys::kMaxUnwrapped);
  unwrap(100);
  EXPECT_EQ(CountSessionObjects(), most);
  ASSERT_OK(token_->Execute(ToDecrypt(key, sealed)));
}

// What whoever has the PIN can do to the wrapping key.
class WrappingObjectTest : public WrappedTest {
 protected:
  void SetUp() override {
    WrappedTest::SetUp();
    key_ = Wrapped(Algorithm::kXaes256Gcm);
    token_.reset();
    auto connection = Connection::Open(place_.Config());
    ASSERT_OK(connection);
    connection_ = *std::move(connection);
    const auto found = session().FindObjects(ObjectsWithId(wrapping_.locator));
    ASSERT_EQ(found.value.size(), 1U);
    object_ = found.value.front();
  }
  Session& session() { return connection_->sessions().anchor(); }

  std::unique_ptr<Connection> connection_;
  KeyRef key_;
  ObjectHandle object_{};
};

TEST_F(WrappingObjectTest, HasTheFewestPowers) {
  for (const auto& [type, value] :
       {std::pair{CKA_TOKEN, true}, std::pair{CKA_PRIVATE, true},
        std::pair{CKA_SENSITIVE, true}, std::pair{CKA_EXTRACTABLE, false},
        std::pair{CKA_WRAP, true}, std::pair{CKA_UNWRAP, true},
        std::pair{CKA_ENCRYPT, false}, std::pair{CKA_DECRYPT, false},
        std::pair{CKA_DERIVE, false}, std::pair{CKA_SIGN, false},
        std::pair{CKA_MODIFIABLE, false}, std::pair{CKA_COPYABLE, false}}) {
    const auto read = session().ReadAttribute(object_, type);
    ASSERT_TRUE(read.ok()) << type;
    EXPECT_EQ(read.value, (base::Bytes{static_cast<std::uint8_t>(value)}))
        << type;
  }
}

TEST_F(WrappingObjectTest, KeysAreNotUnwrappedReadable) {
  for (const CK_MECHANISM_TYPE mechanism :
       {CKM_AES_KEY_WRAP_PAD, CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP}) {
    for (const auto& [sensitive, extractable] :
         {std::pair{false, true}, std::pair{false, false},
          std::pair{true, true}}) {
      Template wanted = ReadableTemplate(32);
      wanted.Remove(CKA_VALUE_LEN)
          .Set(CKA_SENSITIVE, sensitive)
          .Set(CKA_EXTRACTABLE, extractable);
      const auto stolen = session().UnwrapKey({mechanism}, object_,
                                              key_.wrapped->bytes, wanted);
      EXPECT_FALSE(stolen.ok()) << mechanism;
    }
  }
}

TEST_F(WrappingObjectTest, IsNotBentIntoOneThatDecrypts) {
  EXPECT_FALSE(
      session()
          .CopyObject(object_,
                      Template().Set(CKA_TOKEN, false).Set(CKA_DECRYPT, true))
          .ok());
  EXPECT_FALSE(
      session().CopyObject(object_, Template().Set(CKA_TOKEN, false)).ok());
  EXPECT_FALSE(
      session().SetAttributes(object_, Template().Set(CKA_DECRYPT, true)).ok());
  EXPECT_FALSE(session()
                   .SetAttributes(object_, Template().Set(CKA_SENSITIVE, false))
                   .ok());
  EXPECT_EQ(session().ReadSecret(object_).value.size(), 0U);
}

TEST_F(WrappingObjectTest, IsNotWrappedItself) {
  const auto other = session().GenerateKey(
      CKM_AES_KEY_GEN,
      WrappingKeyTemplate(NewKey(Algorithm::kAesWrap), CKM_AES_KEY_WRAP_PAD,
                          AttributeSupport{})
          .Set(CKA_TOKEN, false)
          .Remove(CKA_MODIFIABLE));
  ASSERT_TRUE(other.ok());
  EXPECT_FALSE(
      session().WrapKey({CKM_AES_KEY_WRAP_PAD}, other.value, object_).ok());
}

}  // namespace
}  // namespace hsm::token
