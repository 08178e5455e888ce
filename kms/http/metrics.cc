// SPDX-License-Identifier: Apache-2.0
#include "kms/http/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <atomic>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kms/http/errors.h"

namespace kms::http {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

constexpr std::size_t kErrorCodes =
    static_cast<std::size_t>(base::ErrorCode::kInternal) + 1;
constexpr std::string_view kUnknown = "Unknown";

// Seconds. An AES call behind the whole path takes 0.2 to 5 ms, making an RSA
// key seconds.
constexpr std::array<double, 16> kDurations = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
    0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};

// The instruments of one operation. Error counters come into being with the
// first error of their kind: most never do.
struct OperationInstruments {
  std::string name;
  Counter* successes;
  Counter* denials;
  Histogram* duration;
  std::array<std::atomic<Counter*>, kErrorCodes> errors{};
};

}  // namespace

struct Metrics::Instruments {
  OperationInstruments& Find(std::string_view operation) const {
    const auto found = by_name.find(operation);
    return found == by_name.end() ? *unknown : *found->second;
  }
  OperationInstruments& Make(std::string_view operation);
  Counter& ErrorCounter(OperationInstruments& operation, base::ErrorCode error);

  // Hooks and what they set, for one collection at a time.
  std::mutex collecting;
  prometheus::Registry registry;
  Family<Counter>& requests =
      prometheus::BuildCounter()
          .Name("claviger_requests_total")
          .Help("API requests answered, by operation and outcome.")
          .Register(registry);
  Family<Histogram>& durations =
      prometheus::BuildHistogram()
          .Name("claviger_request_duration_seconds")
          .Help("Time from a whole request to its answer.")
          .Register(registry);
  Family<Counter>& denials = prometheus::BuildCounter()
                                 .Name("claviger_denials_total")
                                 .Help("API requests that policy denied.")
                                 .Register(registry);
  Family<Counter>& authentication_failures =
      prometheus::BuildCounter()
          .Name("claviger_authentication_failures_total")
          .Help("API requests whose sender could not be authenticated.")
          .Register(registry);
  Gauge& connections = prometheus::BuildGauge()
                           .Name("claviger_connections")
                           .Help("Open client connections.")
                           .Register(registry)
                           .Add({});
  Gauge& in_flight = prometheus::BuildGauge()
                         .Name("claviger_http_requests_in_flight")
                         .Help("API requests being answered.")
                         .Register(registry)
                         .Add({});
  std::vector<std::unique_ptr<OperationInstruments>> operations;
  std::unordered_map<std::string_view, OperationInstruments*> by_name;
  OperationInstruments* unknown = nullptr;
  std::vector<std::function<void()>> hooks;
};

OperationInstruments& Metrics::Instruments::Make(std::string_view operation) {
  auto made = std::make_unique<OperationInstruments>();
  made->name = operation;
  made->successes =
      &requests.Add({{"operation", made->name}, {"outcome", "Success"}});
  made->denials = &denials.Add({{"operation", made->name}});
  made->duration = &durations.Add(
      {{"operation", made->name}},
      Histogram::BucketBoundaries(kDurations.begin(), kDurations.end()));
  operations.push_back(std::move(made));
  by_name.emplace(operations.back()->name, operations.back().get());
  return *operations.back();
}

Counter& Metrics::Instruments::ErrorCounter(OperationInstruments& operation,
                                            base::ErrorCode error) {
  auto& slot = operation.errors[static_cast<std::size_t>(error)];
  Counter* counter = slot.load(std::memory_order_acquire);
  if (counter == nullptr) {
    // Add() returns the same counter to whoever else gets here.
    counter =
        &requests.Add({{"operation", operation.name},
                       {"outcome", std::string(AwsErrorOf(error).json.name)}});
    slot.store(counter, std::memory_order_release);
  }
  return *counter;
}

Metrics::Metrics(std::span<const std::string_view> operations)
    : instruments_(std::make_unique<Instruments>()) {
  for (const std::string_view operation : operations) {
    instruments_->Make(operation);
  }
  instruments_->unknown = &instruments_->Make(kUnknown);
}

Metrics::~Metrics() = default;

std::string_view Metrics::Label(std::string_view operation) const {
  return instruments_->Find(operation).name;
}

void Metrics::CountRequest(std::string_view operation,
                           std::optional<base::ErrorCode> error,
                           std::chrono::nanoseconds duration) {
  OperationInstruments& instruments = instruments_->Find(operation);
  instruments.duration->Observe(
      std::chrono::duration<double>(duration).count());
  if (!error) {
    return instruments.successes->Increment();
  }
  instruments_->ErrorCounter(instruments, *error).Increment();
  if (*error == base::ErrorCode::kAccessDenied) {
    instruments.denials->Increment();
  }
}

void Metrics::CountAuthenticationFailure(base::ErrorCode reason) {
  instruments_->authentication_failures
      .Add({{"reason", std::string(AwsErrorOf(reason).json.name)}})
      .Increment();
}

void Metrics::AddInFlight(int change) {
  instruments_->in_flight.Increment(change);
}

void Metrics::SetConnections(std::size_t connections) {
  instruments_->connections.Set(static_cast<double>(connections));
}

prometheus::Registry& Metrics::registry() { return instruments_->registry; }

void Metrics::OnCollect(std::function<void()> hook) {
  instruments_->hooks.push_back(std::move(hook));
}

std::string Metrics::Text() const {
  const std::lock_guard lock(instruments_->collecting);
  for (const auto& hook : instruments_->hooks) {
    hook();
  }
  return prometheus::TextSerializer().Serialize(
      instruments_->registry.Collect());
}

}  // namespace kms::http
