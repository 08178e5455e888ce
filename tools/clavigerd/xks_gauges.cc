// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/xks_gauges.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tools {
namespace {

using hsm::XksOperation;
using hsm::XksOutcome;
using kms::operations::CustomKeyStoreSource;
using kms::operations::OpenCustomKeyStore;
using kms::operations::XksHealth;
using kms::operations::XksStats;

constexpr double kSecondsPerDay = 86400;

constexpr std::array kOperations = {
    std::pair{XksOperation::kHealth, "GetHealthStatus"},
    std::pair{XksOperation::kMetadata, "GetKeyMetadata"},
    std::pair{XksOperation::kEncrypt, "Encrypt"},
    std::pair{XksOperation::kDecrypt, "Decrypt"}};

constexpr std::array kOutcomes = {
    std::pair{XksOutcome::kValidation, "ValidationException"},
    std::pair{XksOutcome::kInvalidState, "InvalidStateException"},
    std::pair{XksOutcome::kInvalidCiphertext, "InvalidCiphertextException"},
    std::pair{XksOutcome::kInvalidKeyUsage, "InvalidKeyUsageException"},
    std::pair{XksOutcome::kAuthenticationFailed,
              "AuthenticationFailedException"},
    std::pair{XksOutcome::kAccessDenied, "AccessDeniedException"},
    std::pair{XksOutcome::kKeyNotFound, "KeyNotFoundException"},
    std::pair{XksOutcome::kInvalidUriPath, "InvalidUriPathException"},
    std::pair{XksOutcome::kThrottling, "ThrottlingException"},
    std::pair{XksOutcome::kUnsupportedOperation,
              "UnsupportedOperationException"},
    std::pair{XksOutcome::kDependencyTimeout, "DependencyTimeoutException"},
    std::pair{XksOutcome::kInternal, "InternalException"},
    std::pair{XksOutcome::kMalformed, "malformed answer"},
    std::pair{XksOutcome::kNotReachable, "not reachable"},
    std::pair{XksOutcome::kTls, "TLS"},
    std::pair{XksOutcome::kTimedOut, "timed out"},
    std::pair{XksOutcome::kForbidden, "forbidden address"}};

// Brings a counter to what somebody else has counted.
void CatchUp(prometheus::Counter& counter, double total) {
  counter.Increment(total - counter.Value());
}

double Days(double seconds) { return seconds / kSecondsPerDay; }

// Gauges of stores, which come and go: set anew at each collection.
class StoreGauges {
 public:
  StoreGauges(prometheus::Registry& registry, const std::string& name,
              const std::string& help)
      : family_(
            prometheus::BuildGauge().Name(name).Help(help).Register(registry)) {
  }

  void Clear() {
    for (prometheus::Gauge* const gauge : shown_) {
      family_.Remove(gauge);
    }
    shown_.clear();
  }
  void Show(const prometheus::Labels& labels, double value) {
    prometheus::Gauge& gauge = family_.Add(labels);
    gauge.Set(value);
    shown_.push_back(&gauge);
  }

 private:
  prometheus::Family<prometheus::Gauge>& family_;
  std::vector<prometheus::Gauge*> shown_;
};

struct Stores {
  explicit Stores(prometheus::Registry& registry)
      : managers(registry, "claviger_xks_external_key_manager_states",
                 "External key managers behind a proxy, by their state."),
        certificate(registry, "claviger_xks_proxy_certificate_days_to_expire",
                    "Days to the end of a proxy's certificate."),
        credential(registry, "claviger_xks_proxy_credential_age_days",
                   "Days since the credential for a proxy was set.") {}

  void Collect(const CustomKeyStoreSource& source, base::WallTime now) {
    managers.Clear();
    certificate.Clear();
    credential.Clear();
    const auto list = source.current();
    for (const OpenCustomKeyStore& open : list->stores) {
      Collect(open.store, source.stats().HealthOf(open.store.id), now);
    }
  }

  void Collect(const kms::CustomKeyStore& store, const XksHealth& health,
               base::WallTime now) {
    const auto seconds = [](auto duration) {
      return std::chrono::duration<double>(duration).count();
    };
    const prometheus::Labels labels = {{"custom_key_store", store.id}};
    credential.Show(labels, Days(seconds(now - store.proxy.credential_set)));
    if (health.certificate_not_after != 0) {
      certificate.Show(labels,
                       Days(static_cast<double>(health.certificate_not_after) -
                            seconds(now.time_since_epoch())));
    }
    for (const auto& [state, count] : health.managers) {
      managers.Show({{"custom_key_store", store.id}, {"state", state}}, count);
    }
  }

  StoreGauges managers;
  StoreGauges certificate;
  StoreGauges credential;
};

prometheus::Family<prometheus::Counter>& CounterFamily(
    prometheus::Registry& registry, const std::string& name,
    const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

void AddCounters(kms::http::Metrics& metrics, const XksStats& stats) {
  auto& registry = metrics.registry();
  auto& errors = CounterFamily(
      registry, "claviger_xks_proxy_errors_total",
      "Requests to proxies of external key stores that failed, by the error.");
  auto& latency = CounterFamily(registry, "claviger_xks_proxy_seconds_total",
                                "How long proxies took to answer, in all.");
  auto& answers = CounterFamily(registry, "claviger_xks_proxy_answers_total",
                                "Good answers of proxies.");
  auto& throttled =
      CounterFamily(registry, "claviger_xks_throttled_total",
                    "Requests that did not leave because there were too many.")
          .Add({});
  for (const auto& [operation, name] : kOperations) {
    auto& seconds = latency.Add({{"operation", name}});
    auto& good = answers.Add({{"operation", name}});
    metrics.OnCollect([&stats, &seconds, &good, operation = operation] {
      CatchUp(seconds,
              static_cast<double>(stats.Microseconds(operation)) / 1e6);
      CatchUp(good,
              static_cast<double>(stats.Answers(operation, XksOutcome::kOk)));
    });
    for (const auto& [outcome, error] : kOutcomes) {
      auto& count = errors.Add({{"operation", name}, {"error", error}});
      metrics.OnCollect([&stats, &count, operation = operation,
                         outcome = outcome] {
        CatchUp(count, static_cast<double>(stats.Answers(operation, outcome)));
      });
    }
  }
  metrics.OnCollect([&stats, &throttled] {
    CatchUp(throttled, static_cast<double>(stats.throttled()));
  });
}

}  // namespace

void AddXksGauges(kms::http::Metrics& metrics,
                  const CustomKeyStoreSource& stores,
                  const base::Clock& clock) {
  AddCounters(metrics, stores.stats());
  auto gauges = std::make_shared<Stores>(metrics.registry());
  metrics.OnCollect(
      [gauges, &stores, &clock] { gauges->Collect(stores, clock.Now()); });
}

}  // namespace tools
