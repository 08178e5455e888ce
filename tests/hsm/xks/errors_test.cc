// SPDX-License-Identifier: Apache-2.0
#include "hsm/xks/errors.h"

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace hsm::xks {
namespace {

TEST(XksErrors, NamesAreSortedAndFitTheirStatusOnly) {
  EXPECT_TRUE(std::ranges::is_sorted(kErrors, {}, &ErrorRow::name));
  for (const ErrorRow& row : kErrors) {
    for (const long status :
         {200L, 400L, 401L, 403L, 404L, 405L, 429L, 500L, 501L, 502L, 503L}) {
      const auto outcome = OutcomeOf(row.name, status);
      EXPECT_EQ(outcome.has_value(), status == row.status)
          << row.name << " " << status;
      if (outcome) {
        EXPECT_EQ(*outcome, row.outcome);
      }
    }
  }
  EXPECT_FALSE(OutcomeOf("", 500).has_value());
  EXPECT_FALSE(OutcomeOf("internalException", 500).has_value());
}

TEST(XksErrors, PrintableIsShortAndAscii) {
  EXPECT_EQ(Printable("all is ~well"), "all is ~well");
  EXPECT_EQ(Printable("a\nb\x7f\xc3\xa4"), "a?b???");
  EXPECT_EQ(Printable(std::string(600, 'x')), std::string(512, 'x'));
}

TEST(XksErrors, TransportErrorsHaveTheirOutcome) {
  const struct {
    int code;
    bool connected;
    const char* message;
    XksOutcome outcome;
  } rows[] = {
      {CURLE_COULDNT_RESOLVE_HOST, false, "", XksOutcome::kNotReachable},
      {CURLE_COULDNT_CONNECT, false, "", XksOutcome::kNotReachable},
      {CURLE_OPERATION_TIMEDOUT, false, "", XksOutcome::kNotReachable},
      {CURLE_OPERATION_TIMEDOUT, true, "", XksOutcome::kTimedOut},
      {CURLE_SSL_CONNECT_ERROR, true, "", XksOutcome::kTls},
      {CURLE_OBSOLETE51, true, "", XksOutcome::kTls},
      {CURLE_SSL_CERTPROBLEM, true, "", XksOutcome::kTls},
      {CURLE_PEER_FAILED_VERIFICATION, true, "", XksOutcome::kTls},
      {CURLE_SSL_CACERT_BADFILE, true, "", XksOutcome::kTls},
      {CURLE_GOT_NOTHING, true, "", XksOutcome::kNotReachable},
      {CURLE_SEND_ERROR, true, "", XksOutcome::kNotReachable},
      {CURLE_RECV_ERROR, true, "reset", XksOutcome::kNotReachable},
      {CURLE_RECV_ERROR, true, "tlsv13 alert certificate required",
       XksOutcome::kTls},
      {CURLE_PARTIAL_FILE, true, "", XksOutcome::kNotReachable},
      {CURLE_UNSUPPORTED_PROTOCOL, true, "", XksOutcome::kMalformed},
      {CURLE_WEIRD_SERVER_REPLY, true, "", XksOutcome::kMalformed},
      {CURLE_WRITE_ERROR, true, "", XksOutcome::kMalformed},
      {CURLE_OUT_OF_MEMORY, true, "", XksOutcome::kNotReachable},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(OutcomeOfCurl(row.code, row.connected, row.message), row.outcome)
        << row.code;
  }
}

}  // namespace
}  // namespace hsm::xks
