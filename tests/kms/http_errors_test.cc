// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "base/json.h"
#include "kms/http/errors.h"
#include "tests/testlib/status.h"

namespace kms::http {
namespace {

using base::ErrorCode;

constexpr int kCodes = static_cast<int>(ErrorCode::kInternal) + 1;

std::string BodyOf(ErrorCode code, std::string message) {
  base::WipingString body;
  AppendErrorBody({code, std::move(message)}, body);
  return std::string(body);
}

// A change of the table is to be seen in review.
TEST(AwsErrors, AreAsTheGoldenFileSays) {
  std::string table;
  for (int i = 0; i < kCodes; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    const AwsError& error = AwsErrorOf(code);
    EXPECT_EQ(error.code, code);
    table += fmt::format("{} {} {} {} {} {}\n", testlib::CodeName(code),
                         error.json.name, error.json.status, error.query.name,
                         error.query.status,
                         error.fixed_message.empty() ? "own" : "fixed");
  }
  std::ifstream golden(CLAVIGER_GOLDEN "/errors.txt");
  EXPECT_EQ(table, std::string(std::istreambuf_iterator<char>(golden), {}));
}

// SDKs retry a 500 by themselves: it must never be the client's fault.
TEST(AwsErrors, AreServerErrorsExactlyWhereAwsSaysSo) {
  for (int i = 0; i < kCodes; ++i) {
    const AwsError& error = AwsErrorOf(static_cast<ErrorCode>(i));
    const std::string_view name = error.json.name;
    const bool is_fault = name == "KMSInternalException" ||
                          name == "DependencyTimeoutException" ||
                          name == "KeyUnavailableException";
    EXPECT_EQ(error.json.status, is_fault ? 500u : 400u) << name;
    EXPECT_EQ(error.query.status >= 500, is_fault) << name;
  }
}

TEST(AwsErrors, TakeAnUnknownCodeForAnInternalError) {
  for (const int code : {kCodes, 255}) {
    const AwsError& error = AwsErrorOf(static_cast<ErrorCode>(code));
    EXPECT_EQ(error.json.name, "KMSInternalException");
    EXPECT_EQ(error.query.name, "InternalFailure");
  }
}

TEST(AwsErrors, AreJsonWhateverTheMessageHolds) {
  const std::string message = "quote \" slash \\ line \n bad \xff end";
  for (int i = 0; i < kCodes; ++i) {
    EXPECT_THAT(base::ParseJson(BodyOf(static_cast<ErrorCode>(i), message)),
                testlib::IsOk());
  }
  EXPECT_EQ(BodyOf(ErrorCode::kNotFound, "a\"b\\c\n"),
            R"({"__type":"NotFoundException","message":"a\"b\\c\n"})");
}

TEST(AwsErrors, HaveAMessageOnlyIfThereIsOne) {
  EXPECT_EQ(BodyOf(ErrorCode::kInvalidCiphertext, ""),
            R"({"__type":"InvalidCiphertextException"})");
  EXPECT_EQ(BodyOf(ErrorCode::kAccessDenied, ""),
            R"({"__type":"AccessDeniedException"})");
  EXPECT_EQ(BodyOf(ErrorCode::kAccessDenied, "no"),
            R"({"__type":"AccessDeniedException","Message":"no"})");
}

TEST(AwsErrors, ShowAMessageInXmlOnlyIfItIsTheClients) {
  base::WipingString out;
  AppendQueryError({ErrorCode::kStoreUnavailable, "/var/lib"}, "x", "ID", out);
  EXPECT_EQ(out.find("/var/lib"), base::WipingString::npos);
  out.clear();
  AppendQueryError({ErrorCode::kConflict, "a & b"}, "x", "ID", out);
  EXPECT_EQ(std::string_view(out),
            "<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type>"
            "<Code>DeleteConflict</Code><Message>a &amp; b</Message></Error>"
            "<RequestId>ID</RequestId></ErrorResponse>");
}

}  // namespace
}  // namespace kms::http
