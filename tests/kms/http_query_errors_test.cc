// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "kms/http/errors.h"
#include "kms/http/query_errors.h"
#include "tests/testlib/status.h"

namespace kms::http {
namespace {

using base::ErrorCode;

constexpr int kCodes = static_cast<int>(ErrorCode::kInternal) + 1;

// A change of the table is to be seen in review.
TEST(QueryErrors, AreAsTheGoldenFileSays) {
  std::string table;
  for (int i = 0; i < kCodes; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    const QueryError& error = QueryErrorOf(code);
    EXPECT_EQ(error.code, code);
    table += std::string(testlib::CodeName(code)) + " " +
             std::string(error.name) + " " + std::to_string(error.status) +
             "\n";
  }
  std::ifstream golden(CLAVIGER_GOLDEN "/query_errors.txt");
  EXPECT_EQ(table, std::string(std::istreambuf_iterator<char>(golden), {}));
}

// The two protocols agree on whose fault it is.
TEST(QueryErrors, AreServerErrorsWhereThoseOfTheJsonProtocolAre) {
  for (int i = 0; i < kCodes; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    EXPECT_EQ(QueryErrorOf(code).status >= 500, AwsErrorOf(code).status >= 500)
        << testlib::CodeName(code);
  }
}

TEST(QueryErrors, TakeAnUnknownCodeForAnInternalError) {
  EXPECT_EQ(QueryErrorOf(static_cast<ErrorCode>(kCodes)).name,
            "InternalFailure");
  EXPECT_EQ(QueryErrorOf(static_cast<ErrorCode>(255)).name, "InternalFailure");
}

TEST(QueryErrors, ShowAMessageOnlyIfItIsTheClients) {
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
