// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/wrapped_keys.h"

#include <fmt/format.h>

#include <chrono>
#include <deque>
#include <filesystem>
#include <utility>

#include "base/clock.h"
#include "tests/bench/filler.h"
#include "tests/bench/load.h"
#include "tests/bench/server.h"
#include "tests/bench/signed_request.h"

namespace bench {
namespace {

constexpr std::size_t kThousands = 10'000;
constexpr std::size_t kMillion = 1'000'000;
constexpr std::size_t kHotKeys = 200;
constexpr std::size_t kMany = 64;
constexpr std::size_t kCreators = 8;

// The lines to hold.
constexpr double kCreatedPerSecond = 500;
constexpr double kShareOfResident = 0.95;
constexpr double kStartSeconds = 2;
constexpr double kMegabytes = 200;
constexpr double kShareOfThousands = 0.8;  // "Flat", on a machine that drifts.

constexpr const char* kWrapped = "--dev-wrapped";

using Requests = std::deque<SignedRequest>;

std::string Encrypts(const std::string& key) {
  return fmt::format(R"({{"KeyId":"{}","Plaintext":"MDEyMzQ1Njc4OWFiY2RlZg==",)"
                     R"("EncryptionContext":{{"tenant":"bench"}}}})",
                     key);
}

// Sends these requests in turn, as fast as answers come.
base::Result<LoadResult> Send(const Server& server, Requests& requests,
                              std::size_t connections) {
  std::size_t next = 0;
  LoadPlan plan;
  plan.port = server.port();
  plan.connections = connections;
  plan.next_request = [&] {
    return requests[next++ % requests.size()].Bytes();
  };
  ASSIGN_OR_RETURN(LoadResult result, Run(plan));
  RETURN_IF_ERROR(result.Check());
  return result;
}

base::Result<std::string> NewKey(Server& server) {
  return server.Ask("CreateKey", "{}", "KeyMetadata/KeyId");
}

// With so many keys in the store.
struct Figures {
  double start_seconds = 0;
  double megabytes = 0;
  std::vector<double> hot_rates{};
  double hot_p99_ms = 0;
};

class WrappedKeys {
 public:
  WrappedKeys(const std::string& bin_dir, std::string folder, int rounds)
      : bin_dir_(bin_dir), folder_(std::move(folder)), rounds_(rounds) {}

  base::Result<std::vector<Row>> Measure();

 private:
  // kHotKeys resident keys and as many wrapped ones on one server, in turns.
  base::Status MeasureHotKeys();
  base::Result<Figures> MeasureWith(std::size_t count);

  const std::string bin_dir_;
  const std::string folder_;
  const int rounds_;
  std::vector<std::string> ids_;
  std::vector<double> created_, resident_, wrapped_share_;
};

// Encryptions under as many new keys.
base::Result<Requests> NewHotKeys(Server& server,
                                  std::vector<std::string>* ids = nullptr) {
  Requests requests;
  for (std::size_t i = 0; i < kHotKeys; ++i) {
    ASSIGN_OR_RETURN(const std::string key, NewKey(server));
    requests.emplace_back("Encrypt", Encrypts(key));
    if (ids != nullptr) {
      ids->push_back(key);
    }
  }
  return requests;
}

base::Status WrappedKeys::MeasureHotKeys() {
  Requests resident, create;
  {
    ASSIGN_OR_RETURN(Server server, Server::Start(bin_dir_, folder_));
    ASSIGN_OR_RETURN(resident, NewHotKeys(server));
  }
  ASSIGN_OR_RETURN(Server server, Server::Start(bin_dir_, folder_, {kWrapped}));
  ASSIGN_OR_RETURN(Requests wrapped, NewHotKeys(server, &ids_));
  create.emplace_back("CreateKey", "{}");
  for (int round = 0; round < rounds_; ++round) {
    ASSIGN_OR_RETURN(const LoadResult one, Send(server, resident, kMany));
    ASSIGN_OR_RETURN(const LoadResult other, Send(server, wrapped, kMany));
    ASSIGN_OR_RETURN(const LoadResult made, Send(server, create, kCreators));
    resident_.push_back(one.Rate());
    wrapped_share_.push_back(other.Rate() / one.Rate());
    created_.push_back(made.Rate());
  }
  return {};
}

base::Result<Figures> WrappedKeys::MeasureWith(std::size_t count) {
  RETURN_IF_ERROR(FillStore(folder_, count, ids_));
  const base::RealClock clock;
  Figures figures;
  const base::MonotonicTime before = clock.Monotonic();
  ASSIGN_OR_RETURN(Server server, Server::Start(bin_dir_, folder_, {kWrapped}));
  figures.start_seconds =
      std::chrono::duration<double>(clock.Monotonic() - before).count();
  figures.megabytes = server.Megabytes();
  Requests hot;
  for (std::size_t i = 0; i < kHotKeys; ++i) {
    hot.emplace_back("Encrypt", Encrypts(ids_[i * (count / kHotKeys)]));
  }
  std::vector<double> p99_ms;
  for (int round = 0; round < rounds_; ++round) {
    ASSIGN_OR_RETURN(const LoadResult result, Send(server, hot, kMany));
    figures.hot_rates.push_back(result.Rate());
    p99_ms.push_back(result.MillisecondsAt(0.99));
  }
  figures.hot_p99_ms = Median(p99_ms);
  return figures;
}

std::string PerSecond(double rate) { return fmt::format("{:.0f}/s", rate); }
std::string Seconds(double seconds) { return fmt::format("{:.2f} s", seconds); }
std::string Megabytes(double size) { return fmt::format("{:.0f} MB", size); }
std::string Percent(double share) {
  return fmt::format("{:.1f} %", share * 100);
}
std::string Milliseconds(double ms) { return fmt::format("{:.2f} ms", ms); }

base::Result<std::vector<Row>> WrappedKeys::Measure() {
  RETURN_IF_ERROR(MeasureHotKeys());
  ASSIGN_OR_RETURN(const Figures few, MeasureWith(kThousands));
  ASSIGN_OR_RETURN(const Figures many, MeasureWith(kMillion));
  const double few_rate = Median(few.hot_rates);
  return std::vector<Row>{
      AtLeast("wrapped CreateKey, 8 connections", Median(created_),
              kCreatedPerSecond, PerSecond),
      {"200 resident keys, Encrypt, 64 connections",
       PerSecond(Median(resident_)),
       "",
       {}},
      AtLeast("200 wrapped keys, of that", Median(wrapped_share_),
              kShareOfResident, Percent),
      AtMost("start with 10,000 wrapped keys", few.start_seconds, kStartSeconds,
             Seconds),
      AtMost("its memory, all processes", few.megabytes, kMegabytes, Megabytes),
      {"200 of 10,000 wrapped keys, Encrypt", PerSecond(few_rate), "", {}},
      {"their p99, 64 connections", Milliseconds(few.hot_p99_ms), "", {}},
      {"start with 1,000,000 wrapped keys",
       Seconds(many.start_seconds),
       "",
       {}},
      {"its memory, all processes", Megabytes(many.megabytes), "", {}},
      AtLeast("200 of 1,000,000 wrapped keys, Encrypt", Median(many.hot_rates),
              few_rate * kShareOfThousands, PerSecond),
      {"their p99, 64 connections", Milliseconds(many.hot_p99_ms), "", {}}};
}

}  // namespace

base::Result<std::vector<Row>> MeasureWrappedKeys(const std::string& bin_dir,
                                                  const std::string& folder,
                                                  int rounds) {
  const std::string own = folder + "/wrapped-keys";
  std::filesystem::create_directory(own);
  return WrappedKeys(bin_dir, own, rounds).Measure();
}

}  // namespace bench
