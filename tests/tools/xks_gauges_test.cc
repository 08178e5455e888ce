// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/xks_gauges.h"

#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <string>

namespace tools {
namespace {

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
  stores.stats().Count(hsm::XksOperation::kHealth, reply);
  stores.stats().NoteHealth("cks-1", reply);
  reply.outcome = hsm::XksOutcome::kKeyNotFound;
  stores.stats().Count(hsm::XksOperation::kEncrypt, reply);
  stores.stats().CountFailure(base::ErrorCode::kThrottled);
  const std::string text = metrics.Text();
  for (const char* line :
       {"claviger_xks_proxy_answers_total{operation=\"GetHealthStatus\"} 1",
        "claviger_xks_proxy_errors_total{error=\"KeyNotFoundException\","
        "operation=\"Encrypt\"} 1",
        "claviger_xks_proxy_errors_total{error=\"TLS\","
        "operation=\"Encrypt\"} 0",
        "claviger_xks_proxy_seconds_total{operation=\"Encrypt\"} 0.25",
        "claviger_xks_throttled_total 1",
        "claviger_xks_external_key_manager_states{custom_key_store=\"cks-1\","
        "state=\"ACTIVE\"} 2",
        "claviger_xks_proxy_certificate_days_to_expire{"
        "custom_key_store=\"cks-1\"} 10",
        "claviger_xks_proxy_credential_age_days{"
        "custom_key_store=\"cks-1\"} 3"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }

  list.stores.clear();
  stores.Replace(
      std::make_shared<const kms::operations::CustomKeyStoreList>(list));
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("cks-1")));
}

}  // namespace
}  // namespace tools
