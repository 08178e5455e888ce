// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/xks_gauges.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>
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
using kms::operations::XksAsked;
using kms::operations::XksCounts;
using kms::operations::XksHealth;
using kms::operations::XksStats;

constexpr double kSecondsPerDay = 86400;

constexpr std::array kOperations = {
    std::pair{XksOperation::kHealth, "GetHealthStatus"},
    std::pair{XksOperation::kMetadata, "GetKeyMetadata"},
    std::pair{XksOperation::kEncrypt, "Encrypt"},
    std::pair{XksOperation::kDecrypt, "Decrypt"}};

struct OutcomeName {
  XksOutcome outcome;
  const char* name;
  bool may_pass = false;  // Asked again, it may come out otherwise.
};

constexpr bool kMayPass = true;

constexpr std::array kErrors = {
    OutcomeName{XksOutcome::kValidation, "ValidationException"},
    OutcomeName{XksOutcome::kInvalidState, "InvalidStateException"},
    OutcomeName{XksOutcome::kInvalidCiphertext, "InvalidCiphertextException"},
    OutcomeName{XksOutcome::kInvalidKeyUsage, "InvalidKeyUsageException"},
    OutcomeName{XksOutcome::kAuthenticationFailed,
                "AuthenticationFailedException"},
    OutcomeName{XksOutcome::kAccessDenied, "AccessDeniedException"},
    OutcomeName{XksOutcome::kKeyNotFound, "KeyNotFoundException"},
    OutcomeName{XksOutcome::kInvalidUriPath, "InvalidUriPathException"},
    OutcomeName{XksOutcome::kThrottling, "ThrottlingException", kMayPass},
    OutcomeName{XksOutcome::kUnsupportedOperation,
                "UnsupportedOperationException"},
    OutcomeName{XksOutcome::kDependencyTimeout, "DependencyTimeoutException",
                kMayPass},
    OutcomeName{XksOutcome::kInternal, "InternalException", kMayPass},
    OutcomeName{XksOutcome::kMalformed, "malformed answer"},
    OutcomeName{XksOutcome::kNotReachable, "not reachable", kMayPass},
    OutcomeName{XksOutcome::kTls, "TLS"},
    OutcomeName{XksOutcome::kTimedOut, "timed out", kMayPass},
    OutcomeName{XksOutcome::kForbidden, "forbidden address"}};

double Days(double seconds) { return seconds / kSecondsPerDay; }

// Metrics of stores, which come and go: made anew at each collection.
template <typename Metric>
class OfStores {
 public:
  explicit OfStores(prometheus::Family<Metric>& family) : family_(family) {}

  void Clear() {
    for (Metric* const metric : shown_) {
      family_.Remove(metric);
    }
    shown_.clear();
  }
  void Show(const prometheus::Labels& labels, double value) {
    Add(labels).Increment(value);
  }
  // `more` is for the metric's constructor.
  template <typename... Arguments>
  Metric& Add(const prometheus::Labels& labels, const Arguments&... more) {
    Metric& metric = family_.Add(labels, more...);
    shown_.push_back(&metric);
    return metric;
  }

 private:
  prometheus::Family<Metric>& family_;
  std::vector<Metric*> shown_;
};

OfStores<prometheus::Gauge> Gauges(prometheus::Registry& registry,
                                   const std::string& name,
                                   const std::string& help) {
  return OfStores(
      prometheus::BuildGauge().Name(name).Help(help).Register(registry));
}

OfStores<prometheus::Counter> Counters(prometheus::Registry& registry,
                                       const std::string& name,
                                       const std::string& help) {
  return OfStores(
      prometheus::BuildCounter().Name(name).Help(help).Register(registry));
}

prometheus::Histogram::BucketBoundaries LatencyBounds() {
  prometheus::Histogram::BucketBoundaries seconds;
  for (const int milliseconds : kms::operations::kXksLatencyBounds) {
    seconds.push_back(milliseconds / 1e3);
  }
  return seconds;
}

struct Stores {
  explicit Stores(prometheus::Registry& registry)
      : managers(
            Gauges(registry, "claviger_xks_external_key_manager_states",
                   "External key managers behind a proxy, by their state.")),
        certificate(Gauges(registry,
                           "claviger_xks_proxy_certificate_days_to_expire",
                           "Days to the end of a proxy's certificate.")),
        credential(Gauges(registry, "claviger_xks_proxy_credential_age_days",
                          "Days since the credential for a proxy was set.")) {}

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

  OfStores<prometheus::Gauge> managers;
  OfStores<prometheus::Gauge> certificate;
  OfStores<prometheus::Gauge> credential;
};

// By what was asked, as AWS's metrics are.
struct Requests {
  explicit Requests(prometheus::Registry& registry)
      : answers(Counters(registry, "claviger_xks_proxy_answers_total",
                         "Good answers of proxies of external key stores.")),
        errors(Counters(registry, "claviger_xks_proxy_errors_total",
                        "Requests to proxies of external key stores that "
                        "failed, by the error.")),
        latency(prometheus::BuildHistogram()
                    .Name("claviger_xks_proxy_latency_seconds")
                    .Help("How long proxies took to answer.")
                    .Register(registry)),
        throttled(Counters(
            registry, "claviger_xks_throttled_total",
            "Requests that did not leave because there were too many.")) {}

  void Collect(const XksStats& stats) {
    answers.Clear();
    errors.Clear();
    latency.Clear();
    throttled.Clear();
    for (const auto& [asked, counts] : stats.Counts()) {
      Show(LabelsOf(asked), counts);
    }
  }

  static prometheus::Labels LabelsOf(const XksAsked& asked) {
    const auto* const named =
        std::ranges::find(kOperations, asked.operation,
                          &std::pair<XksOperation, const char*>::first);
    return {{"custom_key_store", asked.store},
            {"kms_operation", asked.kms_operation},
            {"operation", named == kOperations.end() ? "?" : named->second}};
  }

  void Show(const prometheus::Labels& labels, const XksCounts& counts) {
    answers.Show(labels, static_cast<double>(counts.Answers(XksOutcome::kOk)));
    latency.Add(labels, LatencyBounds())
        .ObserveMultiple({counts.latency.begin(), counts.latency.end()},
                         static_cast<double>(counts.microseconds) / 1e6);
    throttled.Show(labels, static_cast<double>(counts.throttled));
    for (const auto& [outcome, name, may_pass] : kErrors) {
      ShowError(labels, name, may_pass, counts.Answers(outcome));
    }
    ShowError(labels, "not sent", kMayPass, counts.failed);
  }

  void ShowError(prometheus::Labels labels, const char* name, bool may_pass,
                 std::uint64_t count) {
    if (count != 0) {
      labels.emplace("error", name);
      labels.emplace("error_type", may_pass ? "retryable" : "non-retryable");
      errors.Show(labels, static_cast<double>(count));
    }
  }

  OfStores<prometheus::Counter> answers;
  OfStores<prometheus::Counter> errors;
  OfStores<prometheus::Histogram> latency;
  OfStores<prometheus::Counter> throttled;
};

}  // namespace

void AddXksGauges(kms::http::Metrics& metrics,
                  const CustomKeyStoreSource& stores,
                  const base::Clock& clock) {
  auto requests = std::make_shared<Requests>(metrics.registry());
  auto gauges = std::make_shared<Stores>(metrics.registry());
  metrics.OnCollect([requests, gauges, &stores, &clock] {
    requests->Collect(stores.stats());
    gauges->Collect(stores, clock.Now());
  });
}

}  // namespace tools
