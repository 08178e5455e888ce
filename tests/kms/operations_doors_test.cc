// SPDX-License-Identifier: Apache-2.0
// Nothing reaches an operation without a policy that lets it: every operation,
// through every door, asked by somebody who has no permission at all.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "kms/operations/bootstrap.h"
#include "kms/operations/identities.h"
#include "kms/operations/operation.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testlib::StatusIs;
using testlib::Take;

// What AWS lets every user do: to ask who they are, and for a session of their
// own.
constexpr std::array<std::string_view, 2> kNeedsNoPermission = {
    "GetCallerIdentity", "GetSessionToken"};
// Asked by a token of an identity provider, and not by its caller.
constexpr std::string_view kAsksAnother = "AssumeRoleWithWebIdentity";

class DoorsTest : public OperationsTest {
 protected:
  DoorsTest() {
    Take(Run(CheckServiceKeys(environment(), NewStore::kAllow)));
    Take(Run(LoadIdentities(environment())));
    key_ = NewKey();
    Take(Ask("CreateAlias",
             {{"AliasName", "alias/mine"}, {"TargetKeyId", key_}}));
    values_ = {
        {"KeyId", key_},
        {"TargetKeyId", key_},
        {"DestinationKeyId", NewKey()},
        {"CiphertextBlob", Encrypted(key_, "secret")},
        {"AliasName", "alias/mine"},
        {"GrantId", std::string(64, 'a')},
        {"GranteePrincipal", "arn:aws:iam::111122223333:user/eve"},
        {"RetiringPrincipal", "arn:aws:iam::111122223333:user/alice"},
        {"SigningAlgorithm", "ECDSA_SHA_256"},
        {"MacAlgorithm", "HMAC_SHA_256"},
        {"KeyAgreementAlgorithm", "ECDH"},
        {"KeyPairSpec", "ECC_NIST_P256"},
        {"WrappingAlgorithm", "RSAES_OAEP_SHA_256"},
        {"WrappingKeySpec", "RSA_2048"},
        {"ReplicaRegion", "eu-north-1"},
        {"PrimaryRegion", "eu-north-1"},
        {"PolicyName", "default"},
        {"Operations", {"Encrypt"}},
        {"TagKeys", {"a"}},
        {"RoleArn", "arn:aws:iam::111122223333:role/bob"},
        {"PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess"},
        {"PermissionsBoundary", "arn:aws:iam::aws:policy/AdministratorAccess"},
        {"VersionId", "v1"},
        {"Status", "Inactive"},
        {"AccessKeyId", "AKIAABCDEFGHIJKLMNOP"},
        {"RoleName", "bob"},
        {"UserName", "alice"},
        {"AccountId", "777788889999"},
        {"CustomKeyStoreName", "name"},
        {"CustomKeyStoreId", "cks-1234567890abcdef0"},
        {"EncapsulationAlgorithm", "ML_KEM"},
        {"PrincipalArn", "arn:aws:iam::111122223333:user/alice"},
        {"Action", "kms:Encrypt"},
    };
  }

  json ValueFor(const Operation& operation, const Member& member) const {
    if (member.name == "Tags") {
      return json::array({operation.service == "TrentService"
                              ? json{{"TagKey", "a"}, {"TagValue", "b"}}
                              : json{{"Key", "a"}, {"Value", "b"}}});
    }
    if (const auto value = values_.find(std::string(member.name));
        value != values_.end()) {
      return value->second;
    }
    switch (member.shape->type) {
      case Type::kInteger:
        return std::max<std::int64_t>(member.shape->min, 1);
      case Type::kBoolean:
        return false;
      case Type::kTimestamp:
        return 1795342500;
      case Type::kBlob:
        return "AAAA";
      default:
        break;
    }
    if (operation.name == "PutKeyPolicy") {
      return R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",)"
             R"("Principal":"*","Action":"kms:*","Resource":"*"}]})";
    }
    if (member.name.find("Policy") != std::string_view::npos) {
      return R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",)"
             R"("Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}]})";
    }
    return member.shape->values.empty()
               ? json(std::string(std::max<std::int64_t>(member.shape->min, 3),
                                  'x'))
               : json(member.shape->values.front());
  }

  // The least that the operation takes.
  json InputOf(const Operation& operation) const {
    json input = json::object();
    for (const Member& member : operation.input) {
      if (member.required) {
        input[std::string(member.name)] = ValueFor(operation, member);
      }
    }
    if (operation.name.starts_with("GenerateDataKey") &&
        operation.name.find("Pair") == std::string_view::npos) {
      input["NumberOfBytes"] = 32;
    }
    if (operation.name == "RetireGrant" || operation.name == "RevokeGrant") {
      input["KeyId"] = "arn:aws:kms:eu-west-1:111122223333:key/" + key_;
      input["GrantId"] = values_.at("GrantId");
    }
    if (operation.name == "CreateGrant") {
      input["GranteePrincipal"] = values_.at("GranteePrincipal");
    }
    if (operation.name == "ListRetirableGrants") {
      input["RetiringPrincipal"] = values_.at("RetiringPrincipal");
    }
    if (operation.name == "Decrypt" || operation.name == "ReEncrypt") {
      input["CiphertextBlob"] = values_.at("CiphertextBlob");
    }
    if (operation.name == "GenerateRandom") {
      input["NumberOfBytes"] = 32;
    }
    if (operation.name == "ImportKeyMaterial") {
      input["ExpirationModel"] = "KEY_MATERIAL_DOES_NOT_EXPIRE";
    }
    if (operation.name == "CreateCustomKeyStore") {
      input["CloudHsmClusterId"] = "cluster-abcdefghijk";
      input["TrustAnchorCertificate"] = "-----";
      input["KeyStorePassword"] = "kmsPswd1";
    }
    if (operation.name == "UpdateCustomKeyStore") {
      input["NewCustomKeyStoreName"] = "name";
    }
    if (operation.name == "GetUser") {
      input["UserName"] = values_.at("UserName");
    }
    return input;
  }

  std::string key_;
  std::map<std::string, json, std::less<>> values_;
};

TEST_F(DoorsTest, LetNobodyInWithoutPermission) {
  const Caller eve =
      *environment().directory.current()->UserCaller(kAccount, "eve");
  const std::uint64_t revision = store().info().revision;
  int asked = 0;
  for (const Operation& operation : AllOperations()) {
    if (operation.name == kAsksAnother ||
        std::ranges::count(kNeedsNoPermission, operation.name) > 0) {
      continue;
    }
    const json input = InputOf(operation);
    for (const Door door : {Door::kHttp, Door::kHttps, Door::kUnix}) {
      EXPECT_THAT(
          Ask(operation.name, input,
              {.caller = eve, .service = operation.service, .door = door}),
          StatusIs(ErrorCode::kAccessDenied))
          << operation.service << "." << operation.name << " " << DoorName(door)
          << " " << input;
      ++asked;
    }
  }
  EXPECT_EQ(store().info().revision, revision);
  int recorded = 0;
  for (const json& event : Events()) {
    const json error = event.value("errorCode", json());
    recorded += error == "AccessDenied" || error == "AccessDeniedException";
  }
  EXPECT_EQ(recorded, asked);
}

TEST_F(DoorsTest, AskNothingOfWhoNeedsNoPermission) {
  const Caller eve =
      *environment().directory.current()->UserCaller(kAccount, "eve");
  const std::uint64_t revision = store().info().revision;
  for (const std::string_view name : kNeedsNoPermission) {
    EXPECT_OK(Ask(name, json::object(), {.caller = eve, .service = "STS"}));
  }
  Caller nobody;
  nobody.kind = CallerKind::kAnonymous;
  EXPECT_THAT(Ask(kAsksAnother,
                  {{"RoleArn", values_.at("RoleArn")},
                   {"RoleSessionName", "job"},
                   {"WebIdentityToken", "no token"}},
                  {.caller = nobody, .service = "STS"}),
              StatusIs(ErrorCode::kInvalidIdentityToken));
  EXPECT_EQ(store().info().revision, revision);
}

}  // namespace
}  // namespace kms::operations
