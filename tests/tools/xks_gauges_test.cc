// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/xks_gauges.h"

#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <string>

namespace tools {
namespace {

using hsm::XksOperation;
using kms::operations::XksAsked;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kNow = 1'800'000'000;  // Unix seconds.
constexpr std::int64_t kDay = 86400;

base::WallTime At(std::int64_t seconds) {
  return base::WallTime(std::chrono::seconds(seconds));
}

TEST(XksGauges, TellHowProxiesDo) {
  const base::FakeClock clock(At(kNow));
  kms::operations::CustomKeyStoreSource stores;
  kms::http::Metrics metrics({});
  AddXksGauges(metrics, stores, clock);
  kms::operations::CustomKeyStoreList list;
  list.stores.resize(1);
  list.stores[0].store.id = "cks-1";
  list.stores[0].store.proxy.credential_set = At(kNow - 3 * kDay);
  stores.Replace(
      std::make_shared<const kms::operations::CustomKeyStoreList>(list));
  hsm::XksReply reply;
  reply.outcome = hsm::XksOutcome::kOk;
  reply.microseconds = 250'000;
  reply.certificate_not_after = kNow + 10 * kDay;
  reply.managers = {{"a", "m", "ACTIVE"}, {"b", "m", "ACTIVE"}};
  stores.stats().Count({"cks-1", "KmsHealthCheck", XksOperation::kHealth},
                       reply);
  stores.stats().NoteHealth("cks-1", reply);
  const XksAsked asked = {"cks-1", "ReEncrypt", XksOperation::kEncrypt};
  reply.outcome = hsm::XksOutcome::kKeyNotFound;
  stores.stats().Count(asked, reply);
  reply.outcome = hsm::XksOutcome::kTimedOut;
  stores.stats().Count(asked, reply);
  stores.stats().CountFailure(asked, base::ErrorCode::kThrottled);
  stores.stats().CountFailure(asked, base::ErrorCode::kHsmUnavailable);
  metrics.Text();  // What is shown twice is counted once.
  const std::string text = metrics.Text();
  const std::string health =
      "{custom_key_store=\"cks-1\",kms_operation=\"KmsHealthCheck\","
      "operation=\"GetHealthStatus\"} ";
  const std::size_t at = health.find('}');
  for (const std::string& line :
       {"claviger_xks_proxy_answers_total" + health + "1",
        "claviger_xks_proxy_latency_seconds_sum" + health + "0.25",
        "claviger_xks_proxy_latency_seconds_bucket" + health.substr(0, at) +
            ",le=\"0.15\"} 0",
        "claviger_xks_proxy_latency_seconds_bucket" + health.substr(0, at) +
            ",le=\"0.25\"} 1",
        std::string(
            "claviger_xks_proxy_errors_total{custom_key_store=\"cks-1\","
            "error=\"KeyNotFoundException\",error_type=\"non-retryable\","
            "kms_operation=\"ReEncrypt\",operation=\"Encrypt\"} 1"),
        std::string(
            "claviger_xks_proxy_errors_total{custom_key_store=\"cks-1\","
            "error=\"timed out\",error_type=\"retryable\","
            "kms_operation=\"ReEncrypt\",operation=\"Encrypt\"} 1"),
        std::string("error=\"not sent\",error_type=\"retryable\","
                    "kms_operation=\"ReEncrypt\",operation=\"Encrypt\"} 1"),
        std::string("claviger_xks_throttled_total{custom_key_store=\"cks-1\","
                    "kms_operation=\"ReEncrypt\",operation=\"Encrypt\"} 1"),
        std::string("claviger_xks_external_key_manager_states{"
                    "custom_key_store=\"cks-1\",state=\"ACTIVE\"} 2"),
        std::string("claviger_xks_proxy_certificate_days_to_expire{"
                    "custom_key_store=\"cks-1\"} 10"),
        std::string("claviger_xks_proxy_credential_age_days{"
                    "custom_key_store=\"cks-1\"} 3")}) {
    EXPECT_THAT(text, HasSubstr(line));
  }

  list.stores.clear();
  stores.stats().Retain([](std::string_view) { return false; });
  stores.Replace(
      std::make_shared<const kms::operations::CustomKeyStoreList>(list));
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("cks-1")));
}

}  // namespace
}  // namespace tools
