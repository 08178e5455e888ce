// SPDX-License-Identifier: Apache-2.0
// Double encryption under keys in external key stores.
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "kms/ciphertext.h"
#include "tests/kms/operations_custom_key_stores_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::IsEmpty;
using testlib::StatusIs;
using testlib::Take;

constexpr const char* kMessage = "bWVzc2FnZQ==";  // "message"

class OuterLayerTest : public CustomKeyStoresTest {
 protected:
  OuterLayerTest() { Prepare(); }

  void Prepare() {
    store_ = NewConnectedStore();
    key_ = NewExternalKey(store_);
    xks_.seen.clear();
  }

  base::Result<json> Encrypt(const std::string& key,
                             const json& context = json::object()) {
    return Ask("Encrypt", {{"KeyId", key},
                           {"Plaintext", kMessage},
                           {"EncryptionContext", context}});
  }
  std::string Blob(const json& context = json::object()) {
    return Take(Encrypt(key_, context)).at("CiphertextBlob");
  }
  base::Result<json> Decrypt(const std::string& blob,
                             const json& context = json::object()) {
    return Ask("Decrypt",
               {{"CiphertextBlob", blob}, {"EncryptionContext", context}});
  }
  ConnectionState StateInForce() {
    const auto list = environment().custom_key_stores.current();
    return list->Find(store_)->store.state;
  }
  static Ciphertext Parsed(const std::string& blob) {
    return Take(ParseCiphertext(Take(base::Base64Decode(blob))));
  }

  std::string store_;
  std::string key_;
};

TEST_F(OuterLayerTest, GoesRound) {
  const json context = {{"department", "finance"}};
  const json encrypted = Take(Encrypt(key_, context));
  EXPECT_EQ(encrypted.at("KeyId"),
            "arn:aws:kms:eu-west-1:111122223333:key/" + key_);
  const std::string blob = encrypted.at("CiphertextBlob");
  const json decrypted = Take(Decrypt(blob, context));
  EXPECT_EQ(decrypted.at("Plaintext"), kMessage);
  const Ciphertext parsed = Parsed(blob);
  EXPECT_EQ(parsed.header.algorithm, CiphertextAlgorithm::kExternalKeyStore);
  EXPECT_EQ(parsed.outer.ciphertext.size(), 7 + 16U);
  EXPECT_EQ(decrypted.at("KeyMaterialId"),
            base::HexEncode(parsed.header.material));
}

TEST_F(OuterLayerTest, TheProxySeesNeitherMessageNorContext) {
  Take(Decrypt(Blob({{"secret", "context"}}), {{"secret", "context"}}));
  ASSERT_EQ(xks_.seen.size(), 2U);
  const SeenXksRequest& seal = xks_.seen[0];
  EXPECT_EQ(seal.operation, hsm::XksOperation::kEncrypt);
  EXPECT_EQ(seal.aad.size(), 32U);
  EXPECT_EQ(base::AsText(seal.plaintext).find("message"),
            std::string_view::npos);
  EXPECT_EQ(seal.external_key_id, "key-1");
  EXPECT_EQ(seal.kms_operation, "Encrypt");
  EXPECT_EQ(seal.principal_arn, identity::Administrator(kAccount).arn);
  EXPECT_EQ(seal.key_arn, "arn:aws:kms:eu-west-1:111122223333:key/" + key_);
  EXPECT_EQ(seal.kms_request_id, "5c2e4a5e-0000-4000-8000-000000000001");
  EXPECT_EQ(seal.via_service, "");
  EXPECT_EQ(seal.secret, kXksSecret);
  const SeenXksRequest& open = xks_.seen[1];
  EXPECT_EQ(open.operation, hsm::XksOperation::kDecrypt);
  EXPECT_EQ(open.kms_operation, "Decrypt");
  EXPECT_EQ(open.aad, seal.aad);
}

TEST_F(OuterLayerTest, TheLongestMessageFitsInARequest) {
  const base::Bytes longest(4096, 'x');
  const std::string text = base::Base64Encode(longest);
  const json encrypted =
      Take(Ask("Encrypt", {{"KeyId", key_}, {"Plaintext", text}}));
  EXPECT_EQ(xks_.seen[0].plaintext.size(), 4112U);
  EXPECT_EQ(Take(Decrypt(encrypted.at("CiphertextBlob"))).at("Plaintext"),
            text);
}

TEST_F(OuterLayerTest, WorksOnATokenThatCounts) {
  Close();
  algorithm_ = hsm::Algorithm::kAes256GcmCounter;
  Open();
  Begin();
  const std::string counted = NewExternalKey(store_, "key-2");
  const json encrypted = Take(Encrypt(counted));
  EXPECT_EQ(Take(Decrypt(encrypted.at("CiphertextBlob"))).at("Plaintext"),
            kMessage);
}

TEST_F(OuterLayerTest, AnotherContextOpensNothing) {
  const std::string blob = Blob({{"a", "b"}});
  for (const json& context : {json::object(), json{{"a", "c"}}}) {
    EXPECT_THAT(Decrypt(blob, context), StatusIs(ErrorCode::kInvalidState));
  }
}

TEST_F(OuterLayerTest, NoByteCanBeChanged) {
  const base::Bytes good = Take(base::Base64Decode(Blob()));
  for (std::size_t i = 0; i < good.size(); ++i) {
    base::Bytes changed = good;
    changed[i] ^= 1;
    SCOPED_TRACE(i);
    const auto reply = Decrypt(base::Base64Encode(changed));
    ASSERT_FALSE(reply);
    // Version, algorithm, kind, id, material and the lengths are ours to check.
    const bool in_parser = i < 51 || i == 51 || i == 51 + 1 + 5;
    const ErrorCode code = reply.error().code;
    EXPECT_TRUE(code == ErrorCode::kInvalidState ||
                (in_parser && (code == ErrorCode::kInvalidCiphertext ||
                               code == ErrorCode::kAccessDenied)))
        << testlib::Describe(reply.error());
  }
}

// The layers of two ciphertexts of one key cannot be put together otherwise.
TEST_F(OuterLayerTest, LayersCannotBeSwapped) {
  const std::string other = NewExternalKey(store_, "key-2");
  const Ciphertext mine = Parsed(Blob());
  const Ciphertext others =
      Parsed(Take(Encrypt(other)).at("CiphertextBlob").get<std::string>());
  const auto opens = [this](const Ciphertext& header, const Ciphertext& rest) {
    return Decrypt(base::Base64Encode(
        SerializeCiphertext(header.header, rest.sealed.nonce, rest.outer)));
  };
  EXPECT_OK(opens(mine, mine));
  EXPECT_THAT(opens(mine, others), StatusIs(ErrorCode::kInvalidState));
  EXPECT_THAT(opens(others, mine), StatusIs(ErrorCode::kInvalidState));
}

// A proxy that opens whatever it gets has the inner layer against it.
TEST_F(OuterLayerTest, AProxyThatGivesBackSomethingElseIsFound) {
  const std::string blob = Blob({{"a", "b"}});
  const std::string other = Blob();
  base::Bytes inner_of_other;
  xks_.lie = [&](hsm::XksReply& reply) {
    const auto bytes = reply.plaintext.Reveal();
    inner_of_other.assign(bytes.begin(), bytes.end());
  };
  Take(Decrypt(other));
  using Lie = std::function<void(hsm::XksReply&)>;
  const std::vector<Lie> lies = {
      [&](hsm::XksReply& reply) {
        reply.plaintext = base::Secret::CopyOf(inner_of_other);
      },
      [](hsm::XksReply& reply) { reply.plaintext.Reveal()[20] ^= 1; },
      [](hsm::XksReply& reply) { reply.plaintext.Reveal()[0] ^= 1; },
      [](hsm::XksReply& reply) { reply.plaintext.Truncate(22); },
      [](hsm::XksReply& reply) { reply.plaintext.Truncate(10); },
      [](hsm::XksReply& reply) { reply.plaintext = base::Secret(); }};
  for (const Lie& lie : lies) {
    xks_.lie = lie;
    EXPECT_THAT(Decrypt(blob, {{"a", "b"}}),
                StatusIs(ErrorCode::kInvalidState));
  }
}

// Of two messages of one key and one context it may not give one for the other.
TEST_F(OuterLayerTest, AProxyThatGivesBackAnotherMessageIsFound) {
  const std::string one = Blob();
  const std::string other = Blob();
  base::Secret kept;
  xks_.lie = [&](hsm::XksReply& reply) {
    kept = base::Secret::CopyOf(reply.plaintext.Reveal());
  };
  Take(Decrypt(other));
  xks_.lie = [&](hsm::XksReply& reply) {
    reply.plaintext = base::Secret::CopyOf(kept.Reveal());
  };
  EXPECT_THAT(Decrypt(one), StatusIs(ErrorCode::kInvalidState));
  EXPECT_OK(Decrypt(other));
}

TEST_F(OuterLayerTest, AProxyThatSealsWrongIsFound) {
  using Lie = void (*)(hsm::XksReply&);
  const Lie lies[] = {
      [](hsm::XksReply& reply) { reply.sealed.ciphertext.pop_back(); },
      [](hsm::XksReply& reply) { reply.sealed.ciphertext.push_back(0); },
      [](hsm::XksReply& reply) { reply.sealed.iv.resize(11); },
      [](hsm::XksReply& reply) { reply.sealed.iv.clear(); },
      [](hsm::XksReply& reply) { reply.sealed.tag.resize(12); },
      [](hsm::XksReply& reply) { reply.sealed.metadata.resize(21); }};
  for (const Lie lie : lies) {
    xks_.lie = lie;
    EXPECT_THAT(Encrypt(key_), StatusIs(ErrorCode::kInvalidState));
    EXPECT_THAT(
        Ask("GenerateDataKey", {{"KeyId", key_}, {"KeySpec", "AES_256"}}),
        StatusIs(ErrorCode::kInvalidState));
  }
  xks_.lie = [](hsm::XksReply& reply) { reply.sealed.iv.resize(16); };
  EXPECT_OK(Encrypt(key_));
}

TEST_F(OuterLayerTest, DataKeysOpen) {
  const json input = {{"KeyId", key_}, {"KeySpec", "AES_256"}};
  const json made = Take(Ask("GenerateDataKey", input));
  EXPECT_EQ(Take(Decrypt(made.at("CiphertextBlob"))).at("Plaintext"),
            made.at("Plaintext"));
  const json hidden = Take(Ask("GenerateDataKeyWithoutPlaintext", input));
  EXPECT_FALSE(hidden.contains("Plaintext"));
  EXPECT_EQ(Take(base::Base64Decode(Take(Decrypt(hidden.at("CiphertextBlob")))
                                        .at("Plaintext")
                                        .get<std::string>()))
                .size(),
            32U);
  EXPECT_EQ(xks_.seen[0].kms_operation, "GenerateDataKey");
}

TEST_F(OuterLayerTest, ReEncryptTakesLayersOffAndPutsThemOn) {
  const std::string ordinary = NewKey();
  const std::string other = NewExternalKey(store_, "key-2");
  xks_.seen.clear();
  std::string blob = Encrypted(ordinary, "message");
  for (const std::string& destination : {key_, other, key_, ordinary}) {
    const json moved =
        Take(Ask("ReEncrypt", {{"CiphertextBlob", blob},
                               {"DestinationKeyId", destination}}));
    blob = moved.at("CiphertextBlob");
    EXPECT_EQ(Take(Decrypt(blob)).at("Plaintext"), kMessage);
  }
  EXPECT_EQ(Parsed(blob).header.algorithm, CiphertextAlgorithm::kXaes256Gcm);
  EXPECT_EQ(xks_.seen[0].kms_operation, "ReEncrypt");
}

TEST_F(OuterLayerTest, ACiphertextOfOneLayerIsNoneOfSuchAKey) {
  const Ciphertext parsed = Parsed(Blob());
  CiphertextHeader header = parsed.header;
  header.algorithm = CiphertextAlgorithm::kXaes256Gcm;
  hsm::Sealed sealed;
  sealed.ciphertext.resize(32);
  EXPECT_THAT(Decrypt(base::Base64Encode(SerializeCiphertext(header, sealed))),
              StatusIs(ErrorCode::kInvalidCiphertext));
  // Nor the other way round.
  Ciphertext ordinary = Parsed(Encrypted(NewKey(), "message"));
  ordinary.header.algorithm = CiphertextAlgorithm::kExternalKeyStore;
  EXPECT_THAT(Decrypt(base::Base64Encode(SerializeCiphertext(
                  ordinary.header, parsed.sealed.nonce, parsed.outer))),
              StatusIs(ErrorCode::kInvalidCiphertext));
}

TEST_F(OuterLayerTest, NothingIsAskedInADryRun) {
  const std::string blob = Blob();
  xks_.seen.clear();
  const std::vector<std::pair<const char*, json>> requests = {
      {"Encrypt", {{"KeyId", key_}, {"Plaintext", kMessage}}},
      {"Decrypt", {{"CiphertextBlob", blob}}},
      {"GenerateDataKey", {{"KeyId", key_}, {"KeySpec", "AES_256"}}},
      {"GenerateDataKeyWithoutPlaintext",
       {{"KeyId", key_}, {"KeySpec", "AES_256"}}},
      {"ReEncrypt", {{"CiphertextBlob", blob}, {"DestinationKeyId", key_}}}};
  for (const auto& [operation, members] : requests) {
    json input = members;
    input["DryRun"] = true;
    EXPECT_THAT(Ask(operation, input), StatusIs(ErrorCode::kDryRun));
  }
  EXPECT_THAT(xks_.seen, IsEmpty());
}

TEST_F(OuterLayerTest, NothingIsAskedAfterDisconnect) {
  const std::string blob = Blob();
  Take(OnStore("DisconnectCustomKeyStore", store_));
  xks_.seen.clear();
  EXPECT_THAT(Encrypt(key_), StatusIs(ErrorCode::kInvalidState));
  EXPECT_THAT(Decrypt(blob), StatusIs(ErrorCode::kInvalidState));
  EXPECT_THAT(xks_.seen, IsEmpty());
}

// Disconnects at the same time as `meanwhile`.
class DisconnectTest : public OuterLayerTest {
 protected:
  void DisconnectDuring(boost::asio::awaitable<void> meanwhile) {
    auto disconnect = [this]() -> boost::asio::awaitable<void> {
      json input = {{"CustomKeyStoreId", store_}};
      EXPECT_OK(co_await Send("DisconnectCustomKeyStore", std::move(input)));
      has_answered_ = true;
    };
    RunTogether(disconnect(), std::move(meanwhile));
  }

  boost::asio::awaitable<void> UntilDisconnected() {
    while (StateInForce() != ConnectionState::kDisconnected) {
      co_await boost::asio::post(boost::asio::use_awaitable);
    }
  }

  // Whoever answered before this began has been heard of when it ends: the
  // audit log takes one after the other.
  boost::asio::awaitable<void> AskSomethingElse() {
    for (int i = 0; i < 2; ++i) {
      json input = {{"KeyId", key_}};
      EXPECT_OK(co_await Send("DescribeKey", std::move(input)));
    }
  }

  CustomKeyStoreSource& source() { return environment().custom_key_stores; }

  bool has_answered_ = false;
};

TEST_F(DisconnectTest, WaitsForWhatIsUnderWay) {
  auto under_way = source().Admit(store_);
  ASSERT_TRUE(under_way.has_value());
  bool was_early = false;
  auto meanwhile = [&]() -> boost::asio::awaitable<void> {
    co_await UntilDisconnected();
    co_await AskSomethingElse();
    was_early = has_answered_;
    under_way.reset();
  };
  DisconnectDuring(meanwhile());
  EXPECT_FALSE(was_early);
  EXPECT_TRUE(has_answered_);
}

TEST_F(DisconnectTest, DoesNotWaitForWhatComesAfterTheNextConnect) {
  auto before = source().Admit(store_);
  ASSERT_TRUE(before.has_value());
  std::optional<CustomKeyStoreSource::Pass> after;
  bool waited = true;
  auto meanwhile = [&]() -> boost::asio::awaitable<void> {
    co_await UntilDisconnected();
    json input = {{"CustomKeyStoreId", store_}};
    EXPECT_OK(co_await Send("ConnectCustomKeyStore", std::move(input)));
    EXPECT_OK(co_await ConnectPendingStores(environment()));
    auto admitted = source().Admit(store_);
    EXPECT_TRUE(admitted.has_value());
    if (admitted) {
      after.emplace(*std::move(admitted));
    }
    before.reset();
    // It looks every few milliseconds.
    for (int i = 0; i < 1000 && !has_answered_; ++i) {
      co_await AskSomethingElse();
    }
    waited = !has_answered_;
    after.reset();
  };
  DisconnectDuring(meanwhile());
  EXPECT_FALSE(waited);
}

}  // namespace
}  // namespace kms::operations
