// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "hsm/token/attributes.h"
#include "hsm/token/connection.h"
#include "hsm/token/init_token.h"
#include "hsm/token/oaep_mechanism.h"
#include "hsm/token/public_key.h"
#include "hsm/token/transport_key.h"
#include "hsm/token/trust_key.h"
#include "tests/hsm/pair_fixture.h"

// A wrapping key on its way from one token of SoftHSM to another.
namespace hsm::token {
namespace {

using testing::HasSubstr;

class ShareTest : public PairTest {
 protected:
  static constexpr const char* kTarget = "target";

  void SetUp() override {
    const auto pin = base::Secret::CopyOf(fakes::SoftHsmToken::kPin);
    const auto so_pin = base::Secret::CopyOf(fakes::SoftHsmToken::kSoPin);
    ASSERT_OK(InitSoftHsmToken(fakes::SoftHsmToken::ModulePath(), kTarget,
                               so_pin, pin));
    PairTest::SetUp();
  }

  void AtTarget() {
    token_.reset();
    TokenConfig config = place_.Config();
    config.token_uri = std::string("pkcs11:token=") + kTarget;
    auto token = Token::Open(std::move(config), clock_);
    ASSERT_OK(token);
    token_ = *std::move(token);
  }
  void AtSource() { Reopen(); }

  // A wrapping key at the source.
  void MakeWrappingKey(bool shareable = true) {
    wrapping_ = NewKey(Algorithm::kAesWrap);
    const auto made = token_->Execute(
        GenerateKeyRequest{.key = wrapping_, .shareable = shareable});
    ASSERT_OK(made);
    check_value_ = made->check_value;
  }

  void MakeTransport() {
    AtTarget();
    const auto made = token_->Execute(MakeTransportKeyRequest{});
    ASSERT_OK(made);
    transport_ = *made;
  }

  base::Result<TrustedKey> Trust(const base::Bytes& public_key) {
    token_.reset();
    TokenConfig config = place_.Config();
    config.pin = base::Secret::CopyOf(fakes::SoftHsmToken::kSoPin);
    return TrustPublicKey(config, public_key);
  }

  ShareWrappingKeyRequest ToShare() const {
    return {.wrapping_key = wrapping_,
            .check_value = check_value_,
            .public_key = transport_.public_key,
            .hash = transport_.hash};
  }

  ReceiveWrappingKeyRequest ToReceive(base::Bytes wrapped) const {
    return {.wrapping_key = wrapping_,
            .check_value = check_value_,
            .wrapped = std::move(wrapped)};
  }

  // All of it but for the target's last step.
  base::Bytes Shared() {
    MakeWrappingKey();
    MakeTransport();
    EXPECT_TRUE(Trust(transport_.public_key).has_value());
    AtSource();
    auto shared = token_->Execute(ToShare());
    EXPECT_TRUE(shared.has_value()) << shared.error().message;
    return shared.value_or(ShareWrappingKeyReply()).wrapped;
  }

  std::vector<std::string> IdsOnToken() {
    const auto listed = token_->Execute(ListKeysRequest{});
    std::vector<std::string> ids;
    for (const ListedKey& key : listed.value_or(ListKeysReply()).keys) {
      ids.push_back(base::HexEncode(key.id));
    }
    return ids;
  }

  KeyRef wrapping_;
  CheckValue check_value_{};
  MakeTransportKeyReply transport_;
};

TEST_F(ShareTest, WhatOneTokenWrapsTheOtherUnwraps) {
  const base::Bytes blob = Shared();
  KeyRef key = NewKey();
  const auto made =
      token_->Execute(GenerateWrappedKeyRequest{key, wrapping_.locator});
  ASSERT_OK(made);
  key = AsWrapped(key, wrapping_.locator, *made);
  const Sealed sealed = Encrypted(key, "text");
  AtTarget();
  ASSERT_OK(token_->Execute(ToReceive(blob)));
  const auto opened = token_->Execute(ToDecrypt(key, sealed));
  ASSERT_OK(opened);
  EXPECT_EQ(opened->plaintext.RevealText(), "text");
  // The transport key is gone, and nothing else came.
  EXPECT_THAT(IdsOnToken(),
              testing::ElementsAre(base::HexEncode(wrapping_.locator.bytes)));
  AtTarget();
  const auto checked = token_->Execute(CheckKeyRequest{wrapping_});
  ASSERT_OK(checked);
  EXPECT_EQ(checked->check_value, check_value_);
  // It never leaves the target.
  EXPECT_ERROR(token_->Execute(ToShare()), kUnsupportedOperation);
}

TEST_F(ShareTest, ReceivingAgainComparesOnly) {
  const base::Bytes blob = Shared();
  AtTarget();
  ASSERT_OK(token_->Execute(ToReceive(blob)));
  ASSERT_OK(token_->Execute(ToReceive(blob)));
  ReceiveWrappingKeyRequest other = ToReceive(blob);
  other.check_value[3] ^= 1;
  EXPECT_ERROR(token_->Execute(other), kCorrupt);
  other = ToReceive(blob);
  other.shareable = true;
  EXPECT_ERROR(token_->Execute(other), kConflict);
  ASSERT_OK(token_->Execute(CheckKeyRequest{wrapping_}));
}

TEST_F(ShareTest, AReceivedKeyCanBeShareableToo) {
  const base::Bytes blob = Shared();
  AtTarget();
  ReceiveWrappingKeyRequest request = ToReceive(blob);
  request.shareable = true;
  ASSERT_OK(token_->Execute(request));
  // Of this token's security officer nobody knows the key.
  EXPECT_ERROR(token_->Execute(ToShare()), kAccessDenied);
}

TEST_F(ShareTest, WhatIsNotTheKeyLeavesNothingAndTheTransportKey) {
  const base::Bytes blob = Shared();
  AtTarget();
  ReceiveWrappingKeyRequest request = ToReceive(blob);
  request.check_value[0] ^= 1;
  EXPECT_ERROR(token_->Execute(request), kCorrupt);
  for (const std::size_t at : {std::size_t{0}, blob.size() - 1}) {
    request = ToReceive(blob);
    request.wrapped[at] ^= 1;
    EXPECT_ERROR(token_->Execute(request), kCorrupt);
  }
  request.wrapped.clear();
  EXPECT_ERROR(token_->Execute(request), kCorrupt);
  EXPECT_THAT(IdsOnToken(),
              testing::ElementsAre(base::HexEncode(kTransportKey.bytes)));
  ASSERT_OK(token_->Execute(ToReceive(blob)));
}

TEST_F(ShareTest, NothingIsReceivedWithoutATransportKey) {
  const base::Bytes blob = Shared();
  AtTarget();
  ASSERT_OK(token_->Execute(DestroyKeyRequest{kTransportKey}));
  EXPECT_ERROR(token_->Execute(ToReceive(blob)), kNotFound);
}

TEST_F(ShareTest, ATokenHasOneTransportKey) {
  MakeTransport();
  const auto again = token_->Execute(MakeTransportKeyRequest{});
  ASSERT_OK(again);
  EXPECT_EQ(again->public_key, transport_.public_key);
  AtTarget();
  const auto reopened = token_->Execute(MakeTransportKeyRequest{});
  ASSERT_OK(reopened);
  EXPECT_EQ(reopened->public_key, transport_.public_key);
  const auto listed = token_->Execute(ListKeysRequest{});
  ASSERT_OK(listed);
  ASSERT_EQ(listed->keys.size(), 1U);
  EXPECT_EQ(listed->keys[0].label, "claviger transport key");
}

TEST_F(ShareTest, ATransportKeyDoesNothingElse) {
  MakeTransport();
  KeyRef lie{.locator = kTransportKey, .algorithm = Algorithm::kRsa3072Decrypt};
  RsaDecryptRequest decrypt;
  decrypt.key = lie;
  decrypt.ciphertext = base::Bytes(384, 1);
  EXPECT_FALSE(token_->Execute(decrypt).has_value());
  lie.algorithm = Algorithm::kRsa3072Unwrap;
  ImportKeyRequest import;
  import.key = NewKey();
  import.wrapping_key = lie;
  import.wrapped = base::Bytes(384, 1);
  EXPECT_ERROR(token_->Execute(import), kInvalidArgument);
}

// Has `key` say that of what it unwraps.
void Unwrapping(
    Template& key,
    std::initializer_list<std::pair<CK_ATTRIBUTE_TYPE, bool>> said) {
  Template unwrapped;
  for (const auto& [type, value] : said) {
    unwrapped.Set(type, value);
  }
  key.Set(CKA_UNWRAP_TEMPLATE, std::move(unwrapped));
}

// Somebody else who has the PIN has made one that it can use.
TEST_F(ShareTest, AForeignTransportKeyIsNotUsed) {
  wrapping_ = NewKey(Algorithm::kAesWrap);
  using Bend = void (*)(Template&);
  for (const Bend bend :
       {Bend{[](Template& key) { key.Set(CKA_DECRYPT, true); }},
        Bend{[](Template& key) { key.Set(CKA_EXTRACTABLE, true); }},
        Bend{[](Template& key) { key.Set(CKA_MODIFIABLE, true); }},
        Bend{[](Template& key) { key.Set(CKA_COPYABLE, true); }},
        Bend{[](Template& key) { key.Remove(CKA_UNWRAP_TEMPLATE); }},
        // What comes could decrypt, encrypt, derive.
        Bend{[](Template& key) {
          Unwrapping(key, {{CKA_SENSITIVE, true},
                           {CKA_WRAP_WITH_TRUSTED, true},
                           {CKA_ENCRYPT, false},
                           {CKA_DERIVE, false}});
        }},
        Bend{[](Template& key) {
          Unwrapping(key, {{CKA_SENSITIVE, true},
                           {CKA_WRAP_WITH_TRUSTED, true},
                           {CKA_DECRYPT, false},
                           {CKA_DERIVE, false}});
        }},
        Bend{[](Template& key) {
          Unwrapping(key, {{CKA_SENSITIVE, true},
                           {CKA_WRAP_WITH_TRUSTED, true},
                           {CKA_DECRYPT, false},
                           {CKA_ENCRYPT, false}});
        }},
        // Only what wraps comes, and that readable.
        Bend{[](Template& key) {
          Unwrapping(key, {{CKA_WRAP, true}});
        }}}) {
    token_.reset();
    TokenConfig config = place_.Config();
    config.token_uri = std::string("pkcs11:token=") + kTarget;
    {
      auto connection = Connection::Open(config);
      ASSERT_OK(connection);
      Session& session = (*connection)->sessions().anchor();
      for (const ObjectHandle old :
           session.FindObjects(ObjectsWithId(kTransportKey)).value) {
        ASSERT_TRUE(session.DestroyObject(old).ok());
      }
      Template bent = TransportKeyTemplate(AttributeSupport{});
      bend(bent);
      const KeyRef ref{.locator = kTransportKey,
                       .algorithm = Algorithm::kRsa3072Unwrap};
      const auto pair = session.GenerateKeyPair(CKM_RSA_PKCS_KEY_PAIR_GEN,
                                                PublicTemplate(ref), bent);
      ASSERT_TRUE(pair.ok());
      const auto modulus =
          session.ReadAttribute(pair.value.private_key, CKA_MODULUS);
      const auto foreign = PublicKey::OfRsa(modulus.value, kPublicExponent);
      ASSERT_OK(foreign);
      transport_.public_key = *foreign->Der();
    }
    AtTarget();
    EXPECT_ERROR(token_->Execute(ToReceive(base::Bytes(384, 1))), kCorrupt);
    const auto made = token_->Execute(MakeTransportKeyRequest{});
    ASSERT_OK(made);
    EXPECT_NE(made->public_key, transport_.public_key);
  }
}

TEST_F(ShareTest, OnlyATrustedKeyTakesAWrappingKeyOut) {
  MakeWrappingKey();
  MakeTransport();
  AtSource();
  const auto unknown = token_->Execute(ToShare());
  EXPECT_ERROR(unknown, kAccessDenied);
  EXPECT_THAT(unknown.error().message, HasSubstr("claviger token trust"));
  // The same key, entered by somebody who has the PIN.
  token_.reset();
  {
    auto connection = Connection::Open(place_.Config());
    ASSERT_OK(connection);
    Session& session = (*connection)->sessions().anchor();
    const auto numbers = RsaNumbersOf(transport_.public_key, 3072);
    ASSERT_OK(numbers);
    Template entered = AllObjects();
    entered.Set(CKA_CLASS, CK_ULONG{CKO_PUBLIC_KEY})
        .Set(CKA_KEY_TYPE, CK_ULONG{CKK_RSA})
        .Set(CKA_PRIVATE, false)
        .Set(CKA_WRAP, true)
        .Set(CKA_MODULUS, numbers->modulus)
        .Set(CKA_PUBLIC_EXPONENT, numbers->exponent);
    const auto public_key = session.CreateObject(entered);
    ASSERT_TRUE(public_key.ok());
    const auto wrapping = session.FindObjects(ObjectsWithId(wrapping_.locator));
    ASSERT_EQ(wrapping.value.size(), 1U);
    const OaepMechanism oaep(*FindHash(Hash::kSha1));
    EXPECT_FALSE(
        session
            .WrapKey(oaep.mechanism(), public_key.value, wrapping.value.front())
            .ok());
    entered.Set(CKA_TRUSTED, true);
    EXPECT_FALSE(session.CreateObject(entered).ok());
    EXPECT_FALSE(
        session
            .SetAttributes(public_key.value, Template().Set(CKA_TRUSTED, true))
            .ok());
  }
  AtSource();
  const auto untrusted = token_->Execute(ToShare());
  EXPECT_ERROR(untrusted, kAccessDenied);
  EXPECT_THAT(untrusted.error().message, HasSubstr("not as a trusted one"));
  ASSERT_OK(Trust(transport_.public_key));
  AtSource();
  ASSERT_OK(token_->Execute(ToShare()));
}

TEST_F(ShareTest, OnlyAShareableKeyLeaves) {
  MakeWrappingKey(/*shareable=*/false);
  MakeTransport();
  ASSERT_OK(Trust(transport_.public_key));
  AtSource();
  const auto refused = token_->Execute(ToShare());
  EXPECT_ERROR(refused, kUnsupportedOperation);
  EXPECT_THAT(refused.error().message, HasSubstr("never leave"));
}

TEST_F(ShareTest, AnotherCheckValueOrKeyIsRefused) {
  MakeWrappingKey();
  transport_.public_key = MadeOf(Algorithm::kRsa2048Decrypt).public_key;
  EXPECT_ERROR(token_->Execute(ToShare()), kInvalidArgument);
  transport_.public_key = MadeOf(Algorithm::kP256Sign).public_key;
  EXPECT_ERROR(token_->Execute(ToShare()), kInvalidArgument);
  transport_.public_key = MadeOf(Algorithm::kRsa3072Decrypt).public_key;
  check_value_[0] ^= 1;
  EXPECT_ERROR(token_->Execute(ToShare()), kCorrupt);
  ShareWrappingKeyRequest request = ToShare();
  request.wrapping_key.algorithm = Algorithm::kXaes256Gcm;
  EXPECT_ERROR(token_->Execute(request), kInvalidArgument);
  request = ToShare();
  request.wrapping_key.locator = NewKey().locator;
  EXPECT_ERROR(token_->Execute(request), kNotFound);
}

// Extractable by whoever: as somebody else could have made it.
TEST_F(ShareTest, AnExtractableWrappingKeyIsNoneOfOurs) {
  token_.reset();
  const KeyRef key = NewKey(Algorithm::kAesWrap);
  {
    auto connection = Connection::Open(place_.Config());
    ASSERT_OK(connection);
    Template open =
        WrappingKeyTemplate(key, CKM_AES_KEY_WRAP_PAD, AttributeSupport{});
    open.Set(CKA_EXTRACTABLE, true);
    ASSERT_TRUE((*connection)
                    ->sessions()
                    .anchor()
                    .GenerateKey(CKM_AES_KEY_GEN, open)
                    .ok());
  }
  AtSource();
  EXPECT_ERROR(token_->Execute(CheckKeyRequest{key}), kCorrupt);
}

TEST_F(ShareTest, OnlyWrappingKeysAreMadeShareable) {
  EXPECT_ERROR(
      token_->Execute(GenerateKeyRequest{.key = NewKey(), .shareable = true}),
      kInvalidArgument);
}

TEST_F(ShareTest, TrustIsEnteredOnceAndForStrongKeysOnly) {
  MakeTransport();
  const auto entered = Trust(transport_.public_key);
  ASSERT_OK(entered);
  EXPECT_FALSE(entered->was_there);
  EXPECT_EQ(entered->fingerprint, FingerprintOf(transport_.public_key));
  EXPECT_EQ(entered->fingerprint.size(), 95U);
  const auto again = Trust(transport_.public_key);
  ASSERT_OK(again);
  EXPECT_TRUE(again->was_there);
  AtSource();
  const base::Bytes weak = MadeOf(Algorithm::kRsa2048Decrypt).public_key;
  EXPECT_ERROR(Trust(weak), kInvalidArgument);
  EXPECT_ERROR(Trust({1, 2, 3}), kInvalidArgument);
  std::string fingerprint = FingerprintOf(weak);
  ASSERT_OK(CheckFingerprint(weak, fingerprint));
  std::ranges::transform(fingerprint, fingerprint.begin(), [](char c) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  ASSERT_OK(CheckFingerprint(weak, fingerprint));
  std::erase(fingerprint, ':');
  ASSERT_OK(CheckFingerprint(weak, fingerprint));
  for (const std::string& wrong : {std::string(), fingerprint.substr(2),
                                   fingerprint + "00", " " + fingerprint}) {
    EXPECT_ERROR(CheckFingerprint(weak, wrong), kInvalidArgument);
  }
  const auto other =
      CheckFingerprint(transport_.public_key, FingerprintOf(weak));
  EXPECT_ERROR(other, kInvalidArgument);
  EXPECT_THAT(other.error().message,
              AllOf(HasSubstr(FingerprintOf(weak)),
                    HasSubstr(FingerprintOf(transport_.public_key))));
  TokenConfig config = place_.Config();
  config.pin = base::Secret::CopyOf("wrong officer");
  EXPECT_ERROR(TrustPublicKey(config, transport_.public_key), kAccessDenied);
}

}  // namespace
}  // namespace hsm::token
