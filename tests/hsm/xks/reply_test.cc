// SPDX-License-Identifier: Apache-2.0
#include "hsm/xks/reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "hsm/xks/errors.h"
#include "tests/testlib/status.h"

namespace hsm::xks {
namespace {

using base::Bytes;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testlib::Take;

std::string B64(const Bytes& bytes) { return base::Base64Encode(bytes); }

// The known answer of the XKS proxy API specification 1.0.3.
Bytes Iv() { return Take(base::HexDecode("1ccae5470f39700254779031")); }
Bytes Ciphertext() { return Take(base::HexDecode("821c642b5b71783367deaf18")); }
Bytes Tag() {
  return Take(base::HexDecode("bc1c4dda7707d6812447c5955e99b261"));
}
Bytes BytesOf(std::string_view text) { return {text.begin(), text.end()}; }

Sent Encrypt() {
  return {XksOperation::kEncrypt, 12,
          BytesOf("project=nile,department=marketing")};
}
json GoodEncrypt() {
  return {{"ciphertext", B64(Ciphertext())},
          {"initializationVector", B64(Iv())},
          {"authenticationTag", B64(Tag())},
          {"ciphertextMetadata", B64(BytesOf("key_version=1"))},
          {"ciphertextDataIntegrityValue",
           "qHA/ImC9h5HsLRXqCyPmWgYx7tzyoTplzILbP0fPXsc="}};
}

// With the integrity value that fits what is in it.
json WithIntegrity(json body, const Sent& sent) {
  Bytes all = sent.aad;
  for (const char* const name : {"ciphertextMetadata", "initializationVector",
                                 "ciphertext", "authenticationTag"}) {
    const Bytes part = Take(base::Base64Decode(body.value(name, "")));
    all.insert(all.end(), part.begin(), part.end());
  }
  const base::Digest digest = base::ThreadHasher().Sha256(all);
  body["ciphertextDataIntegrityValue"] = base::Base64Encode(digest);
  return body;
}

void ExpectMalformed(const Sent& sent, const std::string& body,
                     const std::string& reason, long status = 200) {
  const XksReply reply = ReadReply(sent, status, body);
  EXPECT_EQ(reply.outcome, XksOutcome::kMalformed) << body;
  EXPECT_THAT(reply.message, HasSubstr(reason)) << body;
  EXPECT_TRUE(reply.sealed.ciphertext.empty());
  EXPECT_TRUE(reply.plaintext.empty());
  EXPECT_TRUE(reply.managers.empty());
}

TEST(XksReply, TakesTheKnownAnswerOfTheSpecification) {
  const XksReply reply = ReadReply(Encrypt(), 200, GoodEncrypt().dump());
  EXPECT_EQ(reply.outcome, XksOutcome::kOk) << reply.message;
  EXPECT_EQ(reply.sealed.iv, Iv());
  EXPECT_EQ(reply.sealed.ciphertext, Ciphertext());
  EXPECT_EQ(reply.sealed.tag, Tag());
  EXPECT_EQ(reply.sealed.metadata, BytesOf("key_version=1"));
}

TEST(XksReply, TakesLongIvsNoMetadataAndUnknownMembers) {
  json body = GoodEncrypt();
  body.erase("ciphertextMetadata");
  body["initializationVector"] = B64(Bytes(16, 7));
  body["somethingNew"] = {{"deep", {1, 2, 3}}};
  const XksReply reply =
      ReadReply(Encrypt(), 200, WithIntegrity(body, Encrypt()).dump());
  EXPECT_EQ(reply.outcome, XksOutcome::kOk) << reply.message;
  EXPECT_EQ(reply.sealed.iv, Bytes(16, 7));
  EXPECT_TRUE(reply.sealed.metadata.empty());
}

TEST(XksReply, NeedsEveryMemberOfAnEncryption) {
  for (const char* const name :
       {"ciphertext", "initializationVector", "authenticationTag",
        "ciphertextDataIntegrityValue"}) {
    json body = GoodEncrypt();
    body.erase(name);
    ExpectMalformed(Encrypt(), body.dump(), name);
  }
  const json good = GoodEncrypt();
  for (const auto& [name, value] : good.items()) {
    for (const json& wrong :
         {json(nullptr), json(1), json(json::array()), json("="), json("A"),
          json("AAA"), json("AA-_"), json(" AAA"), json("AAB=\n")}) {
      json body = GoodEncrypt();
      body[name] = wrong;
      ExpectMalformed(Encrypt(), body.dump(), name);
    }
  }
}

// With an integrity value that fits, so that the length alone is wrong.
TEST(XksReply, ChecksEveryLength) {
  const struct {
    const char* name;
    std::size_t size;
  } rows[] = {{"ciphertext", 0},
              {"ciphertext", 11},
              {"ciphertext", 13},
              {"initializationVector", 0},
              {"initializationVector", 11},
              {"initializationVector", 13},
              {"initializationVector", 15},
              {"initializationVector", 17},
              {"authenticationTag", 0},
              {"authenticationTag", 12},
              {"authenticationTag", 15},
              {"authenticationTag", 17},
              {"ciphertextMetadata", 21}};
  for (const auto& row : rows) {
    json body = GoodEncrypt();
    body[row.name] = B64(Bytes(row.size, 1));
    ExpectMalformed(Encrypt(), WithIntegrity(body, Encrypt()).dump(),
                    std::string(row.name) + " that has " +
                        std::to_string(row.size) + " bytes");
  }
  json longest = GoodEncrypt();
  longest["ciphertextMetadata"] = B64(Bytes(20, 1));
  EXPECT_EQ(ReadReply(Encrypt(), 200, WithIntegrity(longest, Encrypt()).dump())
                .outcome,
            XksOutcome::kOk);
}

TEST(XksReply, FindsEveryFlippedByte) {
  for (const char* const name :
       {"ciphertext", "initializationVector", "authenticationTag",
        "ciphertextMetadata", "ciphertextDataIntegrityValue"}) {
    const json good = GoodEncrypt();
    const Bytes bytes = Take(base::Base64Decode(good[name].get<std::string>()));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      Bytes flipped = bytes;
      flipped[i] ^= 0x01;
      json body = good;
      body[name] = B64(flipped);
      ExpectMalformed(Encrypt(), body.dump(), "ciphertextDataIntegrityValue");
    }
  }
  Sent other = Encrypt();
  other.aad.back() ^= 1;
  ExpectMalformed(other, GoodEncrypt().dump(), "ciphertextDataIntegrityValue");
}

TEST(XksReply, ReadsADecryption) {
  const Sent sent{XksOperation::kDecrypt, 5, {}};
  const XksReply reply = ReadReply(sent, 200, R"({"plaintext":"SGVsbG8="})");
  EXPECT_EQ(reply.outcome, XksOutcome::kOk);
  EXPECT_EQ(reply.plaintext.RevealText(), "Hello");
  ExpectMalformed(sent, R"({"plaintext":"SGVsbG8h"})", "has 6 bytes");
  ExpectMalformed(sent, R"({"plaintext":""})", "has 0 bytes");
  ExpectMalformed(sent, R"({"plaintext":"SGVsbG8"})", "is no Base64");
  ExpectMalformed(sent, R"({"plaintext":5})", "is no string");
  ExpectMalformed(sent, R"({"ciphertext":"SGVsbG8="})", "no member plaintext");
}

TEST(XksReply, ReadsMetadata) {
  const Sent sent{XksOperation::kMetadata, 0, {}};
  const json good = {{"keySpec", "AES_256"},
                     {"keyUsage", {"ENCRYPT", "DECRYPT", "WRAP"}},
                     {"keyStatus", "DISABLED"}};
  const XksReply reply = ReadReply(sent, 200, good.dump());
  EXPECT_EQ(reply.outcome, XksOutcome::kOk);
  EXPECT_EQ(reply.key_spec, "AES_256");
  EXPECT_THAT(reply.key_usages, ElementsAre("ENCRYPT", "DECRYPT", "WRAP"));
  EXPECT_EQ(reply.key_status, "DISABLED");
  for (const auto& [name, value] : good.items()) {
    json without = good;
    without.erase(name);
    ExpectMalformed(sent, without.dump(), name);
    json wrong = good;
    wrong[name] = 1;
    ExpectMalformed(sent, wrong.dump(), name);
  }
  json body = good;
  body["keyStatus"] = "enabled";
  ExpectMalformed(sent, body.dump(), "keyStatus");
  body = good;
  body["keyUsage"] = std::vector<std::string>(11, "SIGN");
  ExpectMalformed(sent, body.dump(), "keyUsage");
  body["keyUsage"] = {"ENCRYPT", 1};
  ExpectMalformed(sent, body.dump(), "keyUsage");
}

json Manager(const std::string& status) {
  return {{"id", "hsm"}, {"model", "M"}, {"healthStatus", status}};
}
json GoodHealth() {
  return {{"xksProxyFleetSize", 2},
          {"xksProxyVendor", "V"},
          {"xksProxyModel", "P 1"},
          {"ekmVendor", "E"},
          {"ekmFleetDetails", {Manager("ACTIVE"), Manager("DEGRADED")}}};
}

TEST(XksReply, ReadsHealth) {
  const Sent sent{XksOperation::kHealth, 0, {}};
  const XksReply reply = ReadReply(sent, 200, GoodHealth().dump());
  EXPECT_EQ(reply.outcome, XksOutcome::kOk) << reply.message;
  EXPECT_EQ(reply.proxy_vendor, "V");
  EXPECT_EQ(reply.proxy_model, "P 1");
  EXPECT_EQ(reply.manager_vendor, "E");
  ASSERT_EQ(reply.managers.size(), 2U);
  EXPECT_EQ(reply.managers[0].id, "hsm");
  EXPECT_EQ(reply.managers[0].model, "M");
  EXPECT_EQ(reply.managers[1].status, "DEGRADED");
}

TEST(XksReply, NeedsEveryMemberOfHealth) {
  const Sent sent{XksOperation::kHealth, 0, {}};
  const json good = GoodHealth();
  for (const auto& [name, value] : good.items()) {
    json without = GoodHealth();
    without.erase(name);
    ExpectMalformed(sent, without.dump(), name);
    json wrong = GoodHealth();
    wrong[name] = true;
    ExpectMalformed(sent, wrong.dump(), name);
  }
  for (const json& size : {json(0), json(-1), json(1.5), json("2")}) {
    json body = GoodHealth();
    body["xksProxyFleetSize"] = size;
    ExpectMalformed(sent, body.dump(), "xksProxyFleetSize");
  }
  for (const json& managers :
       {json::array(), json(std::vector<json>(11, Manager("ACTIVE"))),
        json::array({"hsm"}), json::array({json::array()}),
        json::array({Manager("BROKEN")}),
        json::array({{{"id", "hsm"}, {"healthStatus", "ACTIVE"}}})}) {
    json body = GoodHealth();
    body["ekmFleetDetails"] = managers;
    ExpectMalformed(sent, body.dump(), "");
  }
  json body = GoodHealth();
  body["xksProxyVendor"] = std::string(1025, 'x');
  ExpectMalformed(sent, body.dump(), "too long");
}

TEST(XksReply, NamesTheErrorOfEachRow) {
  for (const ErrorRow& row : kErrors) {
    const json body = {{"errorName", row.name}, {"errorMessage", "why\n"}};
    const XksReply reply = ReadReply(Encrypt(), row.status, body.dump());
    EXPECT_EQ(reply.outcome, row.outcome) << row.name;
    EXPECT_EQ(reply.message, "why?");
    const json bare = {{"errorName", row.name}};
    EXPECT_EQ(ReadReply(Encrypt(), row.status, bare.dump()).outcome,
              row.outcome);
    ExpectMalformed(Encrypt(), bare.dump(), "errorName",
                    row.status == 400 ? 500 : 400);
    ExpectMalformed(Encrypt(), bare.dump(), "no member");
  }
}

TEST(XksReply, TakesNoOtherErrors) {
  const std::vector<std::pair<long, std::string>> rows = {
      {500, "<html><h1>Internal Server Error</h1></html>"},
      {500, ""},
      {500, "{}"},
      {500, R"({"errorName":null})"},
      {500, R"({"errorName":["InternalException"]})"},
      {400, R"({"errorName":"SomeNewException"})"},
      {405, R"({"errorName":"ValidationException"})"},
      {201, GoodEncrypt().dump()},
      {204, ""},
      {302, "{}"},
      {100, GoodEncrypt().dump()},
      {0, GoodEncrypt().dump()}};
  for (const auto& [status, body] : rows) {
    ExpectMalformed(Encrypt(), body, "", status);
  }
}

TEST(XksReply, TakesOneJsonObjectAndNothingElse) {
  const std::string good = GoodEncrypt().dump();
  for (const std::string& body :
       {std::string(), std::string("null"), std::string("[]"), good + "x",
        good + good, "[" + good + "]", good.substr(0, good.size() - 1),
        "\xef\xbb\xbf" + good, good + std::string(kMaxReply, ' '),
        // Two readers could take different ones.
        R"({"ciphertext":"AAAA",)" + good.substr(1)}) {
    EXPECT_EQ(ReadReply(Encrypt(), 200, body).outcome, XksOutcome::kMalformed)
        << body;
  }
  EXPECT_EQ(ReadReply(Encrypt(), 200, good + "\r\n").outcome, XksOutcome::kOk);
}

TEST(XksReply, RemembersWhatWasSent) {
  XksRequest request;
  request.operation = XksOperation::kEncrypt;
  request.plaintext = base::Secret::CopyOf(std::string_view("abc"));
  request.aad = {1, 2};
  EXPECT_EQ(SentBy(request).size, 3U);
  EXPECT_EQ(SentBy(request).aad, Bytes({1, 2}));
  request.operation = XksOperation::kDecrypt;
  request.sealed.ciphertext = Bytes(7);
  EXPECT_EQ(SentBy(request).size, 7U);
}

}  // namespace
}  // namespace hsm::xks
