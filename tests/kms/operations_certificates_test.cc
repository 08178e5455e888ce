// SPDX-License-Identifier: Apache-2.0
// Certificates beside keys, and the listing for the PKCS#11 module.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "kms/operations/bootstrap.h"
#include "kms/operations/identities.h"
#include "tests/kms/operations_testing.h"
#include "tests/testlib/certificate.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testlib::MakeCertificate;
using testlib::StatusIs;
using testlib::Take;

class CertificatesTest : public OperationsTest {
 protected:
  std::string NewPair(std::string_view spec = "ECC_NIST_P256") {
    const json reply = Take(
        Ask("CreateKey", {{"KeySpec", spec}, {"KeyUsage", "SIGN_VERIFY"}}));
    return reply.at("KeyMetadata").at("KeyId").get<std::string>();
  }
  base::Bytes SpkiOf(const std::string& key) {
    const json reply = Take(Ask("GetPublicKey", {{"KeyId", key}}));
    return Take(base::Base64Decode(reply.at("PublicKey").get<std::string>()));
  }
  std::string Leaf(const std::string& key, long serial = 1) {
    return base::Base64Encode(
        MakeCertificate({.serial = serial, .spki = SpkiOf(key)}));
  }
  static std::string Authority() {
    return base::Base64Encode(
        MakeCertificate({.subject = "issuer", .is_authority = true}));
  }
  base::Result<json> Own(
      std::string_view operation, const json& input,
      const Caller& caller = identity::Administrator(kAccount)) {
    return Ask(operation, input, {.caller = caller, .service = "Claviger"});
  }
  json CertificatesOf(const std::string& key) {
    return Take(Own("GetCertificates", {{"KeyId", key}})).at("Certificates");
  }
  void PutKeyPolicy(const std::string& key, const json& more) {
    const json account = {{"Effect", "Allow"},
                          {"Principal", {{"AWS", kAccount}}},
                          {"Action", "kms:*"},
                          {"Resource", "*"}};
    const json policy = {{"Statement", {account, more}}};
    Take(Ask("PutKeyPolicy", {{"KeyId", key}, {"Policy", policy.dump()}}));
  }
  static json Everybody(std::string_view effect, const json& action) {
    return {{"Effect", effect},
            {"Principal", "*"},
            {"Action", action},
            {"Resource", "*"}};
  }
};

TEST_F(CertificatesTest, AreKeptWithTheirChainUntilTheyAreReplacedOrDeleted) {
  const std::string key = NewPair();
  EXPECT_THAT(CertificatesOf(key), IsEmpty());
  const std::string leaf = Leaf(key);
  const std::string authority = Authority();
  Take(Own("PutCertificate",
           {{"KeyId", key}, {"Certificate", leaf}, {"Chain", {authority}}}));
  EXPECT_THAT(CertificatesOf(key), ElementsAre(leaf, authority));
  Restart();
  EXPECT_THAT(CertificatesOf(key), ElementsAre(leaf, authority));

  const std::string newer = Leaf(key, 2);
  Take(Own("PutCertificate", {{"KeyId", key}, {"Certificate", newer}}));
  EXPECT_THAT(CertificatesOf(key), ElementsAre(newer));

  Take(Own("DeleteCertificates", {{"KeyId", key}}));
  EXPECT_THAT(CertificatesOf(key), IsEmpty());
  Take(Own("DeleteCertificates", {{"KeyId", key}}));
}

TEST_F(CertificatesTest, MustBeForThePublicKey) {
  const std::string key = NewPair();
  const std::string other = NewPair();
  for (const std::string& wrong : {Leaf(other), Authority()}) {
    EXPECT_THAT(
        Own("PutCertificate", {{"KeyId", key}, {"Certificate", wrong}}),
        StatusIs(ErrorCode::kValidation, HasSubstr("not for the public key")));
  }
  EXPECT_THAT(CertificatesOf(key), IsEmpty());
}

TEST_F(CertificatesTest, MustBeCertificates) {
  const std::string key = NewPair();
  const std::string leaf = Leaf(key);
  base::Bytes der = Take(base::Base64Decode(leaf));
  base::Bytes longer = der;
  longer.push_back(0);
  der.pop_back();
  for (const base::Bytes& bad : {der, longer, base::Bytes{0x30, 0}}) {
    const std::string text = base::Base64Encode(bad);
    for (const json& input :
         {json{{"KeyId", key}, {"Certificate", text}},
          json{{"KeyId", key}, {"Certificate", leaf}, {"Chain", {text}}}}) {
      EXPECT_THAT(
          Own("PutCertificate", input),
          StatusIs(ErrorCode::kValidation, HasSubstr("not the DER encoding")));
    }
  }
  EXPECT_THAT(Own("PutCertificate", {{"KeyId", key}, {"Certificate", "?"}}),
              StatusIs(ErrorCode::kSerialization));
  EXPECT_THAT(CertificatesOf(key), IsEmpty());
}

TEST_F(CertificatesTest, AreTenOfEightKibibytesAtMost) {
  const std::string key = NewPair();
  const std::string leaf = Leaf(key);
  const json nine(9, Authority());
  EXPECT_OK(Own("PutCertificate",
                {{"KeyId", key}, {"Certificate", leaf}, {"Chain", nine}}));
  EXPECT_THAT(CertificatesOf(key), SizeIs(10));
  const json ten(10, Authority());
  EXPECT_THAT(
      Own("PutCertificate",
          {{"KeyId", key}, {"Certificate", leaf}, {"Chain", ten}}),
      StatusIs(ErrorCode::kValidation, HasSubstr("less than or equal to 9")));
  const std::string big = base::Base64Encode(base::Bytes(8193));
  EXPECT_THAT(Own("PutCertificate", {{"KeyId", key}, {"Certificate", big}}),
              StatusIs(ErrorCode::kValidation, HasSubstr("8192")));
}

TEST_F(CertificatesTest, AreForKeyPairsOnly) {
  const std::string key = NewKey();
  const json input = {{"KeyId", key}, {"Certificate", Authority()}};
  for (const char* operation :
       {"PutCertificate", "GetCertificates", "DeleteCertificates"}) {
    EXPECT_THAT(Own(operation, input),
                StatusIs(ErrorCode::kUnsupportedOperation,
                         HasSubstr("SYMMETRIC_DEFAULT")))
        << operation;
  }
}

TEST_F(CertificatesTest, AreNotChangedOfAKeyThatIsToBeDeleted) {
  const std::string key = NewPair();
  const json input = {{"KeyId", key}, {"Certificate", Leaf(key)}};
  Take(Own("PutCertificate", input));
  Take(Ask("ScheduleKeyDeletion", {{"KeyId", key}}));
  for (const char* operation : {"PutCertificate", "DeleteCertificates"}) {
    EXPECT_THAT(Own(operation, input),
                StatusIs(ErrorCode::kInvalidState, HasSubstr("deletion")));
  }
  EXPECT_THAT(CertificatesOf(key), SizeIs(1));
}

TEST_F(CertificatesTest, NeedPermissionsThatTheKeyPolicyGives) {
  const std::string key = NewPair();
  const json input = {{"KeyId", key}, {"Certificate", Leaf(key)}};
  const Caller alice = identity::User(kAccount, "alice");
  const std::vector<std::pair<const char*, const char*>> rows = {
      {"PutCertificate", "kms:PutCertificate"},
      {"GetCertificates", "kms:GetPublicKey"},
      {"DeleteCertificates", "kms:DeleteCertificates"}};
  for (const auto& [operation, action] : rows) {
    EXPECT_THAT(Own(operation, input, alice),
                StatusIs(ErrorCode::kAccessDenied, HasSubstr(action)));
    PutKeyPolicy(key, Everybody("Allow", action));
    EXPECT_OK(Own(operation, input, alice));
    PutKeyPolicy(key, Everybody("Deny", action));
    EXPECT_THAT(Own(operation, input), StatusIs(ErrorCode::kAccessDenied));
  }
}

TEST_F(CertificatesTest, AreRecordedWithoutTheirBytes) {
  const std::string key = NewPair();
  const std::string leaf = Leaf(key);
  Take(Own("PutCertificate",
           {{"KeyId", key}, {"Certificate", leaf}, {"Chain", {leaf}}}));
  const json event = Events().back();
  EXPECT_EQ(event.at("eventName"), "PutCertificate");
  EXPECT_EQ(event.at("requestParameters"), json({{"keyId", key}}));
  EXPECT_EQ(event.at("readOnly"), false);
}

using Pkcs11ListingTest = CertificatesTest;

TEST_F(Pkcs11ListingTest, HasWhatTheStandardOperationsTell) {
  const std::string key = NewPair();
  Take(Ask("CreateAlias", {{"AliasName", "alias/a"}, {"TargetKeyId", key}}));
  const json tags = {{{"TagKey", "pkcs11:label"}, {"TagValue", "l"}}};
  Take(Ask("TagResource", {{"KeyId", key}, {"Tags", tags}}));
  const std::string leaf = Leaf(key);
  Take(Own("PutCertificate", {{"KeyId", key}, {"Certificate", leaf}}));

  const json reply = Take(Own("ListPkcs11Objects", json::object()));
  EXPECT_EQ(reply.at("Truncated"), false);
  const json expected = {
      {"KeyMetadata",
       Take(Ask("DescribeKey", {{"KeyId", key}})).at("KeyMetadata")},
      {"Aliases", {"alias/a"}},
      {"Tags", tags},
      {"PublicKey",
       Take(Ask("GetPublicKey", {{"KeyId", key}})).at("PublicKey")},
      {"Certificates", {leaf}}};
  EXPECT_THAT(reply.at("Keys"), ElementsAre(expected));
}

TEST_F(Pkcs11ListingTest, ShowsSecretKeysWithoutAPublicKey) {
  NewKey();
  const json reply = Take(Own("ListPkcs11Objects", json::object()));
  ASSERT_THAT(reply.at("Keys"), SizeIs(1));
  EXPECT_FALSE(reply.at("Keys").at(0).contains("PublicKey"));
  EXPECT_FALSE(reply.at("Keys").at(0).contains("Certificates"));
}

TEST_F(Pkcs11ListingTest, ShowsThePublicKeysOfPairsThatCannotBeUsed) {
  const auto shown = [this] {
    const json reply = Take(Own("ListPkcs11Objects", json::object()));
    EXPECT_THAT(reply.at("Keys"), SizeIs(1));
    return reply.at("Keys").at(0).at("PublicKey");
  };
  const json request = {{"KeyId", NewPair()}};
  const json expected = Take(Ask("GetPublicKey", request)).at("PublicKey");
  Take(Ask("DisableKey", request));
  EXPECT_THAT(Ask("GetPublicKey", request), StatusIs(ErrorCode::kDisabled));
  EXPECT_EQ(shown(), expected);
  Take(Ask("ScheduleKeyDeletion", request));
  EXPECT_EQ(shown(), expected);
}

TEST_F(Pkcs11ListingTest, HidesWhatTheCallerMayNotSee) {
  const std::string hidden = NewPair();
  PutKeyPolicy(hidden, Everybody("Deny", "kms:DescribeKey"));
  const std::string partly = NewPair();
  PutKeyPolicy(partly,
               Everybody("Deny", {"kms:GetPublicKey", "kms:ListResourceTags"}));
  const json reply = Take(Own("ListPkcs11Objects", json::object()));
  ASSERT_THAT(reply.at("Keys"), SizeIs(1));
  const json& key = reply.at("Keys").at(0);
  EXPECT_EQ(key.at("KeyMetadata").at("KeyId"), partly);
  EXPECT_TRUE(key.contains("Aliases"));
  for (const char* member : {"Tags", "PublicKey", "Certificates"}) {
    EXPECT_FALSE(key.contains(member)) << member;
  }
  // What the call itself was decided by stays in the record.
  const json event = Events().back();
  EXPECT_EQ(event.at("eventName"), "ListPkcs11Objects");
  EXPECT_EQ(event.at("additionalEventData").at("decision").at("verdict"),
            "Allow");
  EXPECT_THAT(
      Own("ListPkcs11Objects", json::object(), identity::User(kAccount, "eve")),
      StatusIs(ErrorCode::kAccessDenied, HasSubstr("kms:ListKeys")));
}

TEST_F(Pkcs11ListingTest, HasPagesThatGoOnWhereTheLastOneEnded) {
  std::vector<std::string> made(5);
  std::ranges::generate(made, [this] { return NewKey(); });
  std::ranges::sort(made);
  std::vector<std::string> listed;
  json request = {{"Limit", 2}};
  for (bool more = true; more;) {
    const json reply = Take(Own("ListPkcs11Objects", request));
    for (const json& key : reply.at("Keys")) {
      listed.push_back(key.at("KeyMetadata").at("KeyId"));
    }
    more = reply.at("Truncated");
    if (more) {
      request["Marker"] = reply.at("NextMarker");
    }
  }
  EXPECT_EQ(listed, made);
  EXPECT_THAT(Own("ListPkcs11Objects", {{"Marker", "bm9uc2Vuc2U="}}),
              StatusIs(ErrorCode::kInvalidMarker));
}

// Whatever the limit, clients can read it.
TEST_F(Pkcs11ListingTest, HasPagesOfBoundedLength) {
  const base::Bytes padding(8000, 'x');
  const int count = 8;
  for (int i = 0; i < count; ++i) {
    const std::string key = NewPair();
    // Past the API: real certificates of this length are rare.
    Take(store().WriteNow([&](store::Transaction& transaction) {
      return transaction.SetCertificates(key,
                                         std::vector<base::Bytes>(10, padding));
    }));
  }
  const json first = Take(Own("ListPkcs11Objects", {{"Limit", 1000}}));
  EXPECT_EQ(first.at("Truncated"), true);
  EXPECT_LT(first.dump().size(), 1U << 20);
  const json rest =
      Take(Own("ListPkcs11Objects",
               {{"Limit", 1000}, {"Marker", first.at("NextMarker")}}));
  EXPECT_EQ(first.at("Keys").size() + rest.at("Keys").size(),
            static_cast<std::size_t>(count));
}

}  // namespace
}  // namespace kms::operations
