// SPDX-License-Identifier: Apache-2.0
// Keys that go from one placement to the other while they are used.
#include <set>

#include "base/bytes.h"
#include "kms/operations/bootstrap.h"
#include "kms/operations/destructions.h"
#include "kms/operations/intents.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testlib::StatusIs;

constexpr std::string_view kText = "dGV4dA==";

// A kind of key, and a use of it that tells whether it is the same key later.
struct Kind {
  std::string_view spec;
  std::string_view usage;
  std::string_view operation;
  std::string_view check;   // What takes the answer of `operation`.
  std::string_view answer;  // The member that it is.
  json members;
};
const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kinds = {
      {"SYMMETRIC_DEFAULT",
       "ENCRYPT_DECRYPT",
       "Encrypt",
       "Decrypt",
       "CiphertextBlob",
       {}},
      {"RSA_2048",
       "ENCRYPT_DECRYPT",
       "Encrypt",
       "Decrypt",
       "CiphertextBlob",
       {{"EncryptionAlgorithm", "RSAES_OAEP_SHA_256"}}},
      {"RSA_2048",
       "SIGN_VERIFY",
       "Sign",
       "Verify",
       "Signature",
       {{"SigningAlgorithm", "RSASSA_PSS_SHA_256"}}},
      {"ECC_NIST_P256",
       "SIGN_VERIFY",
       "Sign",
       "Verify",
       "Signature",
       {{"SigningAlgorithm", "ECDSA_SHA_256"}}},
      {"HMAC_256",
       "GENERATE_VERIFY_MAC",
       "GenerateMac",
       "VerifyMac",
       "Mac",
       {{"MacAlgorithm", "HMAC_SHA_256"}}},
  };
  return kinds;
}

class MoveTest : public OperationsTest {
 protected:
  MoveTest() {
    root_.caller.administrator = true;
    Place(Placement::kWrapped);
  }

  base::Result<json> Move(const std::string& key, std::string_view placement) {
    return Ask("MoveKey", ToMove(key, placement), root_);
  }
  static json ToMove(const std::string& key, std::string_view placement) {
    return {{"KeyId", key}, {"Placement", placement}};
  }
  KeyPtr Stored(const std::string& key) {
    return testlib::Take(store().FindKey(key));
  }
  // Whether each material is on the token, oldest first; its row says the same.
  std::vector<bool> OnTokenOf(const std::string& key) {
    std::vector<bool> all;
    for (const KeyMaterial& material : Stored(key)->materials) {
      all.push_back(OnToken(material.ref.locator));
      EXPECT_NE(material.ref.wrapped != nullptr, all.back());
    }
    return all;
  }
  std::size_t CountObjects() {
    return testlib::Take(Run(hsm().Call(hsm::ListKeysRequest{}))).keys.size();
  }
  void ExpectOpens(const std::string& blob) {
    const auto opened = Ask("Decrypt", {{"CiphertextBlob", blob}});
    ASSERT_OK(opened);
    EXPECT_EQ((*opened)["Plaintext"], kText);
  }
  void ExpectSettled() {
    EXPECT_THAT(testlib::Take(store().ListIntents()), IsEmpty());
  }

  // What a use of the key takes.
  static json UseOf(const Kind& kind, const std::string& key) {
    json request = kind.members.is_null() ? json::object() : kind.members;
    request["KeyId"] = key;
    request[kind.operation == "Encrypt" ? "Plaintext" : "Message"] = kText;
    return request;
  }
  // And whether the key is the one that has given this answer to that.
  void ExpectSameKey(const Kind& kind, json request, const json& reply) {
    request[std::string(kind.answer)] = reply.at(std::string(kind.answer));
    EXPECT_OK(Ask(kind.check, request)) << kind.spec;
  }

  // Uses the key again and again until `moved`.
  boost::asio::awaitable<void> UseUntil(const bool& moved,
                                        std::string operation, json request) {
    while (!moved) {
      const auto reply = co_await Send(operation, request);
      ++uses_;
      if (!reply) {
        failures_.insert(operation + ": " + reply.error().message);
      }
    }
  }
  // The move, in the middle of that.
  boost::asio::awaitable<void> MoveThen(std::string key, bool& moved) {
    // Named first: g++ 12 cannot have such lists inside co_await.
    const json one = {{"NumberOfBytes", 1}};
    while (uses_ < 100) {
      const auto reply = co_await Send("GenerateRandom", one);
      EXPECT_OK(reply);
    }
    const json move = ToMove(key, "resident");
    const auto reply = co_await SendFrom(root_, "MoveKey", move);
    EXPECT_OK(reply);
    moved = true;
  }

  From root_ = {.service = "Claviger", .door = Door::kUnix};
  int uses_ = 0;
  std::set<std::string> failures_;
};

TEST_F(MoveTest, EveryKindOfKeyStaysTheSameOnTheToken) {
  for (const Kind& kind : Kinds()) {
    const std::string key = NewKeyOf(kind.spec, kind.usage);
    const json request = UseOf(kind, key);
    const json before = testlib::Take(Ask(kind.operation, request));
    const KeyMaterial wrapped = Stored(key)->CurrentMaterial();
    ASSERT_NE(wrapped.ref.wrapped, nullptr);
    ASSERT_OK(Move(key, "resident"));
    EXPECT_EQ(OnTokenOf(key), std::vector{true});
    ExpectSettled();
    const KeyMaterial moved = Stored(key)->CurrentMaterial();
    EXPECT_EQ(moved.id, wrapped.id);
    EXPECT_EQ(moved.public_key, wrapped.public_key);
    EXPECT_EQ(moved.key_store, key_store().name);
    ExpectSameKey(kind, request, before);
    // No worker has it any more where it was.
    hsm::CheckKeyRequest late;
    late.key = wrapped.ref;
    EXPECT_THAT(Run(hsm().Call(late)), StatusIs(ErrorCode::kNotFound));
    RestartAs(Placement::kResident);
    ExpectSameKey(kind, request, before);
    ExpectSameKey(kind, request, testlib::Take(Ask(kind.operation, request)));
    Place(Placement::kWrapped);
  }
}

TEST_F(MoveTest, AllMaterialsMove) {
  const std::string key = NewKey();
  std::vector<std::string> blobs = {Encrypted(key, "text")};
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK(Ask("RotateKeyOnDemand", {{"KeyId", key}}));
    blobs.push_back(Encrypted(key, "text"));
  }
  EXPECT_EQ(OnTokenOf(key), (std::vector{false, false, false}));
  ASSERT_OK(Move(key, "resident"));
  EXPECT_EQ(OnTokenOf(key), (std::vector{true, true, true}));
  for (const std::string& blob : blobs) {
    ExpectOpens(blob);
  }
  ExpectSettled();
  EXPECT_EQ(CountEvents("MoveKey"), 1);
}

TEST_F(MoveTest, WhatIsThereAlreadyStaysAsItIs) {
  const std::string key = NewKey();
  ASSERT_OK(Move(key, "wrapped"));
  EXPECT_EQ(OnTokenOf(key), std::vector{false});
  ASSERT_OK(Move(key, "resident"));
  const hsm::Locator locator = Stored(key)->CurrentMaterial().ref.locator;
  const std::size_t objects = CountObjects();
  ASSERT_OK(Move(key, "resident"));
  EXPECT_EQ(Stored(key)->CurrentMaterial().ref.locator, locator);
  EXPECT_EQ(CountObjects(), objects);
  ASSERT_OK(Move(key, "wrapped"));
  ASSERT_OK(Move(key, "wrapped"));
  EXPECT_EQ(OnTokenOf(key), (std::vector{true, false}));
}

TEST_F(MoveTest, TheNextMaterialIsWrappedAndTheOldOneOpensWhatItSealed) {
  RestartAs(Placement::kResident);
  const std::string key = NewKey();
  const std::string before = Encrypted(key, "text");
  EXPECT_THAT(Move(key, "wrapped"), StatusIs(ErrorCode::kUnsupportedOperation,
                                             HasSubstr("no wrapping key")));
  RestartAs(Placement::kWrapped);
  ASSERT_OK(Move(key, "wrapped"));
  EXPECT_EQ(OnTokenOf(key), (std::vector{true, false}));
  ExpectOpens(before);
  ExpectOpens(Encrypted(key, "text"));
  EXPECT_EQ(Stored(key)->on_demand_rotations, 0U);
  const json listed = testlib::Take(Ask("ListKeyRotations", {{"KeyId", key}}));
  EXPECT_EQ(listed["Rotations"].size(), 1U);
  EXPECT_THAT(LogText(),
              HasSubstr(base::HexEncode(Stored(key)->CurrentMaterial().id)));
  ASSERT_OK(Move(key, "resident"));
  EXPECT_EQ(OnTokenOf(key), (std::vector{true, true}));
  ExpectOpens(before);
}

TEST_F(MoveTest, OnlyKeysThatGetANewMaterialCanBeWrapped) {
  RestartAs(Placement::kResident);
  const std::string pair = NewKeyOf("ECC_NIST_P256", "SIGN_VERIFY");
  const std::string mac = NewKeyOf("HMAC_256", "GENERATE_VERIFY_MAC");
  const std::string imported = testlib::Take(
      Ask("CreateKey", {{"Origin", "EXTERNAL"}}))["KeyMetadata"]["KeyId"];
  RestartAs(Placement::kWrapped);
  for (const std::string& key : {pair, mac}) {
    EXPECT_THAT(Move(key, "wrapped"),
                StatusIs(ErrorCode::kUnsupportedOperation,
                         HasSubstr("never get another one")));
    EXPECT_EQ(OnTokenOf(key), std::vector{true});
  }
  EXPECT_THAT(
      Move(imported, "wrapped"),
      StatusIs(ErrorCode::kUnsupportedOperation, HasSubstr("imported")));
}

TEST_F(MoveTest, AKeyThatIsDisabledOrToBeDeletedIsNotGivenAnother) {
  RestartAs(Placement::kResident);
  const std::string key = NewKey();
  RestartAs(Placement::kWrapped);
  ASSERT_OK(Ask("DisableKey", {{"KeyId", key}}));
  EXPECT_THAT(Move(key, "wrapped"), StatusIs(ErrorCode::kDisabled));
  const std::string deleted = NewKey();
  ASSERT_OK(Ask("ScheduleKeyDeletion", {{"KeyId", deleted}}));
  EXPECT_THAT(Move(deleted, "resident"), StatusIs(ErrorCode::kInvalidState));
  EXPECT_EQ(OnTokenOf(deleted), std::vector{false});
}

TEST_F(MoveTest, IsTheOperatorsAlone) {
  const std::string key = NewKey();
  From from = root_;
  from.caller.administrator = false;
  EXPECT_THAT(Ask("MoveKey", ToMove(key, "resident"), from),
              StatusIs(ErrorCode::kAccessDenied));
  from = root_;
  from.door = Door::kHttps;
  EXPECT_THAT(Ask("MoveKey", ToMove(key, "resident"), from),
              StatusIs(ErrorCode::kAccessDenied));
  EXPECT_EQ(OnTokenOf(key), std::vector{false});
  EXPECT_THAT(Move(key, "elsewhere"), StatusIs(ErrorCode::kValidation));
}

// Those that have not become the key's are not left on the token.
TEST_F(MoveTest, TwoAtOnceMakeOne) {
  const std::string key = NewKey();
  const std::string blob = Encrypted(key, "text");
  const std::size_t objects = CountObjects();
  const auto replies = AskTogether({{"MoveKey", ToMove(key, "resident")},
                                    {"MoveKey", ToMove(key, "resident")}},
                                   root_);
  EXPECT_TRUE(replies[0] || replies[1]);
  EXPECT_EQ(CountObjects(), objects + 1);
  EXPECT_EQ(OnTokenOf(key), std::vector{true});
  ExpectOpens(blob);
  ExpectSettled();
}

TEST_F(MoveTest, ADamagedKeyIsNotMoved) {
  const std::string key = NewKey();
  ASSERT_OK(Ask("RotateKeyOnDemand", {{"KeyId", key}}));
  KeyMaterial damaged = Stored(key)->CurrentMaterial();
  hsm::WrappedKey wrapped = *damaged.ref.wrapped;
  wrapped.bytes.back() ^= 1;
  damaged.ref.wrapped = std::make_shared<const hsm::WrappedKey>(wrapped);
  ASSERT_OK(Run(store().Write([&](store::Transaction& transaction) {
    return transaction.MoveMaterial(key, damaged);
  })));
  const std::size_t objects = CountObjects();
  EXPECT_FALSE(Move(key, "resident"));
  EXPECT_EQ(CountObjects(), objects);
  EXPECT_EQ(OnTokenOf(key), (std::vector{false, false}));
  ExpectSettled();
}

// The server is killed when the token has the object and the store does not
// know it, and when the store does and the workers have not forgotten.
TEST_F(MoveTest, WhatACrashLeftIsSettled) {
  const std::string key = NewKey();
  const std::string blob = Encrypted(key, "text");
  const hsm::KeyRef ref = Stored(key)->CurrentMaterial().ref;
  const hsm::Locator announced =
      testlib::Take(Run(AnnounceKey(environment(), key_store(), key)));
  ASSERT_OK(Run(hsm().Call(hsm::KeepWrappedKeyRequest{ref, announced})));
  RestartAs(Placement::kWrapped);
  ASSERT_OK(
      Run(SettleIntents(environment(), key_store(), store().info().epoch)));
  EXPECT_FALSE(OnToken(announced));
  ExpectOpens(blob);
  ASSERT_OK(Run(store().Write([&](store::Transaction& transaction) {
    return AnnounceDestruction(environment(), transaction, key_store().name,
                               ref.locator, kMovedMaterial);
  })));
  RestartAs(Placement::kWrapped);
  ASSERT_OK(Run(FinishDestructions(environment())));
  ExpectSettled();
  hsm::CheckKeyRequest late;
  late.key = ref;
  EXPECT_THAT(Run(hsm().Call(late)), StatusIs(ErrorCode::kNotFound));
}

// Requests that were on their way with the key's old place go to the new one.
TEST_F(MoveTest, NoUseFailsMeanwhile) {
  for (const Kind& kind : Kinds()) {
    const std::string key = NewKeyOf(kind.spec, kind.usage);
    json use = UseOf(kind, key);
    json check = use;
    check[std::string(kind.answer)] =
        testlib::Take(Ask(kind.operation, use))[std::string(kind.answer)];
    const std::string operation(kind.operation);
    const std::string checks(kind.check);
    bool moved = false;
    uses_ = 0;
    RunTogether(MoveThen(key, moved), UseUntil(moved, operation, use),
                UseUntil(moved, checks, check), UseUntil(moved, operation, use),
                UseUntil(moved, checks, check), UseUntil(moved, operation, use),
                UseUntil(moved, checks, check), UseUntil(moved, operation, use),
                UseUntil(moved, checks, check), UseUntil(moved, operation, use),
                UseUntil(moved, checks, check),
                UseUntil(moved, operation, use));
    EXPECT_THAT(failures_, IsEmpty()) << kind.spec;
    EXPECT_GE(uses_, 100);
    EXPECT_EQ(OnTokenOf(key), std::vector{true});
  }
}

}  // namespace
}  // namespace kms::operations
