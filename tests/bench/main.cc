// SPDX-License-Identifier: Apache-2.0
// Measures a clavigerd against the lines that the project holds itself to
// (docs/performance.md).
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string>
#include <vector>

#include "tests/bench/child.h"
#include "tests/bench/disk.h"
#include "tests/bench/empty_server.h"
#include "tests/bench/host.h"
#include "tests/bench/many_keys.h"
#include "tests/bench/module_signers.h"
#include "tests/bench/server.h"
#include "tests/bench/signers.h"
#include "tests/bench/token_alone.h"
#include "tests/bench/workload.h"
#include "tests/bench/wrapped_keys.h"
#include "tests/bench/xks_keys.h"

namespace bench {
namespace {

// What needs servers of its own.
constexpr const char* kManyKeys = "many-keys";
constexpr const char* kWrappedKeys = "wrapped-keys";
constexpr const char* kXksKeys = "xks-keys";

struct Options {
  std::string bin_dir = "build/release/bin";
  std::string folder = "/var/tmp";
  bool check = false;
  int rounds = 3;
  std::string part;
};

int Processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

// Returns whether every line is held.
base::Result<bool> Measure(const Options& options) {
  ASSIGN_OR_RETURN(const WorkFolder folder, WorkFolder::Make(options.folder));
  ASSIGN_OR_RETURN(const WorkFolder second_folder,
                   WorkFolder::Make(options.folder));
  ASSIGN_OR_RETURN(const DataSync sync_before, MeasureDataSync(folder.path()));
  ASSIGN_OR_RETURN(Child empty,
                   Child::Fork([](int /*in*/, int out) { ServeNothing(out); }));
  ASSIGN_OR_RETURN(Child token_alone, Child::Fork([&](int in, int out) {
                     MeasureTokenAlone(folder.path(), in, out);
                   }));
  ASSIGN_OR_RETURN(Child second_token_alone, Child::Fork([&](int in, int out) {
                     MeasureTokenAlone(second_folder.path(), in, out);
                   }));
  ASSIGN_OR_RETURN(Child signers,
                   Child::Fork([](int in, int out) { LoadBeside(in, out); }));
  const std::string module = options.bin_dir + "/../lib/claviger-pkcs11.so";
  ASSIGN_OR_RETURN(Child module_signers, Child::Fork([&](int in, int out) {
                     SignThroughModule(module, in, out);
                   }));
  ASSIGN_OR_RETURN(const std::string empty_port, empty.ReadLine());
  ASSIGN_OR_RETURN(Server server,
                   Server::Start(options.bin_dir, folder.path()));
  const Others others{
      .empty_port = static_cast<std::uint16_t>(std::stoul(empty_port)),
      .token_alone = token_alone,
      .second_token_alone = second_token_alone,
      .signers = signers,
      .module_signers = module_signers};
  ASSIGN_OR_RETURN(const ProcessorTimes times_before, ReadProcessorTimes());
  Workload workload(server, others,
                    {.rounds = options.rounds, .part = options.part});
  RETURN_IF_ERROR(workload.Measure());
  ASSIGN_OR_RETURN(const ProcessorTimes times_after, ReadProcessorTimes());
  std::vector<Row> of_many_keys;
  if (options.part.empty() || options.part == kManyKeys) {
    ASSIGN_OR_RETURN(of_many_keys,
                     MeasureManyKeys(options.bin_dir, module, folder.path(),
                                     options.rounds));
  }
  std::vector<Row> of_wrapped_keys;
  if (options.part.empty() || options.part == kWrappedKeys) {
    ASSIGN_OR_RETURN(
        of_wrapped_keys,
        MeasureWrappedKeys(options.bin_dir, folder.path(), options.rounds));
  }
  std::vector<Row> of_xks_keys;
  if (options.part.empty() || options.part == kXksKeys) {
    ASSIGN_OR_RETURN(of_xks_keys, MeasureXksKeys(options.bin_dir, folder.path(),
                                                 options.rounds));
  }
  ASSIGN_OR_RETURN(const DataSync sync_after, MeasureDataSync(folder.path()));

  fmt::print(
      "{} processors, load generator on the same ones, {:.1f} % of their time "
      "taken by a host\nfdatasync p50 {:.2f} ms and p99 {:.2f} ms before, "
      "{:.2f} "
      "and {:.2f} ms after\n",
      Processors(), StolenShare(times_before, times_after) * 100,
      sync_before.p50_ms, sync_before.p99_ms, sync_after.p50_ms,
      sync_after.p99_ms);
  std::vector<Row> rows = workload.Rows();
  std::ranges::copy(of_many_keys, std::back_inserter(rows));
  std::ranges::copy(of_wrapped_keys, std::back_inserter(rows));
  std::ranges::copy(of_xks_keys, std::back_inserter(rows));
  Print(rows);
  return AllMet(rows);
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Measures clavigerd.", "claviger-bench");
  app.add_option("--bin-dir", options.bin_dir, "Where the programs lie")
      ->capture_default_str();
  app.add_option("--folder", options.folder,
                 "On a real disk; state and audit log are made in it")
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "Slices of each figure")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  std::vector<std::string> parts = Workload::PartNames();
  parts.emplace_back(kManyKeys);
  parts.emplace_back(kWrappedKeys);
  parts.emplace_back(kXksKeys);
  app.add_option("--part", options.part, "Measure this alone")
      ->check(CLI::IsMember(parts));
  app.add_flag("--check", options.check, "Fail below the line");
  CLI11_PARSE(app, argc, argv);
  signal(SIGPIPE, SIG_IGN);
  const auto held = Measure(options);
  if (!held) {
    fmt::print(stderr, "claviger-bench: {}\n", held.error().message);
    return 2;
  }
  return options.check && !*held ? 1 : 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc, argv); }
