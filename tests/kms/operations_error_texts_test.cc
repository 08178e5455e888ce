// SPDX-License-Identifier: Apache-2.0
// Provokes every text of tests/golden/error_texts.txt through the API.
#include <fmt/format.h>

#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>

#include "base/bytes.h"
#include "kms/http/errors.h"
#include "kms/operations/bootstrap.h"
#include "tests/kms/openssl_key.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using nlohmann::json;
using testlib::Take;
using Reply = base::Result<json>;

// One row of the golden text.
struct Row {
  std::string source;
  std::string name;
  std::string code;
  std::string message;
};

std::vector<Row> ReadRows() {
  std::vector<Row> rows;
  std::ifstream file(CLAVIGER_GOLDEN "/error_texts.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') {
      continue;
    }
    Row row;
    std::istringstream words(line);
    words >> row.source >> row.name >> row.code >> std::ws;
    std::getline(words, row.message);
    rows.push_back(row);
  }
  return rows;
}

std::string Base64(std::string_view text) {
  return base::Base64Encode(base::AsBytes(text));
}

class ErrorTextsTest : public OperationsTest {
 protected:
  ErrorTextsTest() {
    Take(Run(CheckServiceKeys(environment(), NewStore::kAllow)));
    AddStates();
    AddRotation();
    AddImport();
    AddCiphertexts();
    AddSignatures();
    AddConstraints();
    AddNames();
    AddTags();
    AddAccess();
  }

  // A new key, which the text of the row may name.
  std::string Create(const json& input = json::object()) {
    auto made = TryCreate(input);
    return Take(std::move(made));
  }
  base::Result<std::string> TryCreate(const json& input) {
    const Reply made = Ask("CreateKey", input);
    if (!made) {
      return base::Error(made.error());
    }
    key_ = made->at("KeyMetadata").at("Arn");
    return key_;
  }
  std::string CreatePair(const char* spec, const char* usage) {
    return Create({{"KeySpec", spec}, {"KeyUsage", usage}});
  }
  std::string Disabled(const std::string& key) {
    Take(Ask("DisableKey", {{"KeyId", key}}));
    return key;
  }
  Reply Encrypt(const std::string& key, const json& more = json::object()) {
    json input = {{"KeyId", key}, {"Plaintext", Base64("message")}};
    input.update(more);
    return Ask("Encrypt", input);
  }
  std::string CiphertextOf(const std::string& key,
                           const json& more = json::object()) {
    return Take(Encrypt(key, more)).at("CiphertextBlob");
  }
  Reply CreateTagged(const json& tags) {
    return Ask("CreateKey", {{"Tags", tags}});
  }
  Reply Decrypt(const base::Bytes& blob) {
    return Ask("Decrypt", {{"CiphertextBlob", base::Base64Encode(blob)}});
  }
  Reply Import(const std::string& key, std::uint8_t byte, const json& more);

  void AddStates();
  void AddRotation();
  void AddImport();
  void AddCiphertexts();
  void AddSignatures();
  void AddConstraints();
  void AddNames();
  void AddTags();
  void AddAccess();

  void Check(const Row& row, const Reply& reply) const;

  std::map<std::string, std::function<Reply()>> provoke_;
  std::string key_ = "none";
};

void ErrorTextsTest::AddStates() {
  provoke_["disabled"] = [this] { return Encrypt(Disabled(Create())); };
  provoke_["disabled-rsa-rotation"] = [this] {
    const std::string key = CreatePair("RSA_2048", "SIGN_VERIFY");
    return Ask("RotateKeyOnDemand", {{"KeyId", Disabled(key)}});
  };
  provoke_["pending-deletion"] = [this] {
    const std::string key = Create();
    Take(Ask("ScheduleKeyDeletion", {{"KeyId", key}}));
    return Ask("GenerateDataKey", {{"KeyId", key}, {"KeySpec", "AES_256"}});
  };
  provoke_["pending-import-encrypt"] = [this]() -> Reply {
    ASSIGN_OR_RETURN(const std::string key,
                     TryCreate({{"Origin", "EXTERNAL"}}));
    return Encrypt(key);
  };
  provoke_["pending-import-rotation"] = [this]() -> Reply {
    ASSIGN_OR_RETURN(const std::string key,
                     TryCreate({{"Origin", "EXTERNAL"}}));
    return Ask("RotateKeyOnDemand", {{"KeyId", key}});
  };
  provoke_["replica-of-replica"] = [this]() -> Reply {
    ASSIGN_OR_RETURN(const std::string primary,
                     TryCreate({{"MultiRegion", true}}));
    ASSIGN_OR_RETURN(const json replica,
                     Ask("ReplicateKey", {{"KeyId", primary},
                                          {"ReplicaRegion", "eu-north-1"}}));
    key_ = replica.at("ReplicaKeyMetadata").at("Arn");
    From there;
    there.region = "eu-north-1";
    return Ask("ReplicateKey",
               {{"KeyId", key_}, {"ReplicaRegion", "eu-south-1"}}, there);
  };
}

void ErrorTextsTest::AddRotation() {
  provoke_["rotations-limit"] = [this] {
    const std::string key = Create();
    for (int i = 0; i < 25; ++i) {
      Take(Ask("RotateKeyOnDemand", {{"KeyId", key}}));
    }
    return Ask("RotateKeyOnDemand", {{"KeyId", key}});
  };
  provoke_["rotation-of-rsa"] = [this] {
    return Ask("RotateKeyOnDemand",
               {{"KeyId", CreatePair("RSA_2048", "ENCRYPT_DECRYPT")}});
  };
  provoke_["nothing-pending-rotation"] = [this]() -> Reply {
    ASSIGN_OR_RETURN(const std::string key,
                     TryCreate({{"Origin", "EXTERNAL"}}));
    Take(Import(key, 1, json::object()));
    return Ask("RotateKeyOnDemand", {{"KeyId", key}});
  };
}

// Material of one byte again and again.
Reply ErrorTextsTest::Import(const std::string& key, std::uint8_t byte,
                             const json& more) {
  ASSIGN_OR_RETURN(const json got,
                   Ask("GetParametersForImport",
                       {{"KeyId", key},
                        {"WrappingAlgorithm", "RSAES_OAEP_SHA_256"},
                        {"WrappingKeySpec", "RSA_2048"}}));
  const std::string public_key = got.at("PublicKey");
  const OpensslKey wrapping =
      OpensslKey::FromSpki(Take(base::Base64Decode(public_key)));
  const base::Bytes wrapped =
      wrapping.Encrypt("RSAES_OAEP_SHA_256", base::Bytes(32, byte));
  json input = {{"KeyId", key},
                {"ImportToken", got.at("ImportToken")},
                {"EncryptedKeyMaterial", base::Base64Encode(wrapped)},
                {"ExpirationModel", "KEY_MATERIAL_DOES_NOT_EXPIRE"}};
  input.update(more);
  return Ask("ImportKeyMaterial", input);
}

void ErrorTextsTest::AddImport() {
  provoke_["import-parameters-origin"] = [this] {
    return Import(Create(), 1, json::object());
  };
  provoke_["two-pending-rotation"] = [this]() -> Reply {
    ASSIGN_OR_RETURN(const std::string key,
                     TryCreate({{"Origin", "EXTERNAL"}}));
    Take(Import(key, 1, json::object()));
    const json another = {{"ImportType", "NEW_KEY_MATERIAL"}};
    Take(Import(key, 2, another));
    return Import(key, 3, another);
  };
  provoke_["valid-to"] = [this]() -> Reply {
    ASSIGN_OR_RETURN(const std::string key,
                     TryCreate({{"Origin", "EXTERNAL"}}));
    return Import(key, 1, {{"ExpirationModel", nullptr}});
  };
}

void ErrorTextsTest::AddCiphertexts() {
  provoke_["decrypt-other-key"] = [this] {
    const std::string blob = CiphertextOf(Create());
    return Ask("Decrypt", {{"CiphertextBlob", blob}, {"KeyId", Create()}});
  };
  provoke_["re-encrypt-other-key"] = [this] {
    const std::string blob = CiphertextOf(Create());
    const std::string other = Create();
    return Ask("ReEncrypt", {{"CiphertextBlob", blob},
                             {"SourceKeyId", other},
                             {"DestinationKeyId", other}});
  };
  provoke_["decrypt-with-mac-key"] = [this] {
    const std::string blob = CiphertextOf(Create());
    const std::string other = CreatePair("HMAC_256", "GENERATE_VERIFY_MAC");
    return Ask("Decrypt", {{"CiphertextBlob", blob}, {"KeyId", other}});
  };
  const json context = {{"EncryptionContext", {{"a", "b"}}}};
  provoke_["decrypt-other-context"] = [this, context] {
    const std::string blob = CiphertextOf(Create(), context);
    return Ask("Decrypt",
               {{"CiphertextBlob", blob}, {"EncryptionContext", {{"a", "B"}}}});
  };
  provoke_["decrypt-no-context"] = [this, context] {
    return Ask("Decrypt",
               {{"CiphertextBlob", CiphertextOf(Create(), context)}});
  };
  provoke_["decrypt-truncated"] = [this] {
    base::Bytes blob = Take(base::Base64Decode(CiphertextOf(Create())));
    blob.pop_back();
    return Decrypt(blob);
  };
  provoke_["decrypt-extended"] = [this] {
    base::Bytes blob = Take(base::Base64Decode(CiphertextOf(Create())));
    blob.push_back(0);
    return Decrypt(blob);
  };
  // Of a key that is in no store.
  provoke_["ciphertext-of-nobody"] = [this] {
    base::Bytes blob = Take(base::Base64Decode(CiphertextOf(Create())));
    blob.at(3) ^= 1;  // In the key's id; docs/protocol/ciphertext.md.
    return Decrypt(blob);
  };
}

void ErrorTextsTest::AddSignatures() {
  const auto verify = [this](const std::string& key) {
    return Ask("Verify", {{"KeyId", key},
                          {"Message", Base64("message")},
                          {"Signature", Base64("no signature")},
                          {"SigningAlgorithm", "ECDSA_SHA_256"}});
  };
  provoke_["bad-signature"] = [this, verify] {
    return verify(CreatePair("ECC_NIST_P256", "SIGN_VERIFY"));
  };
  provoke_["verify-usage"] = [this, verify] { return verify(Create()); };
  provoke_["digest-length"] = [this] {
    return Ask("Sign", {{"KeyId", CreatePair("ECC_NIST_P256", "SIGN_VERIFY")},
                        {"Message", Base64("no digest")},
                        {"MessageType", "DIGEST"},
                        {"SigningAlgorithm", "ECDSA_SHA_256"}});
  };
  const auto mac = [this](const std::string& key) {
    return Ask("GenerateMac", {{"KeyId", key},
                               {"Message", Base64("message")},
                               {"MacAlgorithm", "HMAC_SHA_256"}});
  };
  provoke_["mac-usage"] = [this, mac] { return mac(Create()); };
  provoke_["mac-algorithm"] = [this, mac] {
    return mac(CreatePair("HMAC_224", "GENERATE_VERIFY_MAC"));
  };
  provoke_["bad-mac"] = [this] {
    return Ask("VerifyMac",
               {{"KeyId", CreatePair("HMAC_256", "GENERATE_VERIFY_MAC")},
                {"Message", Base64("message")},
                {"Mac", Base64("no MAC")},
                {"MacAlgorithm", "HMAC_SHA_256"}});
  };
  provoke_["peer-public-key"] = [this] {
    return Ask("DeriveSharedSecret",
               {{"KeyId", CreatePair("ECC_NIST_P256", "KEY_AGREEMENT")},
                {"KeyAgreementAlgorithm", "ECDH"},
                {"PublicKey", Base64("no key")}});
  };
}

void ErrorTextsTest::AddConstraints() {
  provoke_["oaep-length"] = [this] {
    return Encrypt(CreatePair("RSA_2048", "ENCRYPT_DECRYPT"),
                   {{"EncryptionAlgorithm", "RSAES_OAEP_SHA_256"},
                    {"Plaintext", Base64(std::string(191, 'x'))}});
  };
  provoke_["plaintext-length"] = [this] {
    return Encrypt(Create(), {{"Plaintext", Base64(std::string(4097, 'x'))}});
  };
  provoke_["number-of-bytes"] = [this] {
    return Ask("GenerateRandom", json::object());
  };
  provoke_["data-key-size"] = [this] {
    return Ask("GenerateDataKey", {{"KeyId", Create()}});
  };
  provoke_["key-usage-missing"] = [this] {
    return Ask("CreateKey", {{"KeySpec", "HMAC_256"}});
  };
  provoke_["key-usage-wrong"] = [this] {
    return Ask("CreateKey",
               {{"KeySpec", "RSA_2048"}, {"KeyUsage", "KEY_AGREEMENT"}});
  };
  provoke_["deletion-window"] = [this] {
    return Ask("ScheduleKeyDeletion",
               {{"KeyId", Create()}, {"PendingWindowInDays", 31}});
  };
  provoke_["dry-run"] = [this] {
    return Encrypt(Create(), {{"DryRun", true}});
  };
}

void ErrorTextsTest::AddNames() {
  const auto alias = [this](const char* name, const std::string& target) {
    return Ask("CreateAlias", {{"AliasName", name}, {"TargetKeyId", target}});
  };
  provoke_["alias-prefix"] = [this, alias] { return alias("x", Create()); };
  provoke_["alias-characters"] = [this, alias] {
    return alias("alias/my:alias", Create());
  };
  provoke_["alias-of-alias"] = [alias] { return alias("alias/a", "alias/b"); };
  provoke_["alias-reserved"] = [this, alias] {
    return alias("alias/aws/x", Create());
  };
  provoke_["alias-taken"] = [this, alias] {
    Take(alias("alias/taken", Create()));
    return alias("alias/taken", Create());
  };
  const auto describe = [this](const std::string& name) {
    return Ask("DescribeKey", {{"KeyId", name}});
  };
  provoke_["alias-unknown"] = [describe] { return describe("alias/absent"); };
  provoke_["key-id-invalid"] = [describe] { return describe("fake-key-id"); };
  provoke_["key-id-unknown"] = [describe] {
    return describe("01234567-89ab-4cde-8f01-23456789abcd");
  };
  provoke_["arn-other-region"] = [describe] {
    return describe(
        "arn:aws:kms:eu-north-1:111122223333:key/"
        "01234567-89ab-4cde-8f01-23456789abcd");
  };
  provoke_["policy-name"] = [this] {
    return Ask("GetKeyPolicy", {{"KeyId", Create()}, {"PolicyName", "other"}});
  };
  provoke_["grant-unknown"] = [this] {
    const std::string id = "0123456789abcdef0123456789abcdef";
    return Ask("RevokeGrant", {{"KeyId", Create()}, {"GrantId", id + id}});
  };
}

void ErrorTextsTest::AddTags() {
  const auto tag = [](const std::string& key) {
    return json{{"TagKey", key}, {"TagValue", ""}};
  };
  provoke_["tag-reserved"] = [this, tag] {
    return CreateTagged(json::array({tag("aWs:x")}));
  };
  provoke_["tag-duplicate"] = [this, tag] {
    return CreateTagged(json::array({tag("a"), tag("a")}));
  };
  provoke_["tag-too-many"] = [this, tag] {
    json tags = json::array();
    for (int i = 0; i < 51; ++i) {
      tags.push_back(tag(std::to_string(i)));
    }
    return CreateTagged(tags);
  };
}

void ErrorTextsTest::AddAccess() {
  const auto data_key = [this](Caller caller) {
    From from;
    from.caller = std::move(caller);
    return Ask("GenerateDataKey", {{"KeyId", Create()}, {"KeySpec", "AES_256"}},
               from);
  };
  provoke_["policy-silent-abroad"] = [data_key] {
    return data_key(identity::Administrator("444455556666"));
  };
  provoke_["policy-silent"] = [this] {
    const json policy = {
        {"Version", "2012-10-17"},
        {"Statement",
         {{{"Effect", "Allow"},
           {"Principal", {{"AWS", "arn:aws:iam::111122223333:user/admin"}}},
           {"Action", "kms:*"},
           {"Resource", "*"}}}}};
    EXPECT_THAT(
        Ask("PutKeyPolicy", {{"KeyId", Create()}, {"Policy", policy.dump()}}),
        testlib::IsOk());
    return Ask("GenerateDataKey", {{"KeyId", key_}, {"KeySpec", "AES_256"}},
               {.caller = identity::User(kAccount, "alice")});
  };
  provoke_["identity-silent"] = [data_key] {
    return data_key(identity::User(kAccount, "alice"));
  };
  const auto put = [this](const std::string& principal) {
    const json statement = {{"Effect", "Allow"},
                            {"Principal", {{"AWS", principal}}},
                            {"Action", "kms:Decrypt"},
                            {"Resource", "*"}};
    const json policy = {{"Version", "2012-10-17"}, {"Statement", {statement}}};
    return Ask("PutKeyPolicy",
               {{"KeyId", Create()}, {"Policy", policy.dump()}});
  };
  provoke_["lockout"] = [put] { return put("arn:aws:iam::111122223333:root"); };
}

// "{hex64}" of the expected text, and what stands there.
std::string WithDigits(std::string expected, const std::string& got) {
  constexpr std::string_view kDigits = "{hex64}";
  for (std::size_t at = 0;
       (at = expected.find(kDigits)) != std::string::npos;) {
    const std::string digits = at < got.size() ? got.substr(at, 64) : "";
    EXPECT_THAT(digits, testing::MatchesRegex("[0-9a-f]{64}"));
    expected.replace(at, kDigits.size(), digits);
  }
  return expected;
}

void ErrorTextsTest::Check(const Row& row, const Reply& reply) const {
  const bool unsupported =
      !reply && reply.error().code == base::ErrorCode::kUnsupportedOperation &&
      reply.error().message.ends_with("not supported by this server.");
  if (unsupported) {
    std::cout << "Not provoked: " << row.name << ": " << reply.error().message
              << std::endl;
    return;
  }
  ASSERT_FALSE(reply) << *reply;
  const std::string message =
      row.message == "(none)"
          ? ""
          : fmt::format(fmt::runtime(row.message), fmt::arg("key", key_),
                        fmt::arg("region", kRegion),
                        fmt::arg("account", kAccount),
                        fmt::arg("hex64", "{hex64}"));
  const base::Error& error = reply.error();
  EXPECT_EQ(http::AwsErrorOf(error.code).json.name, row.code);
  EXPECT_EQ(error.message, WithDigits(message, error.message));
}

TEST_F(ErrorTextsTest, EveryTextOfTheGoldenFileCanBeProvoked) {
  std::size_t provoked = 0;
  for (const Row& row : ReadRows()) {
    SCOPED_TRACE(row.name);
    if (row.source == "elsewhere") {
      continue;
    }
    const auto it = provoke_.find(row.name);
    ASSERT_NE(it, provoke_.end());
    Check(row, it->second());
    ++provoked;
  }
  EXPECT_EQ(provoked, provoke_.size());
}

}  // namespace
}  // namespace kms::operations
