// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/many_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <filesystem>
#include <iterator>
#include <memory>
#include <utility>

#include "tests/bench/filler.h"
#include "tests/bench/load.h"
#include "tests/bench/module_signers.h"
#include "tests/bench/server.h"
#include "tests/bench/signed_request.h"

namespace bench {
namespace {

constexpr std::size_t kFew = 1'000;
constexpr std::size_t kMany = 100'000;
constexpr std::size_t kConnections = 16;
// More than the cache of keys holds.
constexpr std::size_t kMostDescribed = 20'000;
constexpr std::size_t kPagesLoaded = 50;

// The lines to hold.
constexpr double kShareOfFew = 0.5;
constexpr double kStartSeconds = 3;

// What was measured with one number of keys.
struct Figures {
  double start_seconds = 0;
  ModuleStart module{};
  std::vector<double> list_rates{};
  std::vector<double> describe_rates{};
};

std::unique_ptr<SignedRequest> Describe(const std::string& id) {
  return std::make_unique<SignedRequest>(
      "DescribeKey", fmt::format(R"({{"KeyId":"{}"}})", id));
}

std::unique_ptr<SignedRequest> ListPage(const std::string& marker) {
  return std::make_unique<SignedRequest>(
      "ListKeys",
      marker.empty() ? R"({"Limit":100})"
                     : fmt::format(R"({{"Limit":100,"Marker":"{}"}})", marker));
}

using Requests = std::deque<std::unique_ptr<SignedRequest>>;

// Sends these requests in turn, as fast as answers come.
base::Result<double> RateOf(const Server& server, const Requests& requests) {
  std::size_t next = 0;
  LoadPlan plan;
  plan.port = server.port();
  plan.connections = kConnections;
  plan.next_request = [&] {
    return requests[next++ % requests.size()]->Bytes();
  };
  ASSIGN_OR_RETURN(const LoadResult result, Run(plan));
  RETURN_IF_ERROR(result.Check());
  return result.Rate();
}

class ManyKeys {
 public:
  ManyKeys(const std::string& bin_dir, std::string module, std::string folder,
           int rounds)
      : bin_dir_(bin_dir),
        module_(std::move(module)),
        folder_(std::move(folder)),
        rounds_(rounds) {}

  // A server makes the folder and the first key.
  base::Status Prepare();
  // Adds rows until there are `count` keys.
  base::Status FillTo(std::size_t count) {
    return FillStore(folder_, count, ids_);
  }
  base::Result<Figures> Measure();

 private:
  // Pages of the listing, evenly spread.
  base::Result<Requests> Pages(Server& server) const;

  const std::string bin_dir_;
  const std::string module_;
  const std::string folder_;
  const int rounds_;
  const base::RealClock clock_;
  std::vector<std::string> ids_;
};

base::Status ManyKeys::Prepare() {
  ASSIGN_OR_RETURN(Server server, Server::Start(bin_dir_, folder_));
  ASSIGN_OR_RETURN(const std::string id,
                   server.Ask("CreateKey", "{}", "KeyMetadata/KeyId"));
  ids_.push_back(id);
  return {};
}

base::Result<Requests> ManyKeys::Pages(Server& server) const {
  Requests pages;
  pages.push_back(ListPage(""));
  std::string marker;
  const std::size_t step = std::max<std::size_t>(ids_.size() / kPagesLoaded, 1);
  // The server's own markers; the last stretch has none after it.
  for (std::size_t seen = 0; seen + 2 * step < ids_.size();) {
    const std::size_t limit = std::min<std::size_t>(step, 1'000);
    const std::string input =
        marker.empty()
            ? fmt::format(R"({{"Limit":{}}})", limit)
            : fmt::format(R"({{"Limit":{},"Marker":"{}"}})", limit, marker);
    ASSIGN_OR_RETURN(marker, server.Ask("ListKeys", input, "NextMarker"));
    pages.push_back(ListPage(marker));
    seen += limit;
  }
  return pages;
}

base::Result<Figures> ManyKeys::Measure() {
  Figures figures;
  const base::MonotonicTime before = clock_.Monotonic();
  ASSIGN_OR_RETURN(Server server, Server::Start(bin_dir_, folder_));
  figures.start_seconds =
      std::chrono::duration<double>(clock_.Monotonic() - before).count();
  if (ids_.size() <= kFew) {
    ASSIGN_OR_RETURN(figures.module,
                     MeasureModuleStart(module_, server.socket()));
  }

  ASSIGN_OR_RETURN(const Requests pages, Pages(server));
  Requests described;
  const std::size_t count = std::min(ids_.size(), kMostDescribed);
  for (std::size_t i = 0; i < count; ++i) {
    described.push_back(Describe(ids_[i * (ids_.size() / count)]));
  }
  for (int round = 0; round < rounds_; ++round) {
    ASSIGN_OR_RETURN(const double list, RateOf(server, pages));
    ASSIGN_OR_RETURN(const double describe, RateOf(server, described));
    figures.list_rates.push_back(list);
    figures.describe_rates.push_back(describe);
  }
  return figures;
}

std::string PerSecond(double rate) { return fmt::format("{:.0f}/s", rate); }
std::string Seconds(double seconds) { return fmt::format("{:.2f} s", seconds); }

std::vector<Row> RowsOf(const Figures& few, const Figures& many) {
  const auto pair = [](const std::string& what,
                       const std::vector<double>& at_few,
                       const std::vector<double>& at_many) {
    const double base = Median(at_few);
    return std::array{Row{what + ", 1,000 keys", PerSecond(base), "", {}},
                      AtLeast(what + ", 100,000 keys", Median(at_many),
                              base * kShareOfFew, PerSecond)};
  };
  std::vector<Row> rows;
  std::ranges::copy(
      pair("ListKeys, pages of 100", few.list_rates, many.list_rates),
      std::back_inserter(rows));
  std::ranges::copy(
      pair("DescribeKey", few.describe_rates, many.describe_rates),
      std::back_inserter(rows));
  rows.push_back({"start, 1,000 keys", Seconds(few.start_seconds), "", {}});
  rows.push_back(AtMost("start, 100,000 keys", many.start_seconds,
                        kStartSeconds, Seconds));
  rows.push_back({"C_Initialize and C_OpenSession, no server there",
                  Seconds(few.module.initialize),
                  "",
                  {}});
  rows.push_back({fmt::format("first C_FindObjects of the module, {} objects",
                              few.module.objects),
                  Seconds(few.module.list),
                  "",
                  {}});
  return rows;
}

}  // namespace

base::Result<std::vector<Row>> MeasureManyKeys(const std::string& bin_dir,
                                               const std::string& module,
                                               const std::string& folder,
                                               int rounds) {
  const std::string own = folder + "/many-keys";
  std::filesystem::create_directory(own);
  ManyKeys bench(bin_dir, module, own, rounds);
  RETURN_IF_ERROR(bench.Prepare());
  RETURN_IF_ERROR(bench.FillTo(kFew));
  ASSIGN_OR_RETURN(const Figures few, bench.Measure());
  RETURN_IF_ERROR(bench.FillTo(kMany));
  ASSIGN_OR_RETURN(const Figures many, bench.Measure());
  return RowsOf(few, many);
}

}  // namespace bench
