// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/gauges.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <functional>
#include <map>
#include <string>

#include "hsm/client/stats.h"
#include "hsm/operations.h"

namespace tools {
namespace {

using hsm::client::OperationStats;
using hsm::client::Stats;

// Brings a counter to what somebody else has counted.
void CatchUp(prometheus::Counter& counter, double total) {
  counter.Increment(total - counter.Value());
}

// The counters of all workers that `thread` asks.
std::vector<const Stats*> StatsOf(const IoThread& thread) {
  std::vector<const Stats*> all;
  for (const hsm::client::Client& client : thread.hsms()) {
    all.push_back(&client.stats());
  }
  if (thread.xks_workers() != nullptr) {
    all.push_back(&thread.xks_workers()->stats());
  }
  return all;
}

// The instruments of one operation of the workers, over all io threads.
class TokenOperation {
 public:
  TokenOperation(std::size_t index, prometheus::Counter& calls,
                 prometheus::Counter& errors, prometheus::Histogram& latency)
      : index_(index), calls_(calls), errors_(errors), latency_(latency) {}

  void Collect(const std::vector<std::unique_ptr<IoThread>>& threads) {
    std::int64_t calls = 0;
    std::int64_t errors = 0;
    std::int64_t sum_ns = 0;
    std::array<std::int64_t, kBuckets> buckets{};
    for (const auto& thread : threads) {
      for (const Stats* const of : StatsOf(*thread)) {
        const OperationStats& stats = of->operations[index_];
        calls += stats.calls.Get();
        errors += stats.errors.Get();
        sum_ns += stats.latency_ns.Get();
        for (std::size_t i = 0; i < kBuckets; ++i) {
          buckets[i] += stats.latency[i].Get();
        }
      }
    }
    CatchUp(calls_, static_cast<double>(calls));
    CatchUp(errors_, static_cast<double>(errors));
    ObserveNew(buckets, sum_ns);
  }

 private:
  static constexpr std::size_t kBuckets =
      hsm::client::kLatencyBounds.size() + 1;

  void ObserveNew(const std::array<std::int64_t, kBuckets>& buckets,
                  std::int64_t sum_ns) {
    std::vector<double> increments(kBuckets);
    for (std::size_t i = 0; i < kBuckets; ++i) {
      increments[i] = static_cast<double>(buckets[i] - seen_[i]);
    }
    latency_.ObserveMultiple(increments,
                             static_cast<double>(sum_ns - seen_ns_) / 1e9);
    seen_ = buckets;
    seen_ns_ = sum_ns;
  }

  std::size_t index_;
  prometheus::Counter& calls_;
  prometheus::Counter& errors_;
  prometheus::Histogram& latency_;
  std::array<std::int64_t, kBuckets> seen_{};
  std::int64_t seen_ns_ = 0;
};

prometheus::Histogram::BucketBoundaries LatencyBounds() {
  prometheus::Histogram::BucketBoundaries bounds;
  for (const auto bound : hsm::client::kLatencyBounds) {
    bounds.push_back(std::chrono::duration<double>(bound).count());
  }
  return bounds;
}

std::vector<TokenOperation> MakeTokenOperations(
    prometheus::Registry& registry) {
  auto& calls = prometheus::BuildCounter()
                    .Name("claviger_hsm_calls_total")
                    .Help("Requests to the token's workers that ended.")
                    .Register(registry);
  auto& errors = prometheus::BuildCounter()
                     .Name("claviger_hsm_errors_total")
                     .Help("Those that the token or its worker refused.")
                     .Register(registry);
  auto& latency = prometheus::BuildHistogram()
                      .Name("claviger_hsm_call_duration_seconds")
                      .Help("From the call to its reply, queues included.")
                      .Register(registry);
  std::vector<TokenOperation> operations;
  for (std::size_t i = 0; i < hsm::kOperationCount; ++i) {
    const prometheus::Labels labels = {
        {"operation", std::string(hsm::kOperationRows[i].name)}};
    operations.emplace_back(i, calls.Add(labels), errors.Add(labels),
                            latency.Add(labels, LatencyBounds()));
  }
  return operations;
}

// One number, read when somebody asks.
struct Gauge {
  std::string_view name;
  std::string_view help;
  std::function<double()> read;
};

double SumOf(const std::vector<std::unique_ptr<IoThread>>& threads,
             hsm::client::Counter Stats::*counter) {
  std::int64_t sum = 0;
  for (const auto& thread : threads) {
    for (const hsm::client::Client& client : thread->hsms()) {
      sum += (client.stats().*counter).Get();
    }
  }
  return static_cast<double>(sum);
}

double ReadyXksWorkers(const std::vector<std::unique_ptr<IoThread>>& threads) {
  std::int64_t sum = 0;
  for (const auto& thread : threads) {
    sum += thread->xks_workers() != nullptr
               ? thread->xks_workers()->stats().ready_workers.Get()
               : 0;
  }
  return static_cast<double>(sum);
}

std::vector<Gauge> GaugesOf(
    const std::vector<std::unique_ptr<IoThread>>& threads,
    const kms::store::Store& store, const kms::audit::Log& log) {
  const auto of = [&threads](hsm::client::Counter Stats::*counter) {
    return [&threads, counter] { return SumOf(threads, counter); };
  };
  return {
      {"claviger_hsm_queued_cost", "Cost units waiting for a worker.",
       of(&Stats::queued_cost)},
      {"claviger_hsm_ready_workers", "Connections to workers that answer.",
       of(&Stats::ready_workers)},
      {"claviger_hsm_worker_losses", "Connections to workers that were lost.",
       of(&Stats::worker_losses)},
      {"claviger_hsm_workers_replaced", "Workers replaced for a fault.",
       of(&Stats::workers_replaced)},
      {"claviger_hsm_repeated", "Requests sent again after a worker's death.",
       of(&Stats::repeated)},
      {"claviger_hsm_throttled", "Requests refused because a queue was full.",
       of(&Stats::throttled)},
      {"claviger_xks_ready_workers",
       "Connections to workers that ask XKS proxies.",
       [&threads] { return ReadyXksWorkers(threads); }},
      {"claviger_store_queued_writes", "Changes waiting for the store.",
       [&store] { return static_cast<double>(store.QueueLength()); }},
      {"claviger_store_revision", "Mutations that the store has seen.",
       [&store] { return static_cast<double>(store.info().revision); }},
      {"claviger_audit_queued_records", "Records waiting for the disk.",
       [&log] { return static_cast<double>(log.health().queued); }},
      {"claviger_audit_writable", "1 if the log can be written, else 0.",
       [&log] { return log.health().writable ? 1.0 : 0.0; }},
      {"claviger_audit_free_bytes", "Free space where the log lies.",
       [&log] { return static_cast<double>(log.health().free_bytes); }},
      {"claviger_audit_head_sequence", "Number of the newest record.",
       [&log] { return static_cast<double>(log.health().head_sequence); }},
  };
}

// One number of each token of a key store, over all io threads.
struct TokenGauge {
  std::string_view name;
  std::string_view help;
  hsm::client::Counter hsm::client::TokenStats::*counter;
};
constexpr std::array kTokenGauges = {
    TokenGauge{"claviger_hsm_token_serving",
               "Threads for which the token gets calls; 0: it is down, not "
               "paired, failing or drained.",
               &hsm::client::TokenStats::serving},
    TokenGauge{"claviger_hsm_token_workers",
               "Connections to workers that the token should have; 0: it was "
               "taken out.",
               &hsm::client::TokenStats::workers},
    TokenGauge{"claviger_hsm_token_ready_workers",
               "Connections to workers of the token that answer.",
               &hsm::client::TokenStats::ready_workers},
    TokenGauge{"claviger_hsm_token_calls_in_flight",
               "Requests that the token's workers have not answered.",
               &hsm::client::TokenStats::calls_in_flight},
    TokenGauge{"claviger_hsm_token_calls", "Requests that the token answered.",
               &hsm::client::TokenStats::calls},
    TokenGauge{"claviger_hsm_token_failures",
               "Requests that the token could not serve, or not in time.",
               &hsm::client::TokenStats::failures},
};

// By the token's name. The threads may differ for a moment in which they know.
std::map<std::string, std::int64_t> SumByToken(
    const std::vector<std::unique_ptr<IoThread>>& threads,
    std::size_t key_store,
    hsm::client::Counter hsm::client::TokenStats::*counter) {
  std::map<std::string, std::int64_t> sums;
  for (const auto& thread : threads) {
    const Stats& stats = thread->hsms()[key_store].stats();
    const std::size_t count = stats.token_count.load();
    for (std::size_t i = 0; i < count; ++i) {
      sums[stats.tokens[i].name] += (stats.tokens[i].*counter).Get();
    }
  }
  return sums;
}

void AddTokenGauges(kms::http::Metrics& metrics,
                    const std::vector<std::unique_ptr<IoThread>>& threads) {
  std::vector<std::string> key_stores;
  for (const auto& key_store :
       threads.front()->environment().key_stores.all()) {
    key_stores.push_back(key_store.name);
  }
  for (const TokenGauge& gauge : kTokenGauges) {
    auto& family = prometheus::BuildGauge()
                       .Name(std::string(gauge.name))
                       .Help(std::string(gauge.help))
                       .Register(metrics.registry());
    metrics.OnCollect([&family, &threads, key_stores, counter = gauge.counter] {
      for (std::size_t i = 0; i < key_stores.size(); ++i) {
        for (const auto& [token, sum] : SumByToken(threads, i, counter)) {
          family.Add({{"key_store", key_stores[i]}, {"token", token}})
              .Set(static_cast<double>(sum));
        }
      }
    });
  }
}

}  // namespace

void AddGauges(kms::http::Metrics& metrics,
               const std::vector<std::unique_ptr<IoThread>>& threads,
               const kms::store::Store& store, const kms::audit::Log& log) {
  AddTokenGauges(metrics, threads);
  for (Gauge& gauge : GaugesOf(threads, store, log)) {
    auto& family = prometheus::BuildGauge()
                       .Name(std::string(gauge.name))
                       .Help(std::string(gauge.help))
                       .Register(metrics.registry());
    metrics.OnCollect(
        [&instrument = family.Add({}), read = std::move(gauge.read)] {
          instrument.Set(read());
        });
  }
  metrics.OnCollect([&metrics, &threads] {
    std::size_t connections = 0;
    for (const auto& thread : threads) {
      connections += thread->server().connections();
    }
    metrics.SetConnections(connections);
  });
  auto operations = std::make_shared<std::vector<TokenOperation>>(
      MakeTokenOperations(metrics.registry()));
  metrics.OnCollect([operations, &threads] {
    for (TokenOperation& operation : *operations) {
      operation.Collect(threads);
    }
  });
}

}  // namespace tools
