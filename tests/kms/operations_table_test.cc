// SPDX-License-Identifier: Apache-2.0
// The API as a text that is reviewed when it changes, its actions against those
// that policies know, and its key states against AWS's table, copied here by
// hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "kms/http/errors.h"
#include "kms/operations/operation.h"
#include "kms/operations/unavailable.h"
#include "policy/action.h"
#include "tests/testlib/status.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using testlib::StatusIs;

std::string ShapeText(const Shape& shape);

std::string MembersText(std::span<const Member> members) {
  std::string text;
  for (const Member& member : members) {
    text.append(text.empty() ? "" : ", ")
        .append(member.name)
        .append(member.required ? "! " : " ")
        .append(ShapeText(*member.shape));
  }
  return text;
}

std::string ShapeText(const Shape& shape) {
  constexpr std::array kTypes = {"string",    "blob",      "integer",
                                 "boolean",   "map",       "list",
                                 "structure", "timestamp", "conditions"};
  std::string text = kTypes.at(static_cast<std::size_t>(shape.type));
  const auto bound = [](std::int64_t value) {
    return value == kUnbounded ? "" : std::to_string(value);
  };
  if (shape.min != kUnbounded || shape.max != kUnbounded) {
    text.append("[").append(bound(shape.min)).append("..");
    text.append(bound(shape.max)).append("]");
  }
  if (shape.pattern != nullptr) {
    text.append(" /").append(shape.pattern->text).append("/");
  }
  for (const std::string_view value : shape.values) {
    text.append(" |").append(value);
  }
  if (shape.item != nullptr) {
    text.append(" of ").append(ShapeText(*shape.item));
  }
  if (!shape.members.empty()) {
    text.append(" {").append(MembersText(shape.members)).append("}");
  }
  return text + (shape.audited ? "" : " (not audited)");
}

std::string StatesText(States states) {
  std::string text;
  for (int i = 0; i < 8; ++i) {
    const auto state = static_cast<KeyState>(i);
    if ((states & Bit(state)) != 0) {
      text.append(" ").append(KeyStateName(state));
    }
  }
  return text;
}

std::string TableText() {
  constexpr std::array kForms = {"none", "id or ARN", "any", "ARN"};
  std::ostringstream out;
  for (const Operation& operation : AllOperations()) {
    out << operation.service << "." << operation.name << "\n  action "
        << operation.action << "\n  key "
        << kForms.at(static_cast<std::size_t>(operation.key_forms))
        << (operation.effect == Effect::kReads ? "; reads" : "; writes")
        << (operation.grantable ? "; grantable" : "")
        << (operation.cross_account ? "; cross-account" : "")
        << (IsServed(operation) ? "" : "; not served") << "\n  states"
        << StatesText(operation.states) << "\n";
    for (const Member& member : operation.input) {
      out << "  " << MembersText({&member, 1}) << "\n";
    }
  }
  return out.str();
}

TEST(TableTest, IsTheGoldenText) {
  std::ifstream file(CLAVIGER_GOLDEN "/operations.txt");
  std::ostringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(TableText(), golden.str())
      << "If the change is meant, put the first text into "
         "tests/golden/operations.txt.";
}

TEST(TableTest, EveryOperationIsFoundByItsNameOnly) {
  for (const Operation& operation : AllOperations()) {
    EXPECT_EQ(FindOperation(operation.service, operation.name), &operation);
    EXPECT_EQ(FindOperation("Other", operation.name), nullptr);
    EXPECT_NE(operation.resolve, nullptr);
    EXPECT_NE(operation.run, nullptr);
  }
  EXPECT_EQ(FindOperation("TrentService", "encrypt"), nullptr);
  EXPECT_EQ(FindOperation("", ""), nullptr);
}

// Service Authorization Reference, "Actions, resources, and condition keys for
// AWS Key Management Service": what no operation is called by. ReEncrypt asks
// for both of its permissions; its row has the first. Replicas are synchronized
// by AWS itself.
constexpr std::array<std::string_view, 2> kWithoutRow = {
    "kms:ReEncryptTo", "kms:SynchronizeMultiRegionKey"};

// Ours, which stand in key policies like those of AWS KMS, but are not in the
// list of those.
constexpr std::array<std::string_view, 2> kOurs = {"kms:DeleteCertificates",
                                                   "kms:PutCertificate"};

TEST(TableTest, PoliciesKnowTheActionsOfAllRowsAndNoOthers) {
  std::set<std::string> asked(kWithoutRow.begin(), kWithoutRow.end());
  for (const Operation& operation : AllOperations()) {
    if (operation.action.starts_with("kms:")) {
      EXPECT_EQ(std::ranges::count(kWithoutRow, operation.action), 0)
          << operation.action;
      asked.emplace(operation.action);
    } else {
      std::string prefix(operation.service);
      std::ranges::transform(prefix, prefix.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
      });
      EXPECT_TRUE(operation.action.starts_with(prefix + ":"))
          << operation.action;
    }
    // But for ReEncrypt, and ours that explain or tell what another operation
    // tells, an operation and its permission have one name.
    const std::size_t colon = operation.action.find(':');
    EXPECT_TRUE(operation.action.substr(colon + 1) == operation.name ||
                operation.action == "claviger:Explain" ||
                (operation.service == "Claviger" &&
                 operation.effect == Effect::kReads &&
                 FindOperation("TrentService", operation.action.substr(
                                                   colon + 1)) != nullptr) ||
                operation.name == "ReEncrypt")
        << operation.name;
  }
  std::set<std::string> known(kOurs.begin(), kOurs.end());
  for (const std::string_view name : policy::kKmsActions) {
    known.insert("kms:" + std::string(name));
  }
  EXPECT_EQ(asked, known);
}

// Columns: Enabled, Disabled, PendingDeletion, PendingReplicaDeletion,
// PendingImport, Unavailable, Creating, Updating. Developer Guide, "Key states
// of KMS keys": '+' works, the digits are its notes. What it refuses for the
// origin of the key (its notes 6 and 7) is not refused for the state here.
constexpr std::array kColumns = {
    KeyState::kEnabled,         KeyState::kDisabled,
    KeyState::kPendingDeletion, KeyState::kPendingReplicaDeletion,
    KeyState::kPendingImport,   KeyState::kUnavailable,
    KeyState::kCreating,        KeyState::kUpdating};
const std::map<std::string_view, std::string_view> states_by_operation = {
    {"CancelKeyDeletion", "44++4444"},
    {"CreateAlias", "++33++++"},
    {"CreateGrant", "+1335+c+"},
    {"Decapsulate", "+1335bc+"},
    {"Decrypt", "+1335bc+"},
    {"DeleteAlias", "++++++++"},
    {"DeleteImportedKeyMaterial", "++++++cd"},
    {"DeriveSharedSecret", "+1335bc+"},
    {"DescribeKey", "++++++++"},
    {"DisableKey", "++335+cd"},
    {"DisableKeyRotation", "+133++c+"},
    {"EnableKey", "++335+cd"},
    {"EnableKeyRotation", "+133++c+"},
    {"Encapsulate", "+1335bc+"},
    {"Encrypt", "+1335bc+"},
    {"GenerateDataKey", "+1335bc+"},
    {"GenerateDataKeyPair", "+1335bc+"},
    {"GenerateDataKeyPairWithoutPlaintext", "+1335bc+"},
    {"GenerateDataKeyWithoutPlaintext", "+1335bc+"},
    {"GenerateMac", "+1335bc+"},
    {"GetKeyLastUsage", "++++++++"},
    {"GetKeyPolicy", "++++++++"},
    {"GetKeyRotationStatus", "++++++++"},
    {"GetParametersForImport", "++33++cd"},
    {"GetPublicKey", "+1335bc+"},
    {"ImportKeyMaterial", "++33++c+"},
    {"ListAliases", "++++++++"},
    {"ListGrants", "++++++++"},
    {"ListKeyPolicies", "++++++++"},
    {"ListKeyRotations", "++++++++"},
    {"ListResourceTags", "++++++++"},
    {"PutKeyPolicy", "++++++++"},
    {"ReEncrypt", "+1335bc+"},
    {"ReplicateKey", "+1335bcd"},
    {"RetireGrant", "++++++++"},
    {"RevokeGrant", "++++++++"},
    {"RotateKeyOnDemand", "+1335+c+"},
    {"ScheduleKeyDeletion", "++33+++d"},
    {"Sign", "+1335bc+"},
    {"TagResource", "++33++++"},
    {"UntagResource", "++33++++"},
    {"UpdateAlias", "++33++++"},
    {"UpdateKeyDescription", "++33++++"},
    {"UpdatePrimaryRegion", "+1335bc+"},
    {"Verify", "+1335bc+"},
    {"VerifyMac", "+1335bc+"},
    // Ours.
    {"DeleteCertificates", "++33++++"},
    {"MoveKey", "++33++++"},
    {"PutCertificate", "++335+c+"},
};

// What a cell of the table says: the end of the message, and the error.
std::pair<ErrorCode, std::string_view> NoteOf(char note, KeyState state) {
  switch (note) {
    case '1':
      return {ErrorCode::kDisabled, " is disabled."};
    case '3':
      return {ErrorCode::kInvalidState, state == KeyState::kPendingDeletion
                                            ? " is pending deletion."
                                            : " is pending replica deletion."};
    case '4':
      return {ErrorCode::kInvalidState, " is not pending deletion"};
    case '5':
      return {ErrorCode::kInvalidState, " is pending import."};
    case 'b':
      return {ErrorCode::kInvalidState, " is unavailable."};
    case 'c':
      return {ErrorCode::kInvalidState, " is creating."};
    default:
      return {ErrorCode::kInvalidState, " is updating."};
  }
}

TEST(TableTest, KeyStatesAreAwsOnes) {
  Key key;
  key.id = "1234abcd-12ab-34cd-56ef-1234567890ab";
  key.account = "111122223333";
  key.region = "eu-west-1";
  std::size_t with_key = 0;
  for (const Operation& operation : AllOperations()) {
    const bool names_key = states_by_operation.contains(operation.name);
    with_key += names_key;
    const std::string_view row =
        names_key ? states_by_operation.at(operation.name) : "++++++++";
    for (std::size_t i = 0; i < kColumns.size(); ++i) {
      key.state = kColumns.at(i);
      SCOPED_TRACE(testing::Message()
                   << operation.name << " " << KeyStateName(key.state));
      const base::Status status = CheckState(operation.states, key);
      if (row[i] == '+') {
        EXPECT_OK(status);
        continue;
      }
      const auto [code, text] = NoteOf(row[i], key.state);
      EXPECT_THAT(status, StatusIs(code, key.Arn() + std::string(text)));
    }
  }
  EXPECT_EQ(with_key, states_by_operation.size());
}

// A client raises what its model of the operation has.
TEST(UnavailableTest, IsToldAsTheModelHasIt) {
  std::ifstream file(CLAVIGER_MODEL "/kms/2014-11-01/service-2.json");
  const auto model = nlohmann::json::parse(file);
  int checked = 0;
  for (const Operation& operation : AllOperations()) {
    const auto& all = model.at("operations");
    const auto found = all.find(operation.name);
    if (operation.service != "TrentService" || found == all.end()) {
      continue;
    }
    ++checked;
    std::set<std::string> known = {};
    for (const auto& error : found->at("errors")) {
      known.insert(error.at("shape"));
    }
    for (const ErrorCode code :
         {ErrorCode::kHsmUnavailable, ErrorCode::kTimeout,
          ErrorCode::kKeyUnavailable}) {
      const std::string before(http::AwsErrorOf(code).json.name);
      const base::Error told = AsModelled(operation, {code, "why"});
      const std::string after(http::AwsErrorOf(told.code).json.name);
      EXPECT_TRUE(known.contains(after)) << operation.name << " " << after;
      EXPECT_EQ(told.message, "why");
      if (known.contains(before)) {
        EXPECT_EQ(told.code, code) << operation.name;
      }
    }
  }
  EXPECT_GE(checked, 50);
}

TEST(UnavailableTest, IsNotSaidOfOtherErrorsAndOtherServices) {
  const Operation* const create = FindOperation("TrentService", "CreateKey");
  const Operation* const list = FindOperation("Claviger", "ListExternalKeys");
  ASSERT_TRUE(create != nullptr && list != nullptr);
  EXPECT_EQ(AsModelled(*create, {ErrorCode::kNotFound, ""}).code,
            ErrorCode::kNotFound);
  EXPECT_EQ(AsModelled(*create, {ErrorCode::kHsmUnavailable, ""}).code,
            ErrorCode::kTimeout);
  EXPECT_EQ(AsModelled(*list, {ErrorCode::kHsmUnavailable, ""}).code,
            ErrorCode::kHsmUnavailable);
}

}  // namespace
}  // namespace kms::operations
