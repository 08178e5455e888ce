// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kms/audit/event.h"
#include "kms/audit/json_text.h"
#include "kms/audit/text_buffer.h"
#include "tests/kms/audit_fixture.h"

namespace kms::audit {
namespace {

constexpr char kArn[] =
    "arn:aws:kms:eu-west-1:111122223333:key/"
    "1234abcd-12ab-34cd-56ef-1234567890ab";

std::string Quoted(std::string_view text) {
  TextBuffer out(4);  // Less than is needed, so that it grows.
  AppendJsonString(text, out);
  return std::move(out).Take();
}

TEST(AuditEventTest, NothingOfASpareTextIsSeenAgain) {
  while (!TakeSpareText().empty()) {
  }
  KeepSpareText(std::string(600, 'x'));
  TextBuffer out(TakeSpareText(), 16);
  out.Add("short");
  EXPECT_EQ(std::move(out).Take(), "short");
  TextBuffer grown(std::string("xyz"), 4);
  grown.Add(std::string(100, 'a'));
  EXPECT_EQ(std::move(grown).Take(), std::string(100, 'a'));
}

TEST(AuditEventTest, FewAndSmallTextsAreSpared) {
  while (!TakeSpareText().empty()) {
  }
  KeepSpareText(std::string(100'000, 'x'));
  EXPECT_EQ(TakeSpareText(), "");
  for (int i = 0; i < 1000; ++i) {
    KeepSpareText("text");
  }
  int spared = 0;
  while (!TakeSpareText().empty()) {
    ++spared;
  }
  EXPECT_EQ(spared, 128);
}

TEST(AuditEventTest, FullEventIsTheGoldenFile) {
  const StringPair context_pairs[] = {{"tenant", "blue \"7\""}, {"p", "å"}};
  const std::string_view recipients[] = {"a", "b"};
  const Member request[] = {
      {"keyId", "alias/orders"},
      {"encryptionContext", std::span<const StringPair>(context_pairs)},
      {"numberOfBytes", 32},
      {"dryRun", false},
      {"grantTokens", std::span<const std::string_view>(recipients)}};
  const Member response[] = {{"keyId", kArn}};
  const Member decision[] = {
      {"verdict", "Allow"}, {"layer", "key policy"}, {"sid", "root"}};
  const Member context[] = {{"aws:SourceIp", "192.0.2.7"},
                            {"aws:SecureTransport", true}};
  const Event::Resource resources[] = {{"111122223333", kArn}};
  Event event;
  event.identity = {"IAMUser",
                    "AIDAEXAMPLE",
                    "arn:aws:iam::111122223333:user/alice",
                    "111122223333",
                    "AKIAEXAMPLE",
                    "alice",
                    ""};
  event.time = kNow;
  event.name = "GenerateDataKey";
  event.region = "eu-west-1";
  event.source_address = "192.0.2.7";
  event.user_agent = "aws-cli/2";
  event.request = request;
  event.response = response;
  event.decision = decision;
  event.context = context;
  event.door = "https";
  event.request_id = "7ab1c3de-0000-4000-8000-000000000001";
  event.event_id = "7ab1c3de-0000-4000-8000-000000000002";
  event.resources = resources;
  event.recipient_account = "111122223333";
  event.tls = {"TLSv1.3", "TLS_AES_128_GCM_SHA256", "kms.example"};
  event.store_revision = 42;
  const std::string golden =
      Slurp(CLAVIGER_SOURCE_DIR "/tests/golden/audit_event.json");
  EXPECT_EQ(EventText(event) + "\n", golden);
  EXPECT_TRUE(nlohmann::json::accept(golden));
}

TEST(AuditEventTest, WhatIsNotThereIsNullOrLeftOut) {
  Event event;
  event.type = Event::Type::kAwsServiceEvent;
  event.identity.type = "AWSService";
  event.identity.invoked_by = "kms.amazonaws.com";
  event.error_code = "AccessDeniedException";
  event.read_only = false;
  const auto json = nlohmann::json::parse(EventText(event));
  EXPECT_TRUE(json["requestParameters"].is_null());
  EXPECT_TRUE(json["responseElements"].is_null());
  EXPECT_EQ(json["resources"], nlohmann::json::array());
  EXPECT_EQ(json["eventType"], "AwsServiceEvent");
  EXPECT_EQ(json["readOnly"], false);
  EXPECT_EQ(json["errorCode"], "AccessDeniedException");
  EXPECT_EQ(json["userIdentity"].size(), 2U);
  for (const char* name :
       {"errorMessage", "additionalEventData", "tlsDetails", "storeRevision",
        "recordType", "serviceEventDetails"}) {
    EXPECT_FALSE(json.contains(name)) << name;
  }
}

TEST(AuditEventTest, AServiceEventHasItsDetails) {
  Event event;
  event.type = Event::Type::kAwsServiceEvent;
  const Member details[] = {{"rotationType", "AUTOMATIC"}, {"keyId", "1"}};
  event.service_details = details;
  const auto json = nlohmann::json::parse(EventText(event));
  EXPECT_EQ(json["serviceEventDetails"],
            (nlohmann::json{{"rotationType", "AUTOMATIC"}, {"keyId", "1"}}));
}

TEST(AuditEventTest, SaysWhatWasAskedOfPolicies) {
  const Event::Check checks[] = {{"kms:ReEncryptFrom", "a", ""},
                                 {"kms:ReEncryptTo", "\"b", "eu-west-2"}};
  Event event;
  event.door = "https";
  event.checks = checks;
  event.session_policies = 2;
  const auto json = nlohmann::json::parse(EventText(event));
  EXPECT_EQ(
      json["additionalEventData"],
      nlohmann::json::parse(R"({"door":"https","sessionPolicies":2,"checks":[)"
                            R"({"action":"kms:ReEncryptFrom","resource":"a"},)"
                            R"({"action":"kms:ReEncryptTo","resource":"\"b",)"
                            R"("region":"eu-west-2"}]})"));
}

TEST(AuditEventTest, EveryByteOfAClientsTextSurvivesAndStaysOnOneLine) {
  std::string every;
  for (int byte = 0; byte < 0x80; ++byte) {
    every.push_back(static_cast<char>(byte));
  }
  every += "é€😀";
  every += "\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF";  // Edges of the ranges.
  Event event;
  event.user_agent = every;
  const Member request[] = {{every, every}};
  event.request = request;
  const std::string text = EventText(event);
  EXPECT_EQ(text.find('\n'), text.npos);
  EXPECT_EQ(text.find('\0'), text.npos);
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["userAgent"], every);
  EXPECT_EQ(json["requestParameters"][every], every);
}

// Text is looked at in eights: each byte must count wherever it stands in one.
TEST(AuditEventTest, AByteIsEscapedAlikeWhereverItStands) {
  for (int byte = 0; byte < 0x80; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    const std::string quoted = Quoted(one);
    const std::string escaped = quoted.substr(1, quoted.size() - 2);
    for (std::size_t before = 0; before < 18; ++before) {
      const std::string left(before, 'a');
      const std::string right(18 - before, '~');
      EXPECT_EQ(Quoted(fmt::format("{}{}{}", left, one, right)),
                fmt::format(R"("{}{}{}")", left, escaped, right))
          << "byte " << byte << " at " << before;
    }
  }
}

TEST(AuditEventTest, BytesThatAreNotUtf8AreReplaced) {
  const std::string r = "\xEF\xBF\xBD";
  const struct {
    std::string in, out;
  } cases[] = {
      {"\x80", r},
      {"a\xFFz", "a" + r + "z"},
      {"\xC0\x80", r + r},                  // Overlong NUL.
      {"\xE0\x9F\xBF", r + r + r},          // Overlong.
      {"\xED\xA0\x80", r + r + r},          // A surrogate.
      {"\xF4\x90\x80\x80", r + r + r + r},  // Beyond U+10FFFF.
      {"\xE2\x82", r},                      // Cut off: one maximal part.
      {"\xE2\x82z", r + "z"},
      {"\xF0\x9F\x98\"", r + "\\\""},
      {"\xC3\xA9\xC3", "é" + r},
  };
  for (const auto& [in, out] : cases) {
    const std::string quoted = Quoted(in);
    EXPECT_EQ(quoted, "\"" + out + "\"");
    EXPECT_TRUE(nlohmann::json::accept(quoted));
  }
}

TEST(AuditEventTest, EveryPairOfBytesGivesValidJson) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const char bytes[] = {static_cast<char>(first), static_cast<char>(second),
                            'x'};
      const std::string quoted = Quoted({bytes, sizeof(bytes)});
      ASSERT_TRUE(nlohmann::json::accept(quoted)) << first << " " << second;
    }
  }
}

TEST(AuditEventTest, NoClientCanMakeAnEventThatTheLogRefuses) {
  const std::string worst(100'000, '\x01');
  const Member members[] = {{"a", std::string_view(worst).substr(0, 4000)},
                            {"b", worst}};
  const Event::Resource resources[] = {{worst, worst, worst}, {worst, worst}};
  Event event;
  event.identity = {worst, worst, worst,
                    worst, worst, worst,
                    worst, worst, worst,
                    worst, worst, base::WallTime(std::chrono::seconds(1))};
  event.source = event.name = event.region = worst;
  event.source_address = event.user_agent = worst;
  event.error_code = event.error_message = event.door = worst;
  event.request = event.response = event.decision = event.context = members;
  event.service_details = members;
  event.request_id = event.event_id = event.recipient_account = worst;
  event.session_policies = event.store_revision = UINT64_MAX;
  event.resources = resources;
  const Event::Check checks[] = {{worst, worst, worst}, {worst, worst, worst}};
  event.checks = checks;
  event.tls = {worst, worst, worst};
  std::string text = EventText(event);
  EXPECT_LE(text.size(), Log::kMaxEventBytes);
  auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["requestParameters"], nlohmann::json({{"omitted", true}}));
  EXPECT_EQ(json["additionalEventData"]["checks"],
            nlohmann::json({{"omitted", true}}));
  EXPECT_EQ(json["userAgent"], worst.substr(0, 2048 / 6));
  // What is just below every limit.
  const auto fill = [&](std::size_t size) {
    return std::string_view(worst).substr(0, size / 6 - 3);
  };
  const Member request[] = {{"a", fill(70 << 10)}};
  const Member response[] = {{"a", fill(8 << 10)}};
  const Member decision[] = {{"a", fill(8 << 10)}};
  const Member context[] = {{"a", fill(28 << 10)}};
  event.request = request;
  event.response = response;
  event.decision = event.service_details = decision;
  event.context = context;
  const Event::Check check[] = {{"a", fill(6 << 10), ""}};
  event.checks = check;
  text = EventText(event);
  EXPECT_LE(text.size(), Log::kMaxEventBytes);
  json = nlohmann::json::parse(text);
  EXPECT_EQ(json["requestParameters"]["a"], fill(70 << 10));
  EXPECT_EQ(json["additionalEventData"]["context"]["a"], fill(28 << 10));
}

TEST(AuditEventTest, NumbersKeepTheirValue) {
  const Member request[] = {{"min", std::int64_t{INT64_MIN}},
                            {"max", std::uint64_t{UINT64_MAX}},
                            {"size", std::size_t{7}},
                            {"int", -7}};
  Event event;
  event.request = request;
  const auto json = nlohmann::json::parse(EventText(event));
  EXPECT_EQ(json["requestParameters"]["min"], INT64_MIN);
  EXPECT_EQ(json["requestParameters"]["max"], UINT64_MAX);
  EXPECT_EQ(json["requestParameters"]["size"], 7);
  EXPECT_EQ(json["requestParameters"]["int"], -7);
}

TEST(AuditEventTest, TimesAreCloudTrailsAndReadBack) {
  const struct {
    std::int64_t seconds;
    const char* text;
  } cases[] = {{0, "1970-01-01T00:00:00Z"},
               {951782400, "2000-02-29T00:00:00Z"},
               {1795342500, "2026-11-22T10:15:00Z"},
               {4102444799, "2099-12-31T23:59:59Z"}};
  for (const auto& [seconds, text] : cases) {
    const base::WallTime time{std::chrono::seconds{seconds}};
    std::string out;
    AppendTime(time + std::chrono::microseconds{999999}, out);
    EXPECT_EQ(out, text);
    EXPECT_EQ(ParseTime(text), time);
  }
  EXPECT_EQ(ParseTime("2026-11-22T10:15:00"), std::nullopt);
  EXPECT_EQ(ParseTime("2026-11-22T10:15:00Zx"), std::nullopt);
  EXPECT_EQ(ParseTime(""), std::nullopt);
}

}  // namespace
}  // namespace kms::audit
