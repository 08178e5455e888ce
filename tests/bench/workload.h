// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_WORKLOAD_H_
#define TESTS_BENCH_WORKLOAD_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/result.h"
#include "pkcs11/p11_v3.h"
#include "tests/bench/child.h"
#include "tests/bench/policy_alone.h"
#include "tests/bench/report.h"
#include "tests/bench/server.h"
#include "tests/bench/signed_request.h"
#include "tests/bench/token_alone.h"

namespace bench {

// What the figures of a server are compared with, or measured beside: processes
// that serve this one's questions.
struct Others {
  std::uint16_t empty_port = 0;  // Of an empty handler of the same HTTP stack.
  Child& token_alone;            // Runs MeasureTokenAlone();
  Child& second_token_alone;     // so does this, at the same time.
  Child& signers;                // Runs LoadBeside().
  Child& module_signers;         // Runs SignThroughModule().
};

// A Workload measures one server beside what its figures are compared with: an
// empty handler of the same HTTP stack, and the token alone. What is compared
// is measured in turns, slice by slice, and medians are taken, since the speed
// of a machine drifts by more than what is to be seen.
class Workload {
 public:
  struct Options {
    int rounds = 3;
    std::chrono::milliseconds slice{2000};
    std::string part;  // One of PartNames(); empty: all of them.
  };

  // What can be measured by itself.
  static std::vector<std::string> PartNames();

  // Everything is borrowed.
  Workload(Server& server, const Others& others, const Options& options);

  // Fails if any answer was not 200: then nothing was measured.
  base::Status Measure();

  std::vector<Row> Rows() const;

 private:
  // A hot operation, and a figure of each of its slices.
  struct Operation {
    std::string name;
    TokenTask task;  // The token's part of it.
    SignedRequest request;
    std::vector<double> at_64{}, at_16{};    // Requests a second.
    std::vector<double> share{};             // Of the empty handler's, at 64.
    std::vector<double> cpu_us{};            // Of the server, a request, at 64.
    std::vector<double> token_cpu_us{};      // Of the token alone.
    std::vector<double> p50_ms{}, p99_ms{};  // At half of that load.
  };
  struct Slice {
    double rate = 0;
    double cpu_us = 0;
    double p50_ms = 0;
    double p99_ms = 0;
  };

  struct Part;
  static const std::vector<Part>& Parts();
  bool IsWanted(const Part& part) const;

  base::Status PrepareRequests();
  base::Status MeasureDataKeys();
  base::Status MeasureRates();
  base::Status MeasureLatencies();
  base::Status MeasureCreation();
  base::Status MeasureSigning();
  base::Status MeasureModule();
  base::Status MeasurePolicy();
  // Signatures a second of programs with the PKCS#11 module, with a new key.
  struct ModuleSignatures {
    std::string key_spec;
    CK_MECHANISM_TYPE mechanism;
    TokenTask alone;
    int processes;  // 1 or 2: workers of the server that sign with such keys.
    double limit;   // Share of what the token alone makes in as many.
    std::vector<double> rates{}, alone_rates{};
  };
  base::Status MeasureModuleSignatures(ModuleSignatures& signatures);

  // What one process makes of it, or two together.
  base::Result<double> AskToken(TokenTask task, int processes = 1);
  base::Result<Slice> Load(std::uint16_t port, SignedRequest& request,
                           std::size_t connections,
                           std::optional<double> rate = {});
  void AddRowsOf(const Operation& operation, std::vector<Row>& rows) const;
  void AddDataKeyRows(std::vector<Row>& rows) const;
  void AddCreationRows(std::vector<Row>& rows) const;
  void AddSigningRows(std::vector<Row>& rows) const;
  void AddModuleRows(std::vector<Row>& rows) const;
  void AddPolicyRows(std::vector<Row>& rows) const;

  Server& server_;
  const Others others_;
  const Options options_;
  std::deque<Operation> operations_;
  std::vector<double> empty_;  // Requests a second of the empty handler, at 64.
  std::vector<double> created_, created_alone_;  // Keys a second.
  std::vector<double> signed_, signed_alone_;    // RSA-2048, a second.
  // GenerateDataKey at 16 connections, beside 16 that sign: its share of its
  // rate alone, and its latency.
  std::vector<double> beside_share_, beside_p99_ms_;
  std::vector<double> beside_signed_;  // What those signed, a second.
  std::vector<ModuleSignatures> through_module_;
  PolicyFigures policy_;
};

}  // namespace bench

#endif  // TESTS_BENCH_WORKLOAD_H_
