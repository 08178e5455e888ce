// SPDX-License-Identifier: Apache-2.0
// Walks tests/golden/key_states.txt: a key of each kind, in each state, through
// every operation, and the whole answer. The golden text was written from AWS's
// table and not from ours.
#include <fmt/format.h>

#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "base/bytes.h"
#include "kms/http/errors.h"
#include "kms/key_id.h"
#include "kms/operations/bootstrap.h"
#include "kms/operations/operation.h"
#include "tests/kms/openssl_key.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using nlohmann::json;
using testlib::Take;

constexpr std::array kStates = {
    KeyState::kEnabled,         KeyState::kDisabled,
    KeyState::kPendingDeletion, KeyState::kPendingReplicaDeletion,
    KeyState::kPendingImport,   KeyState::kUnavailable,
    KeyState::kCreating,        KeyState::kUpdating};

// The golden text, read.
struct Golden {
  std::map<char, std::string> notes;
  // Rows in the order of the text.
  std::vector<std::pair<std::string, std::string>> states;
  std::map<std::string, std::string> kinds;
  std::map<std::string, std::string> imported;
  std::map<std::string, std::string> primary;
  std::set<std::string> keyless;
};

Golden ReadGolden() {
  Golden golden;
  std::ifstream file(CLAVIGER_GOLDEN "/key_states.txt");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string what;
    std::string name;
    std::string cells;
    words >> what >> name >> cells;
    if (what == "note") {
      golden.notes[name.at(0)] = line.substr(sizeof("note x"));
    } else if (what == "state") {
      golden.states.emplace_back(name, cells);
    } else if (what == "kind") {
      golden.kinds[name] = cells;
    } else if (what == "imported") {
      golden.imported[name] = cells;
    } else if (what == "primary") {
      golden.primary[name] = cells;
    } else if (what == "keyless") {
      golden.keyless.insert(name);
    } else {
      EXPECT_TRUE(what.empty() || what[0] == '#') << line;
    }
  }
  return golden;
}

// ReEncrypt and UpdateAlias have a row for each of their keys.
std::string OperationOf(const std::string& row) {
  for (const char* name : {"ReEncrypt", "UpdateAlias"}) {
    if (row.starts_with(name)) {
      return name;
    }
  }
  return row;
}

std::string Text(const base::Error& error) {
  std::string text(http::AwsErrorOf(error.code).json.name);
  return text + (error.message.empty() ? ":" : ": " + error.message);
}

// What makes a key of a kind, and what operations need to succeed with it.
struct Kind {
  std::string name;
  json create;
  std::size_t column = 0;  // In the golden rows of kinds.
  std::string cipher = "SYMMETRIC_DEFAULT";
  std::string signing = "ECDSA_SHA_256";
};

const std::vector<Kind>& Kinds() {
  static const auto pair = [](const char* spec, const char* usage) {
    return json{{"KeySpec", spec}, {"KeyUsage", usage}};
  };
  static const std::vector<Kind> kinds = {
      {"symmetric", json::object(), 0},
      {"rsa_encrypt", pair("RSA_2048", "ENCRYPT_DECRYPT"), 1,
       "RSAES_OAEP_SHA_256"},
      {"rsa_sign", pair("RSA_2048", "SIGN_VERIFY"), 2, "RSAES_OAEP_SHA_256",
       "RSASSA_PSS_SHA_256"},
      {"ecc_sign", pair("ECC_NIST_P256", "SIGN_VERIFY"), 3,
       "RSAES_OAEP_SHA_256"},
      {"ecc_agree", pair("ECC_NIST_P256", "KEY_AGREEMENT"), 4,
       "RSAES_OAEP_SHA_256"},
      {"hmac", pair("HMAC_256", "GENERATE_VERIFY_MAC"), 5,
       "RSAES_OAEP_SHA_256"}};
  return kinds;
}

// A key under test, one of the same kind beside it, and what was made with it
// while it was enabled.
struct Subject {
  Kind kind;
  std::string id;
  std::string arn;
  std::string peer;  // Id of the other key.
  std::string ciphertext;
  std::string signature = "AAAA";
  std::string mac = "AAAA";
  std::string peer_public_key = "AAAA";
  std::string policy;
  std::vector<std::string> grants;
  std::vector<std::string> aliases;       // Of it.
  std::vector<std::string> peer_aliases;  // Of the other key.
};

// Takes one off what there is enough of.
std::string TakeOne(std::vector<std::string>& names) {
  std::string name = names.back();
  names.pop_back();
  return name;
}

constexpr const char* kMessage = "bWVzc2FnZQ==";
constexpr const char* kUser = "arn:aws:iam::111122223333:user/alice";

class StatesTest : public OperationsTest {
 protected:
  StatesTest() : golden_(ReadGolden()) {
    Take(Run(CheckServiceKeys(environment(), NewStore::kAllow)));
    other_ = NewKey();
    other_ciphertext_ = Encrypted(other_, "message");
  }

  Subject NewSubject(const Kind& kind);
  void MakeWith(Subject& subject);
  void ImportMaterial(const std::string& id);

  json InputOf(const std::string& row, Subject& subject);
  json CryptographicInput(const std::string& row, const Subject& subject);
  json OtherInput(const std::string& row, Subject& subject);
  std::string NewAlias(const std::string& key);

  // The key as the store has it.
  KeyPtr Stored(const Subject& subject) {
    return Take(store().FindKey(KeyRowId(subject.id, kRegion)));
  }
  // Writes the key as it was made, but in this state.
  void Put(const Key& made, KeyState state);
  std::string Expected(const std::string& row, char cell,
                       const Subject& subject) const;
  void CallAll(Subject& subject, const Key& made, std::size_t column,
               const std::map<std::string, std::string>& special);

  Golden golden_;
  std::string other_;  // A symmetric key that stays enabled.
  std::string other_ciphertext_;
  int aliases_ = 0;
};

Subject StatesTest::NewSubject(const Kind& kind) {
  Subject subject;
  subject.kind = kind;
  const json made = Take(Ask("CreateKey", kind.create)).at("KeyMetadata");
  subject.id = made.at("KeyId");
  subject.arn = made.at("Arn");
  subject.peer =
      Take(Ask("CreateKey", kind.create)).at("KeyMetadata").at("KeyId");
  if (made.at("KeyState") == "PendingImport") {
    ImportMaterial(subject.id);
  }
  MakeWith(subject);
  return subject;
}

void StatesTest::MakeWith(Subject& subject) {
  const json id = {{"KeyId", subject.id}};
  subject.policy = Take(Ask("GetKeyPolicy", id)).at("Policy");
  const json grant = {{"KeyId", subject.id},
                      {"GranteePrincipal", kUser},
                      {"Operations", {"DescribeKey"}}};
  for (std::size_t i = 0; i < 2 * kStates.size(); ++i) {
    subject.grants.push_back(Take(Ask("CreateGrant", grant)).at("GrantId"));
    subject.aliases.push_back(NewAlias(subject.id));
  }
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    subject.peer_aliases.push_back(NewAlias(subject.peer));
  }
  // What needs the right kind of key is made by those that can.
  const auto member = [&](const std::string& row, const char* name,
                          std::string& text) {
    if (const auto made = Ask(row, CryptographicInput(row, subject))) {
      text = made->at(name);
    }
  };
  subject.ciphertext = "AAAA";
  member("Encrypt", "CiphertextBlob", subject.ciphertext);
  member("Sign", "Signature", subject.signature);
  member("GenerateMac", "Mac", subject.mac);
  if (const auto made = Ask("GetPublicKey", {{"KeyId", subject.peer}})) {
    subject.peer_public_key = made->at("PublicKey");
  }
}

void StatesTest::ImportMaterial(const std::string& id) {
  const json got = Take(Ask("GetParametersForImport",
                            {{"KeyId", id},
                             {"WrappingAlgorithm", "RSAES_OAEP_SHA_256"},
                             {"WrappingKeySpec", "RSA_2048"}}));
  const std::string public_key = got.at("PublicKey");
  const OpensslKey wrapping =
      OpensslKey::FromSpki(Take(base::Base64Decode(public_key)));
  const base::Bytes material(32, 7);
  const base::Bytes wrapped = wrapping.Encrypt("RSAES_OAEP_SHA_256", material);
  Take(Ask("ImportKeyMaterial",
           {{"KeyId", id},
            {"ImportToken", got.at("ImportToken")},
            {"EncryptedKeyMaterial", base::Base64Encode(wrapped)},
            {"ExpirationModel", "KEY_MATERIAL_DOES_NOT_EXPIRE"}}));
}

std::string StatesTest::NewAlias(const std::string& key) {
  std::string name = fmt::format("alias/walk-{}", ++aliases_);
  Take(Ask("CreateAlias", {{"AliasName", name}, {"TargetKeyId", key}}));
  return name;
}

json StatesTest::CryptographicInput(const std::string& row,
                                    const Subject& subject) {
  const json id = subject.id;
  const bool seals = subject.kind.cipher == "SYMMETRIC_DEFAULT";
  if (row == "Encrypt") {
    return {{"KeyId", id},
            {"Plaintext", kMessage},
            {"EncryptionAlgorithm", subject.kind.cipher}};
  }
  if (row == "Decrypt") {
    return {{"KeyId", id},
            {"CiphertextBlob", subject.ciphertext},
            {"EncryptionAlgorithm", subject.kind.cipher}};
  }
  if (row == "ReEncryptFrom") {
    return {{"SourceKeyId", id},
            {"CiphertextBlob", subject.ciphertext},
            {"SourceEncryptionAlgorithm", subject.kind.cipher},
            {"DestinationKeyId", other_}};
  }
  if (row == "ReEncryptTo") {
    return {{"CiphertextBlob", other_ciphertext_},
            {"DestinationKeyId", id},
            {"DestinationEncryptionAlgorithm",
             seals ? "SYMMETRIC_DEFAULT" : subject.kind.cipher}};
  }
  if (row == "Sign" || row == "Verify") {
    json input = {{"KeyId", id},
                  {"Message", kMessage},
                  {"SigningAlgorithm", subject.kind.signing}};
    if (row == "Verify") {
      input["Signature"] = subject.signature;
    }
    return input;
  }
  if (row == "GenerateMac" || row == "VerifyMac") {
    json input = {
        {"KeyId", id}, {"Message", kMessage}, {"MacAlgorithm", "HMAC_SHA_256"}};
    if (row == "VerifyMac") {
      input["Mac"] = subject.mac;
    }
    return input;
  }
  return nullptr;
}

json StatesTest::OtherInput(const std::string& row, Subject& subject) {
  const json tags = {{{"TagKey", "a"}, {"TagValue", "b"}}};
  const std::map<std::string, json> extra = {
      {"CreateGrant",
       {{"GranteePrincipal", kUser}, {"Operations", {"DescribeKey"}}}},
      {"Decapsulate",
       {{"SharedSecretCiphertextBlob", "AAAA"},
        {"EncapsulationAlgorithm", "ML_KEM"}}},
      {"DeriveSharedSecret",
       {{"KeyAgreementAlgorithm", "ECDH"},
        {"PublicKey", subject.peer_public_key}}},
      {"Encapsulate", {{"EncapsulationAlgorithm", "ML_KEM"}}},
      {"GenerateDataKey", {{"KeySpec", "AES_256"}}},
      {"GenerateDataKeyPair", {{"KeyPairSpec", "ECC_NIST_P256"}}},
      {"GenerateDataKeyPairWithoutPlaintext",
       {{"KeyPairSpec", "ECC_NIST_P256"}}},
      {"GenerateDataKeyWithoutPlaintext", {{"KeySpec", "AES_256"}}},
      {"GetParametersForImport",
       {{"WrappingAlgorithm", "RSAES_OAEP_SHA_256"},
        {"WrappingKeySpec", "RSA_2048"}}},
      {"ImportKeyMaterial",
       {{"ImportToken", "AAAA"},
        {"EncryptedKeyMaterial", "AAAA"},
        {"ExpirationModel", "KEY_MATERIAL_DOES_NOT_EXPIRE"}}},
      {"PutKeyPolicy", {{"Policy", subject.policy}}},
      {"ReplicateKey", {{"ReplicaRegion", "eu-north-1"}}},
      {"TagResource", {{"Tags", tags}}},
      {"UntagResource", {{"TagKeys", {"a"}}}},
      {"UpdateKeyDescription", {{"Description", "walked"}}},
      {"UpdatePrimaryRegion", {{"PrimaryRegion", "eu-north-1"}}}};
  json input = {{"KeyId", subject.id}};
  if (const auto it = extra.find(row); it != extra.end()) {
    input.update(it->second);
  }
  return input;
}

json StatesTest::InputOf(const std::string& row, Subject& subject) {
  if (row == "CreateAlias") {
    return {{"AliasName", fmt::format("alias/walk-{}", ++aliases_)},
            {"TargetKeyId", subject.id}};
  }
  if (row == "DeleteAlias") {
    return {{"AliasName", TakeOne(subject.aliases)}};
  }
  if (row == "UpdateAliasFrom") {
    return {{"AliasName", TakeOne(subject.aliases)},
            {"TargetKeyId", subject.peer}};
  }
  if (row == "UpdateAliasTo") {
    return {{"AliasName", TakeOne(subject.peer_aliases)},
            {"TargetKeyId", subject.id}};
  }
  if (row == "RetireGrant" || row == "RevokeGrant") {
    return {{"KeyId", subject.arn}, {"GrantId", TakeOne(subject.grants)}};
  }
  const json input = CryptographicInput(row, subject);
  return input.is_null() ? OtherInput(row, subject) : input;
}

void StatesTest::Put(const Key& made, KeyState state) {
  Key key = made;
  key.state = state;
  if (state == KeyState::kPendingDeletion) {
    key.deletion_date = clock_.Now() + std::chrono::days(30);
  }
  if (state == KeyState::kPendingReplicaDeletion) {
    key.pending_window_days = 30;
  }
  EXPECT_OK(store().WriteNow([&key](store::Transaction& transaction) {
    return transaction.UpdateKey(key);
  }));
}

std::string StatesTest::Expected(const std::string& row, char cell,
                                 const Subject& subject) const {
  if (cell == '+' || cell == '*') {
    return std::string(1, cell);
  }
  const json& create = subject.kind.create;
  return fmt::format(
      fmt::runtime(golden_.notes.at(cell)), fmt::arg("arn", subject.arn),
      fmt::arg("operation", row),
      fmt::arg("usage", create.value("KeyUsage", "ENCRYPT_DECRYPT")),
      fmt::arg("spec", create.value("KeySpec", "SYMMETRIC_DEFAULT")),
      fmt::arg("origin", create.value("Origin", "AWS_KMS")));
}

void StatesTest::CallAll(Subject& subject, const Key& made, std::size_t column,
                         const std::map<std::string, std::string>& special) {
  const KeyState state = kStates.at(column);
  Put(made, state);
  for (const auto& [row, cells] : golden_.states) {
    SCOPED_TRACE(row + ", " + subject.kind.name + ", " +
                 std::string(KeyStateName(state)));
    char cell = cells.at(column);
    if (const auto it = special.find(row); it != special.end()) {
      cell = it->second.at(column);
    } else if (const auto kind = golden_.kinds.find(row);
               cell == '+' && kind != golden_.kinds.end()) {
      cell = kind->second.at(subject.kind.column);
    }
    const std::string expected = Expected(row, cell, subject);
    const auto reply = Ask(OperationOf(row), InputOf(row, subject));
    const std::string got = reply ? "+" : Text(reply.error());
    if (expected != "*") {
      EXPECT_EQ(got, expected);
    } else {
      for (const char note : {'1', '3', 'r', '4', '5', 'b', 'c', 'd'}) {
        EXPECT_NE(got, Expected(row, note, subject));
      }
    }
    if (reply) {
      Put(made, state);
    } else {
      EXPECT_EQ(Stored(subject)->state, state);
    }
  }
}

TEST_F(StatesTest, TheGoldenTextNamesEveryOperation) {
  std::set<std::string> named = golden_.keyless;
  for (const auto& [row, cells] : golden_.states) {
    named.insert(OperationOf(row));
    EXPECT_EQ(cells.size(), kStates.size()) << row;
  }
  for (const auto& [row, cells] : golden_.kinds) {
    EXPECT_TRUE(named.contains(OperationOf(row))) << row;
    EXPECT_EQ(cells.size(), Kinds().size()) << row;
  }
  std::set<std::string> all;
  for (const Operation& operation : AllOperations()) {
    if (operation.service == "TrentService") {
      all.insert(std::string(operation.name));
    }
  }
  EXPECT_EQ(named, all);
  EXPECT_EQ(all.size(), 56);
}

class KindTest : public StatesTest, public testing::WithParamInterface<Kind> {};

TEST_P(KindTest, AnswersAsTheGoldenTextInEveryState) {
  Subject subject = NewSubject(GetParam());
  const Key made = *Stored(subject);
  for (std::size_t column = 0; column < kStates.size(); ++column) {
    CallAll(subject, made, column, {});
  }
}

INSTANTIATE_TEST_SUITE_P(EveryKind, KindTest, testing::ValuesIn(Kinds()),
                         [](const auto& kind) { return kind.param.name; });

// Deleting its material ends what such a key can be walked for: a new one for
// every state.
TEST_F(StatesTest, ImportedKeysAnswerAsTheGoldenText) {
  Kind kind = Kinds().front();
  kind.name = "imported";
  kind.create = {{"Origin", "EXTERNAL"}};
  for (std::size_t column = 0; column < kStates.size(); ++column) {
    Subject subject = NewSubject(kind);
    const Key made = *Stored(subject);
    CallAll(subject, made, column, golden_.imported);
  }
}

TEST_F(StatesTest, PrimaryKeysAnswerAsTheGoldenText) {
  Kind kind = Kinds().front();
  kind.name = "primary";
  kind.create = {{"MultiRegion", true}};
  for (std::size_t column = 0; column < kStates.size(); ++column) {
    Subject subject = NewSubject(kind);
    const Key made = *Stored(subject);
    CallAll(subject, made, column, golden_.primary);
  }
}

// "State before type" is in the golden text. This is "the owner of a ciphertext
// before the usage", and "the usage before the signature".
TEST_F(StatesTest, TheOwnerOfACiphertextComesBeforeTheUsage) {
  const std::string mac_key =
      Take(Ask("CreateKey", Kinds().back().create)).at("KeyMetadata").at("Arn");
  constexpr const char* kOther =
      "The key ID in the request does not identify a CMK that can perform this "
      "operation.";
  EXPECT_THAT(Ask("Decrypt",
                  {{"KeyId", mac_key}, {"CiphertextBlob", other_ciphertext_}}),
              testlib::StatusIs(base::ErrorCode::kIncorrectKey, kOther));
  EXPECT_THAT(Ask("ReEncrypt", {{"SourceKeyId", mac_key},
                                {"CiphertextBlob", other_ciphertext_},
                                {"DestinationKeyId", other_}}),
              testlib::StatusIs(base::ErrorCode::kIncorrectKey, kOther));
  EXPECT_THAT(
      Ask("Verify", {{"KeyId", mac_key},
                     {"Message", kMessage},
                     {"Signature", "AAAA"},
                     {"SigningAlgorithm", "ECDSA_SHA_256"}}),
      testlib::StatusIs(base::ErrorCode::kInvalidKeyUsage,
                        mac_key + " key usage is GENERATE_VERIFY_MAC which is "
                                  "not valid for Verify."));
}

}  // namespace
}  // namespace kms::operations
