// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <array>
#include <string>

#include "kms/http/metrics.h"

namespace kms::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::array<std::string_view, 2> kOperations = {"Decrypt", "Encrypt"};

TEST(Metrics, ShowEveryOperationFromTheStart) {
  Metrics metrics(kOperations);
  const std::string text = metrics.Text();
  for (const std::string operation : {"Decrypt", "Encrypt", "Unknown"}) {
    EXPECT_THAT(text, HasSubstr("claviger_requests_total{operation=\"" +
                                operation + "\",outcome=\"Success\"} 0"));
    EXPECT_THAT(text, HasSubstr("claviger_denials_total{operation=\"" +
                                operation + "\"} 0"));
  }
  EXPECT_THAT(text, HasSubstr("claviger_connections 0"));
}

TEST(Metrics, CountRequestsByOutcome) {
  Metrics metrics(kOperations);
  metrics.CountRequest("Encrypt", std::nullopt, std::chrono::microseconds(700));
  metrics.CountRequest("Encrypt", base::ErrorCode::kAccessDenied,
                       std::chrono::seconds(20));
  // Two codes that are one AWS error are one outcome.
  metrics.CountRequest("Decrypt", base::ErrorCode::kInternal, {});
  metrics.CountRequest("Decrypt", base::ErrorCode::kCorrupt, {});
  const std::string text = metrics.Text();
  for (const char* line :
       {"requests_total{operation=\"Encrypt\",outcome=\"Success\"} 1\n",
        "requests_total{operation=\"Encrypt\",outcome="
        "\"AccessDeniedException\"} 1\n",
        "requests_total{operation=\"Decrypt\",outcome="
        "\"KMSInternalException\"} 2\n",
        "denials_total{operation=\"Encrypt\"} 1\n",
        "duration_seconds_bucket{operation=\"Encrypt\",le=\"0.0005\"} 0\n",
        "duration_seconds_bucket{operation=\"Encrypt\",le=\"0.001\"} 1\n",
        "duration_seconds_bucket{operation=\"Encrypt\",le=\"10\"} 1\n",
        "duration_seconds_bucket{operation=\"Encrypt\",le=\"+Inf\"} 2\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(Metrics, LetNobodyInventLabels) {
  Metrics metrics(kOperations);
  EXPECT_EQ(metrics.Label("Encrypt"), "Encrypt");
  EXPECT_EQ(metrics.Label("encrypt"), "Unknown");
  EXPECT_EQ(metrics.Label(""), "Unknown");
  metrics.CountRequest("x\"} 1\n", std::nullopt, {});
  const std::string text = metrics.Text();
  EXPECT_THAT(text, Not(HasSubstr("x\\\"")));
  EXPECT_THAT(
      text,
      HasSubstr("requests_total{operation=\"Unknown\",outcome=\"Success\"} 1"));
}

TEST(Metrics, CallTheHooksBeforeTheyCollect) {
  Metrics metrics(kOperations);
  auto& gauge = prometheus::BuildGauge()
                    .Name("claviger_free_bytes")
                    .Register(metrics.registry())
                    .Add({});
  int asked = 0;
  metrics.OnCollect([&] { gauge.Set(++asked); });
  metrics.OnCollect([&] { metrics.SetConnections(7); });
  EXPECT_THAT(metrics.Text(), HasSubstr("claviger_free_bytes 1\n"));
  EXPECT_THAT(metrics.Text(), HasSubstr("claviger_free_bytes 2\n"));
  EXPECT_THAT(metrics.Text(), HasSubstr("claviger_connections 7\n"));
}

TEST(Metrics, CountWhatIsInFlight) {
  Metrics metrics(kOperations);
  metrics.AddInFlight(1);
  metrics.AddInFlight(1);
  metrics.AddInFlight(-1);
  EXPECT_THAT(metrics.Text(), HasSubstr("claviger_http_requests_in_flight 1"));
}

}  // namespace
}  // namespace kms::http
