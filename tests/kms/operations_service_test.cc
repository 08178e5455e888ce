// SPDX-License-Identifier: Apache-2.0
// Requests on their way through ApiService, with workers, store and audit log.
#include <map>

#include "base/bytes.h"
#include "kms/operations/bootstrap.h"
#include "kms/operations/outbox.h"
#include "kms/xks/tenants.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testlib::StatusIs;

constexpr const char* kSecret = "attack at dawn";

std::string Base64(std::string_view text) {
  return base::Base64Encode(base::AsBytes(text));
}

class ServiceTest : public OperationsTest {};

TEST_F(ServiceTest, DecryptsWhatItEncrypted) {
  const std::string key = NewKey();
  const json context = {{"department", "finance"}};
  ASSERT_OK_AND_ASSIGN(const json sealed,
                       Ask("Encrypt", {{"KeyId", key},
                                       {"Plaintext", Base64(kSecret)},
                                       {"EncryptionContext", context}}));
  const json& blob = sealed.at("CiphertextBlob");
  ASSERT_OK_AND_ASSIGN(const json opened,
                       Ask("Decrypt", {{"CiphertextBlob", blob},
                                       {"EncryptionContext", context}}));
  EXPECT_EQ(opened.at("Plaintext"), Base64(kSecret));
  EXPECT_EQ(opened.at("KeyId"), sealed.at("KeyId"));
  ASSERT_OK_AND_ASSIGN(const json described,
                       Ask("DescribeKey", {{"KeyId", key}}));
  EXPECT_EQ(described.at("KeyMetadata").at("CurrentKeyMaterialId"),
            opened.at("KeyMaterialId"));
  EXPECT_THAT(Ask("Decrypt", {{"CiphertextBlob", blob}}),
              StatusIs(ErrorCode::kInvalidCiphertext, ""));
  Restart();
  EXPECT_OK(Ask("Decrypt",
                {{"CiphertextBlob", blob}, {"EncryptionContext", context}}));
}

TEST_F(ServiceTest, RecordsWhatWasAllowed) {
  const std::string key = NewKey();
  ASSERT_OK(Ask("Encrypt", {{"KeyId", key},
                            {"Plaintext", Base64(kSecret)},
                            {"EncryptionContext", {{"a", "b"}}},
                            {"Unknown", "unknown-member"}}));
  const json event = Events().back();
  EXPECT_EQ(event.at("eventName"), "Encrypt");
  EXPECT_EQ(event.at("awsRegion"), kRegion);
  EXPECT_EQ(event.at("sourceIPAddress"), "192.0.2.7");
  EXPECT_EQ(event.at("userAgent"), "test/1");
  EXPECT_EQ(event.at("requestID"), "5c2e4a5e-0000-4000-8000-000000000001");
  EXPECT_EQ(event.at("recipientAccountId"), kAccount);
  EXPECT_EQ(event.at("readOnly"), true);
  EXPECT_EQ(event.at("userIdentity").at("arn"),
            "arn:aws:iam::111122223333:user/admin");
  EXPECT_EQ(event.at("requestParameters"),
            json({{"keyId", key}, {"encryptionContext", {{"a", "b"}}}}));
  EXPECT_EQ(event.at("resources").at(0).at("ARN"),
            "arn:aws:kms:eu-west-1:111122223333:key/" + key);
  const json& more = event.at("additionalEventData");
  EXPECT_EQ(more.at("door"), "https");
  EXPECT_EQ(more.at("decision").at("verdict"), "Allow");
  EXPECT_EQ(more.at("context").at("kms:EncryptionContext:a"), "b");
  EXPECT_FALSE(event.contains("errorCode"));
  EXPECT_FALSE(event.contains("storeRevision"));
}

TEST_F(ServiceTest, RecordsTheRevisionOfAMutation) {
  const std::string key = NewKey();
  const json event = Events().back();
  EXPECT_EQ(event.at("eventName"), "CreateKey");
  EXPECT_EQ(event.at("readOnly"), false);
  EXPECT_EQ(event.at("storeRevision"), store().info().revision);
  EXPECT_EQ(event.at("resources").at(0).at("ARN"),
            "arn:aws:kms:eu-west-1:111122223333:key/" + key);
}

TEST_F(ServiceTest, RecordsWhatFailed) {
  const struct {
    std::string_view operation;
    std::string_view body;
    ErrorCode code;
    std::string_view type;
  } cases[] = {
      {"Encrypt", "not json", ErrorCode::kSerialization,
       "SerializationException"},
      {"Encrypt", "[]", ErrorCode::kSerialization, "SerializationException"},
      {"Encrypt", R"({"KeyId":7,"Plaintext":"YQ=="})",
       ErrorCode::kSerialization, "SerializationException"},
      {"Encrypt", "{}", ErrorCode::kValidation, "ValidationException"},
      {"DescribeKey", R"({"KeyId":"alias/none"})", ErrorCode::kNotFound,
       "NotFoundException"},
      {"Decrypt", R"({"CiphertextBlob":"YQ=="})", ErrorCode::kInvalidCiphertext,
       "InvalidCiphertextException"},
      {"NoSuchThing", "{}", ErrorCode::kUnknownOperation,
       "UnknownOperationException"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.body);
    EXPECT_THAT(AskText(each.operation, each.body), StatusIs(each.code));
    const json event = Events().back();
    EXPECT_EQ(event.at("eventName"), each.operation);
    EXPECT_EQ(event.at("errorCode"), each.type);
  }
}

TEST_F(ServiceTest, NeitherPlaintextNorCiphertextReachesTheLog) {
  const std::string key = NewKey();
  const std::string blob = Encrypted(key, kSecret);
  ASSERT_OK(Ask("Decrypt", {{"CiphertextBlob", blob}}));
  ASSERT_OK_AND_ASSIGN(
      const json made,
      Ask("GenerateDataKey", {{"KeyId", key}, {"KeySpec", "AES_256"}}));
  ASSERT_FALSE(
      Ask("Encrypt", {{"KeyId", "none"}, {"Plaintext", Base64(kSecret)}}));
  ASSERT_FALSE(AskText("Encrypt", R"({"KeyId":"k","Plaintext":"attack at"})"));
  EXPECT_THAT(
      LogText(),
      testing::AllOf(Not(HasSubstr(kSecret)), Not(HasSubstr(Base64(kSecret))),
                     Not(HasSubstr("attack at")), Not(HasSubstr(blob)),
                     Not(HasSubstr(made.at("Plaintext").get<std::string>()))));
}

// Good inputs of what the operator does with external keys.
std::map<std::string_view, json> InputsOfExternalKeys() {
  const json tenant = {{"Tenant", "team-a"}};
  const json key = {{"Tenant", "team-a"}, {"ExternalKeyId", "key-1"}};
  return {{"CreateExternalKey", key},
          {"CreateXksCredential", tenant},
          {"DeleteXksCredential",
           {{"Tenant", "team-a"}, {"AccessKeyId", "ABCDEFGHIJKLMNOPQRST"}}},
          {"DisableExternalKey", key},
          {"EnableExternalKey", key},
          {"ListExternalKeys", tenant},
          {"ListXksCredentials", tenant},
          {"RotateExternalKey", key}};
}

// Good inputs of key pairs, MAC keys, custom key stores and what no key can do.
std::map<std::string_view, json> InputsOfOtherKinds(const std::string& key) {
  const json only_key = {{"KeyId", key}};
  return {
      {"ConnectCustomKeyStore", {{"CustomKeyStoreId", "cks-1"}}},
      {"CreateCustomKeyStore",
       {{"CustomKeyStoreName", "store"},
        {"CloudHsmClusterId", "cluster-abcdefghijk"},
        {"TrustAnchorCertificate", "-----"},
        {"KeyStorePassword", "kmsPswd1"}}},
      {"Decapsulate",
       {{"KeyId", key},
        {"SharedSecretCiphertextBlob", "YQ=="},
        {"EncapsulationAlgorithm", "ML_KEM"}}},
      {"DeleteCustomKeyStore", {{"CustomKeyStoreId", "cks-1"}}},
      {"DeleteImportedKeyMaterial", only_key},
      {"DeriveSharedSecret",
       {{"KeyId", key},
        {"KeyAgreementAlgorithm", "ECDH"},
        {"PublicKey", "YQ=="}}},
      {"DescribeCustomKeyStores", json::object()},
      {"DisconnectCustomKeyStore", {{"CustomKeyStoreId", "cks-1"}}},
      {"Encapsulate", {{"KeyId", key}, {"EncapsulationAlgorithm", "ML_KEM"}}},
      {"GenerateDataKeyPair",
       {{"KeyId", key}, {"KeyPairSpec", "ECC_NIST_P256"}}},
      {"GenerateDataKeyPairWithoutPlaintext",
       {{"KeyId", key}, {"KeyPairSpec", "ECC_NIST_P256"}}},
      {"GenerateMac",
       {{"KeyId", key}, {"Message", "YQ=="}, {"MacAlgorithm", "HMAC_SHA_256"}}},
      {"GetParametersForImport",
       {{"KeyId", key},
        {"WrappingAlgorithm", "RSAES_OAEP_SHA_256"},
        {"WrappingKeySpec", "RSA_2048"}}},
      {"GetPublicKey", only_key},
      {"ImportKeyMaterial",
       {{"KeyId", key},
        {"ImportToken", "YQ=="},
        {"EncryptedKeyMaterial", "YQ=="},
        {"ValidTo", 1795346100}}},
      {"ReplicateKey", {{"KeyId", key}, {"ReplicaRegion", "eu-west-2"}}},
      {"Sign",
       {{"KeyId", key},
        {"Message", "YQ=="},
        {"SigningAlgorithm", "ECDSA_SHA_256"}}},
      {"UpdateCustomKeyStore",
       {{"CustomKeyStoreId", "cks-1"}, {"NewCustomKeyStoreName", "name"}}},
      {"UpdatePrimaryRegion", {{"KeyId", key}, {"PrimaryRegion", "eu-west-2"}}},
      {"Verify",
       {{"KeyId", key},
        {"Message", "YQ=="},
        {"Signature", "YQ=="},
        {"SigningAlgorithm", "ECDSA_SHA_256"}}},
      {"VerifyMac",
       {{"KeyId", key},
        {"Message", "YQ=="},
        {"Mac", "YQ=="},
        {"MacAlgorithm", "HMAC_SHA_256"}}},
  };
}

// A good input for every operation that there is.
std::map<std::string_view, json> GoodInputs(const std::string& key,
                                            const std::string& blob) {
  const json only_key = {{"KeyId", key}};
  const std::string arn = "arn:aws:kms:eu-west-1:111122223333:key/" + key;
  const std::string bob = "arn:aws:iam::111122223333:user/bob";
  const std::string grant(64, '0');
  return {
      {"AcceptClock", json::object()},
      {"AddAccount", {{"AccountId", "123456789012"}}},
      {"Explain", {{"EventId", "5c2e4a5e-0000-4000-8000-000000000001"}}},
      {"ReplayPolicy",
       {{"KeyId", key},
        {"NewPolicy",
         R"({"Statement":[{"Effect":"Allow","Principal":"*","Action":"*"}]})"},
        {"Since", 0}}},
      {"SimulatePolicy",
       {{"PrincipalArn", bob}, {"Action", "kms:Sign"}, {"KeyId", key}}},
      {"WhoCan", {{"Action", "kms:Sign"}, {"KeyId", key}}},
      {"DeleteCertificates", only_key},
      {"GetCertificates", only_key},
      {"ListPkcs11Objects", json::object()},
      {"PutCertificate", {{"KeyId", key}, {"Certificate", "MAA="}}},
      {"ListAccounts", json::object()},
      {"ResetKeyPolicy", only_key},
      {"MakeTransportKey", {{"KeyStore", "test"}}},
      {"MoveKey", {{"KeyId", key}, {"Placement", "resident"}}},
      {"ShareWrappingKey", {{"KeyStore", "test"}, {"TargetKeyStore", "other"}}},
      {"Status", json::object()},
      {"CancelKeyDeletion", only_key},
      {"CreateAlias", {{"AliasName", "alias/new"}, {"TargetKeyId", key}}},
      {"CreateGrant",
       {{"KeyId", key},
        {"GranteePrincipal", bob},
        {"Operations", {"Encrypt"}}}},
      {"CreateKey", json::object()},
      {"Decrypt", {{"CiphertextBlob", blob}}},
      {"DeleteAlias", {{"AliasName", "alias/there"}}},
      {"DescribeKey", only_key},
      {"DisableKey", only_key},
      {"DisableKeyRotation", only_key},
      {"EnableKey", only_key},
      {"EnableKeyRotation", only_key},
      {"Encrypt", {{"KeyId", key}, {"Plaintext", "YQ=="}}},
      {"GenerateDataKey", {{"KeyId", key}, {"NumberOfBytes", 1}}},
      {"GenerateDataKeyWithoutPlaintext",
       {{"KeyId", key}, {"NumberOfBytes", 1}}},
      {"GenerateRandom", {{"NumberOfBytes", 1}}},
      {"GetKeyLastUsage", only_key},
      {"GetKeyPolicy", only_key},
      {"GetKeyRotationStatus", only_key},
      {"ListAliases", json::object()},
      {"ListGrants", only_key},
      {"ListKeyPolicies", only_key},
      {"ListKeyRotations", only_key},
      {"ListKeys", json::object()},
      {"ListResourceTags", only_key},
      {"ListRetirableGrants", {{"RetiringPrincipal", bob}}},
      {"PutKeyPolicy",
       {{"KeyId", key},
        {"Policy", R"({"Statement":[{"Effect":"Allow","Principal":"*"}]})"}}},
      {"ReEncrypt", {{"CiphertextBlob", blob}, {"DestinationKeyId", key}}},
      {"RetireGrant", {{"KeyId", arn}, {"GrantId", grant}}},
      {"RevokeGrant", {{"KeyId", key}, {"GrantId", grant}}},
      {"RotateKeyOnDemand", only_key},
      {"ScheduleKeyDeletion", only_key},
      {"TagResource",
       {{"KeyId", key}, {"Tags", {{{"TagKey", "k"}, {"TagValue", "v"}}}}}},
      {"UntagResource", {{"KeyId", key}, {"TagKeys", {"k"}}}},
      {"UpdateAlias", {{"AliasName", "alias/there"}, {"TargetKeyId", key}}},
      {"UpdateKeyDescription", {{"KeyId", key}, {"Description", "d"}}},
  };
}

class EveryOperationTest : public OperationsTest {
 protected:
  EveryOperationTest() : key_(NewKey()), blob_(Encrypted(key_, "x")) {
    testlib::Take(Ask("CreateAlias",
                      {{"AliasName", "alias/there"}, {"TargetKeyId", key_}}));
  }

  // No operation may be forgotten here.
  json InputOf(const Operation& operation) {
    auto inputs = GoodInputs(key_, blob_);
    inputs.merge(InputsOfOtherKinds(key_));
    inputs.merge(InputsOfExternalKeys());
    const auto it = inputs.find(operation.name);
    EXPECT_NE(it, inputs.end()) << operation.name;
    return it == inputs.end() ? json::object() : it->second;
  }

  // Those of IAM and STS have tests of their own.
  static std::vector<Operation> Operations() {
    std::vector<Operation> operations;
    for (const Operation& operation : AllOperations()) {
      if (operation.service == "TrentService" ||
          operation.service == "Claviger") {
        operations.push_back(operation);
      }
    }
    return operations;
  }

  std::string key_;
  std::string blob_;
};

TEST_F(EveryOperationTest, IsDeniedToOthersAndHasNoEffect) {
  const std::uint64_t revision = store().info().revision;
  const hsm::ListKeysRequest list;
  const auto before = testlib::Take(Run(hsm().Call(list))).keys.size();
  for (const Operation& operation : Operations()) {
    SCOPED_TRACE(operation.name);
    From eve = {.caller = identity::User(kAccount, "eve"),
                .service = operation.service};
    if (operation.service == "Claviger") {
      eve.door = Door::kUnix;
    }
    const auto reply = Ask(operation.name, InputOf(operation), eve);
    EXPECT_THAT(reply,
                StatusIs(ErrorCode::kAccessDenied,
                         HasSubstr("arn:aws:iam::111122223333:user/eve is not "
                                   "authorized to perform: ")));
    const json event = Events().back();
    EXPECT_EQ(event.at("eventName"), operation.name);
    EXPECT_EQ(event.at("errorCode"), "AccessDeniedException");
    EXPECT_EQ(event.at("additionalEventData").at("decision").at("verdict"),
              "ImplicitDeny");
    EXPECT_EQ(event.at("userIdentity").at("userName"), "eve");
    EXPECT_FALSE(event.contains("storeRevision"));
  }
  EXPECT_EQ(store().info().revision, revision);
  EXPECT_EQ(testlib::Take(Run(hsm().Call(list))).keys.size(), before);
  EXPECT_THAT(store().ListIntents(), testlib::IsOkAndHolds(testing::IsEmpty()));
}

TEST_F(EveryOperationTest, IsDeniedToTheAdministratorOfAnotherAccount) {
  const std::uint64_t revision = store().info().revision;
  From stranger = {.caller = identity::Administrator("999988887777")};
  const std::string arn = "arn:aws:kms:eu-west-1:111122223333:key/" + key_;
  for (const Operation& operation : Operations()) {
    json input = InputOf(operation);
    if (!input.contains("KeyId") || operation.name == "ResetKeyPolicy" ||
        operation.name == "MoveKey") {
      continue;  // The operator's, who is of no account.
    }
    SCOPED_TRACE(operation.name);
    input["KeyId"] = arn;
    stranger.service = operation.service;
    EXPECT_THAT(Ask(operation.name, input, stranger),
                StatusIs(ErrorCode::kAccessDenied, HasSubstr(arn)));
  }
  EXPECT_EQ(store().info().revision, revision);
}

TEST_F(EveryOperationTest, OrSaysThatNoKeyCanDoIt) {
  int refused = 0;
  for (const Operation& operation : Operations()) {
    if (IsServed(operation)) {
      continue;
    }
    ++refused;
    SCOPED_TRACE(operation.name);
    const std::string text =
        "arn:aws:kms:eu-west-1:111122223333:key/" + key_ +
        " key usage is ENCRYPT_DECRYPT which is not valid for " +
        std::string(operation.name) + ".";
    EXPECT_THAT(Ask(operation.name, InputOf(operation)),
                StatusIs(ErrorCode::kInvalidKeyUsage, text));
  }
  EXPECT_EQ(refused, 2);
}

// But for those that explain or are about keys, whose permission anybody can be
// given.
TEST_F(EveryOperationTest, OfOurOwnIsServedOnTheUnixSocketOnly) {
  testlib::Take(Run(CheckServiceKeys(environment(), NewStore::kAllow)));
  xks::TenantSettings tenant;
  tenant.name = "team-a";
  xks::TenantSource tenants({tenant});
  environment().tenants = &tenants;
  for (const Operation& operation : Operations()) {
    if (operation.service != "Claviger" ||
        operation.action == "claviger:Explain" ||
        operation.action.starts_with("kms:")) {
      continue;
    }
    From from = {.service = operation.service};
    from.caller.administrator = true;
    const json input = InputOf(operation);
    EXPECT_THAT(Ask(operation.name, input, from),
                StatusIs(ErrorCode::kAccessDenied, HasSubstr("Unix socket")));
    from.door = Door::kUnix;
    if (operation.name == "DeleteXksCredential") {  // Its id is made up.
      EXPECT_THAT(Ask(operation.name, input, from),
                  StatusIs(ErrorCode::kNotFound, HasSubstr("no credential")));
    } else if (operation.name == "ShareWrappingKey") {  // There is no other.
      EXPECT_THAT(Ask(operation.name, input, from),
                  StatusIs(ErrorCode::kValidation, HasSubstr("no key store")));
    } else {
      EXPECT_OK(Ask(operation.name, input, from));
    }
  }
  EXPECT_EQ(tenants.current()
                ->FindByName("team-a")
                ->FindKey("key-1")
                ->versions.size(),
            2U);
  environment().tenants = nullptr;
}

TEST_F(ServiceTest, AnExternalKeyIsNamedAndRotatedOnce) {
  testlib::Take(Run(CheckServiceKeys(environment(), NewStore::kAllow)));
  xks::TenantSettings tenant;
  tenant.name = "team-a";
  xks::TenantSource tenants({tenant});
  environment().tenants = &tenants;
  From operators = {.service = "Claviger", .door = Door::kUnix};
  operators.caller.administrator = true;
  const json key = {{"Tenant", "team-a"}, {"ExternalKeyId", "key-1"}};
  for (const char* const step : {".", ".."}) {
    EXPECT_THAT(
        Ask("CreateExternalKey",
            {{"Tenant", "team-a"}, {"ExternalKeyId", step}}, operators),
        StatusIs(ErrorCode::kValidation, HasSubstr("step of the path")));
  }
  ASSERT_OK(Ask("CreateExternalKey", key, operators));
  const auto objects = [this] {
    return testlib::Take(Run(hsm().Call(hsm::ListKeysRequest()))).keys.size();
  };
  const std::size_t before = objects();
  const std::vector<std::pair<std::string, json>> rotations(
      3, {"RotateExternalKey", key});
  std::size_t rotated = 0;
  for (const auto& answer : AskTogether(rotations, operators)) {
    if (answer) {
      ++rotated;
      continue;
    }
    EXPECT_THAT(answer,
                StatusIs(ErrorCode::kConflict,
                         HasSubstr("another request has rotated it meanwhile. "
                                   "Try again.")));
  }
  EXPECT_EQ(rotated, 1U);
  EXPECT_EQ(objects(), before + rotated);
  EXPECT_EQ(testlib::Take(store().ListIntents()).size(), 0U);
  environment().tenants = nullptr;
}

TEST_F(EveryOperationTest, FailsWithoutTheAuditLog) {
  log().refuses = true;
  for (const Operation& operation : Operations()) {
    SCOPED_TRACE(operation.name);
    const From from = {.service = operation.service, .door = Door::kUnix};
    EXPECT_THAT(Ask(operation.name, InputOf(operation), from),
                StatusIs(ErrorCode::kAuditUnavailable));
  }
}

class AuditFailureTest : public OperationsTest {};

TEST_F(AuditFailureTest, AMutationReachesTheLogLaterAndOnce) {
  const std::string key = NewKey();
  log().refuses = true;
  EXPECT_THAT(Ask("DisableKey", {{"KeyId", key}}),
              StatusIs(ErrorCode::kAuditUnavailable));
  EXPECT_EQ(environment().unlogged.size(), 1U);
  RunVoid(RetryUnlogged(environment()));
  EXPECT_EQ(environment().unlogged.size(), 1U);
  EXPECT_EQ(CountEvents("DisableKey"), 0);
  log().refuses = false;
  RunVoid(RetryUnlogged(environment()));
  EXPECT_TRUE(environment().unlogged.empty());
  EXPECT_EQ(CountEvents("DisableKey"), 1);
  Restart();
  ASSERT_OK(CompleteLog(store(), log(), log_folder()));
  EXPECT_EQ(CountEvents("DisableKey"), 1);
}

TEST_F(AuditFailureTest, TheNextStartCompletesTheLog) {
  const std::string key = NewKey();
  ASSERT_OK(
      Ask("TagResource",
          {{"KeyId", key}, {"Tags", {{{"TagKey", "k"}, {"TagValue", "v"}}}}}));
  log().refuses = true;
  ASSERT_FALSE(Ask("DisableKey", {{"KeyId", key}}));
  ASSERT_FALSE(Ask("EnableKey", {{"KeyId", key}}));
  Restart();
  for (int start = 0; start < 2; ++start) {
    ASSERT_OK(CompleteLog(store(), log(), log_folder()));
    EXPECT_EQ(CountEvents("CreateKey"), 1);
    EXPECT_EQ(CountEvents("TagResource"), 1);
    EXPECT_EQ(CountEvents("DisableKey"), 1);
    EXPECT_EQ(CountEvents("EnableKey"), 1);
    Restart();
  }
  EXPECT_THAT(store().ListOutbox(), testlib::IsOkAndHolds(testing::IsEmpty()));
}

TEST_F(AuditFailureTest, IsNotReady) {
  const ApiService service(environment());
  EXPECT_OK(service.Ready());
  log().refuses = true;
  EXPECT_THAT(service.Ready(), StatusIs(ErrorCode::kAuditUnavailable));
}

}  // namespace
}  // namespace kms::operations
