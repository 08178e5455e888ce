// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <string>
#include <utility>

#include "hsm/algorithms.h"
#include "hsm/token/attributes.h"
#include "hsm/token/connection.h"
#include "tests/hsm/wrapped_fixture.h"

// Wrapped keys that become objects of the token, on SoftHSM.
namespace hsm::token {
namespace {

class KeepTest : public WrappedTest {
 protected:
  base::Status Keep(const KeyRef& key, const Locator& locator) {
    RETURN_IF_ERROR(token_->Execute(KeepWrappedKeyRequest{key, locator}));
    return {};
  }
  // The same key as an object of the token.
  KeyRef Kept(const KeyRef& key) {
    KeyRef kept = NewKey(key.algorithm);
    EXPECT_TRUE(Keep(key, kept.locator).has_value());
    return kept;
  }
  static std::string IdOf(const KeyRef& key) {
    return base::HexEncode(key.locator.bytes);
  }
  void ExpectOnTokenNothingBut(const std::vector<KeyRef>& keys) {
    std::vector<std::string> ids = {IdOf(wrapping_)};
    for (const KeyRef& key : keys) {
      ids.push_back(IdOf(key));
    }
    EXPECT_THAT(IdsOnToken(), testing::UnorderedElementsAreArray(ids));
  }
};

TEST_F(KeepTest, ASymmetricKeyOpensWhatItHasSealed) {
  for (const Algorithm algorithm :
       {Algorithm::kXaes256Gcm, Algorithm::kAes256GcmCounter}) {
    const KeyRef key = Wrapped(algorithm);
    const Sealed before = Encrypted(key, "text");
    const KeyRef kept = Kept(key);
    const auto opened = token_->Execute(ToDecrypt(kept, before));
    ASSERT_OK(opened);
    EXPECT_EQ(base::AsText(opened->plaintext.Reveal()), "text");
    const Sealed after = Encrypted(kept, "text");
    // Until it is evicted, the wrapped one is what it was.
    ASSERT_OK(token_->Execute(ToDecrypt(key, after)));
    ASSERT_OK(token_->Execute(EvictKeyRequest{key.locator}));
    EXPECT_ERROR(token_->Execute(ToDecrypt(key, after)), kNotFound);
    Reopen();
    ASSERT_OK(token_->Execute(ToDecrypt(kept, before)));
    ASSERT_OK(token_->Execute(ToDecrypt(kept, after)));
    const auto checked = token_->Execute(CheckKeyRequest{kept});
    ASSERT_OK(checked);
    EXPECT_EQ(checked->check_value, key.wrapped->check_value);
    ASSERT_OK(token_->Execute(DestroyKeyRequest{kept.locator}));
    ExpectOnTokenNothingBut({});
  }
}

TEST_F(KeepTest, AMacKeyMakesTheSameMac) {
  for (const Algorithm algorithm :
       {Algorithm::kHmacSha224, Algorithm::kHmacSha256, Algorithm::kHmacSha384,
        Algorithm::kHmacSha512}) {
    MacRequest request{.key = Wrapped(algorithm),
                       .message = base::Secret::CopyOf("message")};
    const auto before = token_->Execute(request);
    ASSERT_OK(before);
    request.key = Kept(request.key);
    Reopen();
    const auto after = token_->Execute(request);
    ASSERT_OK(after);
    EXPECT_EQ(after->mac, before->mac);
  }
}

TEST_F(KeepTest, PairsSignAsTheirPublicKeySays) {
  for (const auto& [algorithm, scheme] :
       {std::pair{Algorithm::kP256Sign, SignatureScheme::kEcdsa},
        std::pair{Algorithm::kP384Sign, SignatureScheme::kEcdsa},
        std::pair{Algorithm::kP521Sign, SignatureScheme::kEcdsa},
        std::pair{Algorithm::kSecp256k1Sign, SignatureScheme::kEcdsa},
        std::pair{Algorithm::kRsa2048Sign, SignatureScheme::kPss}}) {
    const KeyRef key = Wrapped(algorithm);
    const KeyRef kept = Kept(key);
    Reopen();
    const auto signature = Signed(kept, scheme);
    ASSERT_OK(signature);
    EXPECT_TRUE(VerifiesMessage(ParsePublic(key.wrapped->public_key), scheme,
                                Hash::kSha256, "message",
                                signature->signature));
  }
}

TEST_F(KeepTest, PairsAgreeAndDecrypt) {
  const KeyRef theirs = Wrapped(Algorithm::kP384Agree);
  AgreeRequest agree{.key = Wrapped(Algorithm::kP384Agree),
                     .public_key = theirs.wrapped->public_key};
  const auto before = token_->Execute(agree);
  ASSERT_OK(before);
  agree.key = Kept(agree.key);
  const auto after = token_->Execute(agree);
  ASSERT_OK(after);
  EXPECT_TRUE(base::ConstantTimeEqual(before->plaintext.Reveal(),
                                      after->plaintext.Reveal()));
  const KeyRef decrypts = Kept(Wrapped(Algorithm::kRsa2048Decrypt));
  RsaDecryptRequest request;
  request.key = decrypts;
  request.ciphertext = base::Bytes(256, 1);
  EXPECT_ERROR(token_->Execute(request), kInvalidCiphertext);
  EXPECT_ERROR(Signed(decrypts, SignatureScheme::kPss), kInvalidArgument);
}

TEST_F(KeepTest, WhatIsAnotherKeyOrDamagedLeavesNothing) {
  for (const Algorithm algorithm :
       {Algorithm::kXaes256Gcm, Algorithm::kHmacSha256, Algorithm::kP256Sign,
        Algorithm::kRsa2048Sign}) {
    const KeyRef key = Wrapped(algorithm);
    const KeyRef other = Wrapped(algorithm);
    const KeyRef swapped = Changed(key, [&](WrappedKey& wrapped) {
      wrapped.bytes = other.wrapped->bytes;
    });
    EXPECT_ERROR(Keep(swapped, NewKey().locator), kCorrupt);
    const KeyRef damaged =
        Changed(key, [](WrappedKey& wrapped) { wrapped.bytes[9] ^= 1; });
    EXPECT_ERROR(Keep(damaged, NewKey().locator), kCorrupt);
    const KeyRef by_none = Changed(key, [](WrappedKey& wrapped) {
      wrapped.wrapping_key = NewKey().locator;
    });
    EXPECT_ERROR(Keep(by_none, NewKey().locator), kNotFound);
    KeyRef as_another = key;
    as_another.algorithm = Algorithm::kHmacSha512;
    EXPECT_FALSE(Keep(as_another, NewKey().locator).has_value());
  }
  ExpectOnTokenNothingBut({});
}

TEST_F(KeepTest, ALocatorIsTakenOnce) {
  const KeyRef resident = Made();
  const KeyRef key = Wrapped(Algorithm::kXaes256Gcm);
  const Sealed sealed = Encrypted(key, "text");
  EXPECT_ERROR(Keep(key, resident.locator), kAlreadyExists);
  EXPECT_ERROR(Keep(key, key.locator), kInvalidArgument);
  EXPECT_ERROR(Keep(resident, NewKey().locator), kInvalidArgument);
  ExpectOnTokenNothingBut({resident});
  ASSERT_OK(token_->Execute(ToDecrypt(key, sealed)));
  Encrypted(resident, "text");
}

// Its deletion has been acknowledged.
TEST_F(KeepTest, AnEvictedKeyIsNotKept) {
  const KeyRef key = Wrapped(Algorithm::kXaes256Gcm);
  ASSERT_OK(token_->Execute(EvictKeyRequest{key.locator}));
  EXPECT_ERROR(Keep(key, NewKey().locator), kNotFound);
  ExpectOnTokenNothingBut({});
}

TEST_F(KeepTest, KeysThatGuardOthersAreNotKept) {
  KeyRef lie = Wrapped(Algorithm::kXaes256Gcm);
  for (const Algorithm algorithm :
       {Algorithm::kAesWrap, Algorithm::kRsa2048Unwrap}) {
    lie.algorithm = algorithm;
    EXPECT_ERROR(Keep(lie, NewKey().locator), kInvalidArgument);
  }
}

// But for CKA_COPYABLE, which SoftHSM does not forbid so late.
TEST_F(KeepTest, TheObjectIsWhatTheTokenWouldHaveMade) {
  for (const Algorithm algorithm :
       {Algorithm::kXaes256Gcm, Algorithm::kHmacSha256, Algorithm::kP256Sign,
        Algorithm::kRsa2048Sign}) {
    const bool is_pair = IsKeyPair(FindAlgorithm(algorithm)->kind);
    const KeyRef made = is_pair ? MadeOf(algorithm).key : Made(algorithm);
    const KeyRef kept = Kept(Wrapped(algorithm));
    token_.reset();
    auto connection = Connection::Open(place_.Config());
    ASSERT_OK(connection);
    Session& session = (*connection)->sessions().anchor();
    const auto read = [&](const KeyRef& key, CK_ATTRIBUTE_TYPE type) {
      const auto found = session.FindObjects(ObjectsWithId(key.locator));
      EXPECT_EQ(found.value.size(), 1U);
      return session.ReadAttribute(found.value.at(0), type).value;
    };
    for (const CK_ATTRIBUTE_TYPE type :
         {CKA_CLASS, CKA_KEY_TYPE, CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE,
          CKA_EXTRACTABLE, CKA_MODIFIABLE, CKA_LABEL, CKA_ENCRYPT, CKA_DECRYPT,
          CKA_SIGN, CKA_WRAP, CKA_UNWRAP, CKA_DERIVE, CKA_ALLOWED_MECHANISMS}) {
      EXPECT_EQ(read(kept, type), read(made, type)) << type;
    }
    connection->reset();
    Reopen();
  }
}

}  // namespace
}  // namespace hsm::token
